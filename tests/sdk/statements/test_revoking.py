"""On which condition a licence is revoked, and what one does not cover."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from licet.decisions import Request
from licet.errors import InputError
from licet.statements.covering import covers, outside
from licet.statements.kinds import Agreed, Licence, LicenceLine, RegistryRef, Use
from licet.statements.revoking import condition, draft_done, draft_revocation
from licet.terms import Price, Revocation, Rule, Terms, preset

PAID = preset("paid", Price(model="per-work", amount="1", currency="USD"))
LINE = LicenceLine(
    work="wrk_01m8fw89z4es5anmk2s7649n82",
    account="art_01m8fw89z4es5anmk2s7649n82",
    statement="stm_01m8fw89z4es5anmk2s7649n82",
    terms_hash=PAID.hash,
    atom="train-gen",
    model="per-work",
    currency="USD",
    amount=1_000_000,
    match="exact",
    escrow=False,
)


def terms(**revocations: tuple[int, str]) -> Terms:
    rules: dict[str, Rule] = dict(PAID.rules)
    for atom, (days, effect) in revocations.items():
        name = atom.replace("_", "-")
        found = Revocation(notice_days=days, effect=effect)  # type: ignore[arg-type]
        rules[name] = rules[name].model_copy(update={"revocation": found})
    return Terms(rules)


def test_of_several_uses_the_strictest_counts_and_without_a_condition_there_is_no_way_back():
    given = terms(train_gen=(30, "stop-new-runs"), mine=(60, "unlearn"))
    assert condition(msgspec.UNSET, PAID, ["train-gen", "mine"]) is None
    assert condition(msgspec.UNSET, given, ["train-gen"]) == Revocation(notice_days=30, effect="stop-new-runs")
    assert condition(msgspec.UNSET, given, ["train-gen", "mine"]) == Revocation(notice_days=30, effect="unlearn")
    assert condition(msgspec.UNSET, given, ["train-nongen"]) is None


def test_what_an_answer_offered_goes_before_the_terms():
    said = Agreed(None, None, None, None, None, notice_days=7, effect="unlearn")
    given = terms(train_gen=(30, "stop-new-runs"))
    assert condition(said, given, ["train-gen"]) == Revocation(notice_days=7, effect="unlearn")
    silent = msgspec.structs.replace(said, notice_days=None, effect=None)
    assert condition(silent, given, ["train-gen"]) == Revocation(notice_days=30, effect="stop-new-runs")


def test_a_document_that_cannot_be_is_not_drafted():
    fields: dict[str, Any] = {
        "registry": RegistryRef("licet.example", "ab" * 32),
        "licence": "lic_01m8fw89z4es5anmk2s7649n82",
        "account": LINE.account,
        "genesis": "00" * 32,
    }
    assert draft_revocation(**fields, works=[LINE.work]).works == [LINE.work]
    wrongs: list[dict[str, Any]] = [
        {"works": []},
        {"works": [LINE.work, LINE.work]},
        {"works": [LINE.work], "reason": "a\x00b"},
    ]
    for wrong in wrongs:
        with pytest.raises(InputError):
            draft_revocation(**fields, **wrong)
    revoked = draft_revocation(**fields, works=[LINE.work])
    done: dict[str, Any] = {"organisation": "org_01m8fw89z4es5anmk2s7649n82", "genesis": "00" * 32, "done_at": None}
    with pytest.raises(InputError, match="statement: expected what was done, got nothing"):
        draft_done(revoked, "00" * 32, statement=" ", **done)


@pytest.mark.parametrize(
    ("asked", "granted", "reason"),
    [
        ({}, {}, None),
        ({"uses": ["mine"]}, {}, "use"),
        ({"purpose": ["research"]}, {}, "use"),
        ({"model": "acme/candle@1"}, {}, "model"),
        ({"model": "acme/lantern@2"}, {}, "version"),
        ({"model": "acme/lantern@2"}, {"model_scope": "family"}, None),
        ({"model": "acme/candle@1"}, {"model_scope": "family"}, "model"),
        ({"model": None}, {}, None),
        ({}, {"territory": ["DE"]}, "territory"),
        ({"territory": ["DE"]}, {"territory": ["DE", "FR"]}, None),
        ({"territory": ["US"]}, {"territory": ["DE", "FR"]}, "territory"),
        ({"open_weights": True}, {"open_weights": False}, "conditions"),
        ({"at": "2027-01-01T00:00:00.000Z"}, {}, "ended"),
    ],
)
def test_what_a_licence_does_not_cover_has_a_reason(asked: dict[str, Any], granted: dict[str, Any], reason: str | None):
    use: dict[str, Any] = {
        "atoms": ["train-gen"],
        "purpose": ["commercial"],
        "territory": None,
        "model": "acme/lantern",
        "version": "1",
        "model_scope": "one-version",
        "open_weights": None,
        **granted,
    }
    held = Licence(
        registry=RegistryRef("licet.example", "ab" * 32),
        licence="lic_01m8fw89z4es5anmk2s7649n82",
        organisation="org_01m8fw89z4es5anmk2s7649n82",
        genesis="00" * 32,
        quote="00" * 32,
        use=Use(**use),
        dataset=None,
        run="1",
        count=0,
        root="00" * 32,
        terms=[],
        totals=[],
        budget=[],
        fee_bps=0,
        issued_at="2026-01-01T00:00:00.000Z",
        valid_until="2027-01-01T00:00:00.000Z",
        nonce="00" * 32,
    )
    declared: dict[str, Any] = {
        "uses": ["train-gen"],
        "purpose": ["commercial"],
        "model": "acme/lantern@1",
        "at": "2026-12-31T23:59:59.999Z",
        **asked,
    }
    request = Request(**{name: value for name, value in declared.items() if value is not None})
    assert outside(held, request) == reason
    assert covers(held, request) is (reason is None)
