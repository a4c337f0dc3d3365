"""Taking licences: what is held against what, what is refused, and that nothing is taken twice or half."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from licet.client import Client
from licet.datasets.agreeing.asking import named_works
from licet.datasets.filtering.build import Filtered, Wish, filter_dataset
from licet.datasets.licensing import accepting
from licet.datasets.licensing.accepting import Acceptance
from licet.datasets.licensing.budgets import Budget
from licet.datasets.licensing.held import LicenceStore, verify_granted
from licet.decisions import Request
from licet.errors import (
    BudgetError,
    InputError,
    InterruptedJobError,
    NotAllowedError,
    UnreachableError,
    VerificationError,
)
from licet.home import Home
from licet.statements import envelope as envelopes
from licet.statements.covering import covers
from licet.statements.keys import SigningKey
from licet.statements.kinds import Licence, Use
from licet.statements.licences import quote_digest
from licet.terms import Price, Terms, preset
from licet.wire.licensing import Quote
from tests.sdk.datasets.registry import Registry
from tests.sdk.datasets.world import NO_AI, PAID, PAID_EUR, World, encoded, picture

REQUEST = Request(uses=["train-gen"], model="lantern/lantern@1")
NEGOTIATE = preset("paid", Price(model="negotiate"))


def wish(*budget: str, fit: bool = False, **more: Any) -> Wish:
    return Wish(accept=Acceptance("lantern-train", Budget(*budget), fit), **more)


@pytest.fixture
def pictures(world: World, tmp_path: Path) -> Path:
    """Three works at 0.05 USD a run, one at 2 EUR, one free, one to negotiate."""
    place = tmp_path / "in"
    place.mkdir()
    free = Terms.parse(NO_AI.to_json() | {"train-gen": {"permission": "license", "price": {"model": "free"}}})
    terms = [PAID, PAID, PAID, PAID_EUR, free, NEGOTIATE]
    for number, each in enumerate(terms):
        (place / f"{number}.png").write_bytes(encoded(picture(number)))
        world.work(encoded(picture(number)), f"artist {number % 2}", each)
    world.registry.publish()
    return place


def reasons(done: Filtered) -> list[str]:
    found: list[str] = pq.read_table(done.decisions)["reason"].to_pylist()
    return found


def store(client: Client) -> LicenceStore:
    account = client.profile.account
    assert account is not None
    return LicenceStore(client.home.licences(account.account))


def test_what_fits_the_budget_is_licensed_and_kept(
    client: Client, world: World, pictures: Path, tmp_path: Path
) -> None:
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, wish("1USD", "2 EUR"))
    assert done.kept == 5
    assert done.licence is not None
    assert reasons(done) == [f"licensed:{done.licence}"] * 5 + ["needs-agreement"]
    assert {row["currency"]: row["amount"] for row in done.quote.totals} == {"USD": "0.15", "EUR": "2"}
    assert done.quote.fee_bps == 500
    [held] = store(client).all()
    assert held.id == done.licence
    assert len(held.lines) == 5
    assert len(world.registry.events) == 5


def test_a_currency_without_a_budget_is_named_and_an_agreement_is_not(
    client: Client, pictures: Path, tmp_path: Path
) -> None:
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, wish("100USD"))
    assert done.kept == 4
    assert (reasons(done)[3], reasons(done)[5]) == ("no-budget:EUR", "needs-agreement")
    assert "1 row: priced in EUR, and --budget has nothing in that; --budget AMOUNTEUR as well takes them" in (
        done.hints
    )
    assert len(named_works([str(done.decisions)])) == 1  # what is only priced in another currency is not asked for


def test_over_budget_takes_nothing_and_shows_the_quote(
    client: Client, world: World, pictures: Path, tmp_path: Path
) -> None:
    with pytest.raises(BudgetError, match=r"0.15 USD for 3 works, against 0.14; nothing was taken") as caught:
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, wish("0.14USD", "2EUR"))
    assert caught.value.exit_code == 1
    assert caught.value.details["quote"]["totals"][1] == {"amount": "0.15", "currency": "USD", "works": 3}
    assert not world.registry.licences
    assert not (tmp_path / "out").exists()
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, wish("0.15USD", "2EUR"))
    assert done.kept == 5


def test_a_budget_can_be_filled_with_the_cheapest(client: Client, pictures: Path, tmp_path: Path) -> None:
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, wish("0.11USD", "1EUR", fit=True))
    assert done.kept == 3
    assert sorted(reason for reason in reasons(done) if not reason.startswith("licensed")) == [
        "needs-agreement",
        "over-budget",
        "over-budget",
    ]


def test_accepting_again_returns_what_is_held_and_costs_nothing(
    client: Client, world: World, pictures: Path, tmp_path: Path
) -> None:
    first = filter_dataset(client, [pictures], tmp_path / "a", REQUEST, wish("1USD", "2EUR"))
    again = filter_dataset(client, [pictures], tmp_path / "b", REQUEST, wish("1USD", "2EUR"))
    assert (again.licence, again.licences, again.kept) == (None, [first.licence], 5)
    assert again.quote.totals == []
    assert len(world.registry.licences) == 1
    unasked = filter_dataset(client, [pictures], tmp_path / "c", Request(uses=["train-gen"]))
    assert unasked.kept == 5


def test_a_licence_for_another_model_is_another_licence(
    client: Client, world: World, pictures: Path, tmp_path: Path
) -> None:
    filter_dataset(client, [pictures], tmp_path / "a", REQUEST, wish("1USD", "2EUR"))
    other = Request(uses=["train-gen"], model="lantern/lantern@2")
    done = filter_dataset(client, [pictures], tmp_path / "b", other, wish("1USD", "2EUR"))
    assert done.licence is not None
    assert len(world.registry.licences) == 2


def test_a_licence_that_this_home_never_saw_is_fetched_and_verified(
    client: Client, world: World, pictures: Path, tmp_path: Path
) -> None:
    first = filter_dataset(client, [pictures], tmp_path / "a", REQUEST, wish("1USD", "2EUR"))
    for path in store(client).folder.iterdir():
        path.unlink()
    again = filter_dataset(client, [pictures], tmp_path / "b", REQUEST, wish("1USD", "2EUR"))
    assert (again.licence, again.licences) == (None, [first.licence])
    assert len(world.registry.licences) == 1


def test_a_tighten_between_snapshot_and_quote_is_left_out(
    client: Client, world: World, pictures: Path, tmp_path: Path
) -> None:
    [work, *_] = world.registry.records
    world.registry.before["/v1/quotes"] = lambda: world.registry.change(work, terms=NO_AI.encoded)
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, wish("1USD", "2EUR"))
    assert done.kept == 4
    assert reasons(done)[0] == "changed"
    assert "changed while this ran" in " ".join(done.hints)


def test_works_that_change_before_the_accept_are_quoted_anew_once(
    client: Client, world: World, pictures: Path, tmp_path: Path
) -> None:
    [work, *_] = world.registry.records

    def tighten() -> None:
        world.registry.before.clear()
        world.registry.change(work, terms=NO_AI.encoded)

    world.registry.before["/v1/licences"] = tighten
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, wish("1USD", "2EUR"))
    assert done.kept == 4
    assert world.registry.calls["POST /v1/quotes"] == 2
    assert len(world.registry.licences) == 1


def _cheaper(quote: Quote) -> Quote:
    lines = [msgspec.structs.replace(quote.lines[0], amount=quote.lines[0].amount + 1), *quote.lines[1:]]
    return msgspec.structs.replace(quote, lines=lines)


def _another_statement(quote: Quote) -> Quote:
    lines = [msgspec.structs.replace(quote.lines[0], statement=quote.lines[1].statement), *quote.lines[1:]]
    return msgspec.structs.replace(quote, lines=lines)


LIES = {
    "price": _cheaper,
    "statement": _another_statement,
    "terms": lambda quote: msgspec.structs.replace(
        quote, lines=[msgspec.structs.replace(quote.lines[0], terms_hash="0" * 64), *quote.lines[1:]]
    ),
    "missing work": lambda quote: msgspec.structs.replace(quote, lines=quote.lines[1:]),
    "total": lambda quote: msgspec.structs.replace(
        quote, totals=[msgspec.structs.replace(total, amount=total.amount + 1) for total in quote.totals]
    ),
    "use": lambda quote: msgspec.structs.replace(
        quote, use=msgspec.structs.replace(quote.use, atoms=["finetune-style", "train-gen"])
    ),
    "organisation": lambda quote: msgspec.structs.replace(quote, organisation="org_" + "0" * 26),
    "run": lambda quote: msgspec.structs.replace(quote, run="2"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_quote_that_is_not_what_we_decided_is_never_signed(
    client: Client, world: World, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    honest = Registry.quote

    def lying(registry: Registry, organisation: str, wanted: Any) -> Quote:
        quote: Quote = LIES[lie](honest(registry, organisation, wanted))
        return msgspec.structs.replace(quote, digest=quote_digest(quote))

    monkeypatch.setattr(Registry, "quote", lying)
    with pytest.raises(VerificationError):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, wish("1USD", "2EUR"))
    assert world.registry.calls["POST /v1/licences"] == 0


def test_a_quote_with_another_digest_is_never_signed(
    client: Client, world: World, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Registry.quote
    monkeypatch.setattr(Registry, "quote", lambda *given: msgspec.structs.replace(honest(*given), digest="0" * 64))
    with pytest.raises(VerificationError, match="digest"):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, wish("1USD", "2EUR"))
    assert not world.registry.licences


@pytest.mark.parametrize("lost", [ConnectionAbortedError, KeyboardInterrupt])
def test_a_licence_whose_answer_was_lost_is_found_again_not_bought_again(
    client: Client,
    world: World,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lost: type[BaseException],
) -> None:
    honest = Client.accept

    def losing(self: Client, quote: str, envelope: Any) -> Any:
        honest(self, quote, envelope)
        if lost is KeyboardInterrupt:
            raise KeyboardInterrupt
        raise UnreachableError("the answer was lost")

    monkeypatch.setattr(Client, "accept", losing)
    with pytest.raises((UnreachableError, InterruptedJobError)):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, wish("1USD", "2EUR"))
    assert len(world.registry.licences) == 1
    assert not store(client).all()
    monkeypatch.setattr(Client, "accept", honest)
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, wish("1USD", "2EUR"))
    assert done.kept == 5
    assert [done.licence] == list(world.registry.licences)
    assert len(world.registry.events) == 5


def test_who_dominates_is_asked_for_the_style_too(client: Client, world: World, tmp_path: Path) -> None:
    offer = {"permission": "license", "price": {"model": "per-training-run", "amount": "1", "currency": "USD"}}
    (tmp_path / "in").mkdir()
    for number in range(20):
        data = encoded(picture(number))
        (tmp_path / "in" / f"{number}.png").write_bytes(data)
        world.work(data, "mei", Terms.parse(PAID.to_json() | {"finetune-style": offer}))
    world.registry.publish()
    done = filter_dataset(client, [tmp_path / "in"], tmp_path / "out", REQUEST, wish("20USD"))
    assert done.kept == 20
    assert done.quote.totals == [{"amount": "20", "currency": "USD", "works": 20}]
    [granted] = world.registry.licences.values()
    assert envelopes.read_as(Licence, granted.envelope).use.atoms == ["finetune-style", "train-gen"]


def test_many_works_take_several_licences_under_one_budget(
    client: Client, world: World, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "MAX_WORKS", 2)
    with pytest.raises(BudgetError, match=r"0.15 USD for 3 works, against 0.12"):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, wish("0.12USD", "2EUR"))
    assert not world.registry.licences

    def tighten() -> None:
        if len(world.registry.licences) == 1:
            world.registry.before.clear()
            last = max(work for work, each in world.registry.records.items() if each.terms != NEGOTIATE.encoded)
            world.registry.change(last, terms=NO_AI.encoded)

    world.registry.before["/v1/licences"] = tighten
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, wish("0.15USD", "2EUR"))
    assert sorted(done.taken) == sorted(world.registry.licences)
    assert (len(done.taken), done.kept, done.quote.works) == (2, 4, 4)


def test_only_organisations_take_licences(world: World, pictures: Path, tmp_path: Path) -> None:
    with world.client("artist", "artist") as artist, pytest.raises(NotAllowedError, match="only an organisation"):
        filter_dataset(artist, [pictures], tmp_path / "out", REQUEST, wish("1USD"))
    with world.client("nobody", None) as nobody, pytest.raises(NotAllowedError, match="licet account create"):
        filter_dataset(nobody, [pictures], tmp_path / "two", REQUEST, wish("1USD"))


def test_a_licence_is_for_a_model_and_from_the_service(client: Client, pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ORG/NAME@VERSION"):
        filter_dataset(client, [pictures], tmp_path / "out", Request(uses=["train-gen"]), wish("1USD"))
    with pytest.raises(InputError, match="--offline"):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, wish("1USD", offline=True))


@pytest.mark.parametrize("text", ["100", "USD", "1.1234567USD", "-1USD", "1XXX"])
def test_a_budget_is_an_amount_of_a_currency(text: str) -> None:
    with pytest.raises(InputError, match="budget"):
        Budget(text)


def test_a_currency_has_one_budget() -> None:
    with pytest.raises(InputError, match="one amount per currency"):
        Budget("1USD", "2 usd")


def _licence(use: Use, valid_until: str | None = None) -> Licence:
    zero = "0" * 64
    from licet.statements.kinds import RegistryRef

    return Licence(
        RegistryRef("x", zero), "lic_x", "org_x", zero, zero, use, None, "1", 0, zero, [], [], [], 0,
        "2026-11-22T12:00:00.000Z", valid_until, zero,
    )  # fmt: skip


USE = Use(["mine", "train-gen"], ["commercial"], ["DE", "FR"], "acme/lantern", "2", "one-version", False)


@pytest.mark.parametrize(
    ("asked", "covered"),
    [
        ({}, True),
        ({"uses": ["mine", "train-gen"]}, True),
        ({"uses": ["evaluate"]}, False),
        ({"purpose": ["non-commercial"]}, False),
        ({"territory": ["DE", "FR"]}, True),
        ({"territory": ["DE", "IT"]}, False),
        ({"territory": None}, False),
        ({"open_weights": True}, False),
        ({"open_weights": None}, False),
        ({"model": "acme/lantern@3"}, False),
        ({"model": "acme/other@2"}, False),
        ({"model": None}, True),
        ({"model_scope": "family"}, False),
    ],
)
def test_a_licence_covers_what_it_was_granted_for_and_no_more(asked: dict[str, Any], covered: bool) -> None:
    facts: dict[str, Any] = {
        "uses": ["train-gen"],
        "territory": ["DE"],
        "open_weights": False,
        "model": "acme/lantern@2",
        "at": "2026-11-23T00:00:00.000Z",
    }
    assert covers(_licence(USE), Request(**(facts | asked))) is covered


def test_a_licence_for_a_family_covers_every_version_and_ends_with_its_time() -> None:
    family = _licence(
        Use(["train-gen"], ["commercial"], None, "acme/lantern", "2", "family", None), "2027-01-01T00:00:00.000Z"
    )
    request = Request(uses=["train-gen"], model="acme/lantern@7", at="2026-12-31T23:59:59.999Z")
    assert covers(family, request)
    assert not covers(family, msgspec.structs.replace(request, at="2027-01-01T00:00:00.000Z"))


def test_a_licence_with_other_works_or_signatures_is_not_kept(
    client: Client, world: World, pictures: Path, tmp_path: Path
) -> None:
    filter_dataset(client, [pictures], tmp_path / "a", REQUEST, wish("1USD", "2EUR"))
    [granted] = world.registry.licences.values()
    own = SigningKey.load(client.profile.key_path)
    verify_granted(granted, own, client.working_keys())
    fewer = msgspec.structs.replace(granted, lines=granted.lines[1:])
    alone = msgspec.structs.replace(
        granted, envelope=msgspec.structs.replace(granted.envelope, signatures=granted.envelope.signatures[:1])
    )
    payload = envelopes.read_as(Licence, granted.envelope)
    forged = envelopes.seal(payload, own, SigningKey.generate())
    for lie in (fewer, alone, msgspec.structs.replace(granted, envelope=forged)):
        with pytest.raises(VerificationError):
            verify_granted(lie, own, client.working_keys())


def test_a_damaged_licence_file_is_named(world: World, pictures: Path, tmp_path: Path) -> None:
    with world.client() as client:
        done = filter_dataset(client, [pictures], tmp_path / "a", REQUEST, wish("1USD", "2EUR"))
        path = store(client).folder / f"{done.licence}.json"
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(InputError, match=str(done.licence)):
            filter_dataset(client, [pictures], tmp_path / "b", REQUEST)
    assert isinstance(client.home, Home)
