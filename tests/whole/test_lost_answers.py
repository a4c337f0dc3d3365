"""An answer that gets lost is asked for again, and what was done is done once; what is meant anew is done anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from licet import Client, Request
from licet.errors import ConflictError, InputError, NotAllowedError
from licet.home import Home
from licet.statements.kinds import Use
from licet.wire.licensing import QuoteRequest
from licet.wire.works import MetadataChange
from tests.whole.stage import Forward, Line, Person, Service, line_to

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module")
def line(service: Service) -> Iterator[Line]:
    with line_to(service) as line:
        yield line


@pytest.fixture
def lossy(line: Line) -> Iterator[list[str]]:
    """What was asked by each write; the answer to the first of each is lost after it was done."""
    seen: list[str] = []

    def hook(method: str, path: str, forward: Forward) -> bytes | None:
        asked = f"{method} {path}"
        data = forward()
        if method == "GET":
            return data
        seen.append(asked)
        return None if seen.count(asked) == 1 else data

    line.hook = hook
    yield seen
    line.hook = lambda _method, _path, forward: forward()


def client_of(person: Person, line: Line) -> Client:
    home = Home(person.home)
    return Client(line.url, home.profile().token, home=home)


@pytest.fixture(scope="module")
def work(artist: Person) -> str:
    artist.draws("lost", 4711)
    (registered,) = artist.does("register", "lost")["works"]
    return str(registered["work"])


def test_a_change_and_its_way_back_and_forth_each_take_effect_once(
    artist: Person, line: Line, work: str, lossy: list[str]
) -> None:
    with client_of(artist, line) as client:
        before = client.work(work).revision
        for number, title in enumerate(("A", "B", "A"), 1):
            changed = client.change_work(work, MetadataChange(title=title))
            assert (changed.title, changed.revision) == (title, before + number)
            assert client.work(work).title == title
            lossy.clear()


def test_a_change_from_a_revision_is_made_once_and_refused_for_an_older_one(
    artist: Person, line: Line, work: str, lossy: list[str]
) -> None:
    with client_of(artist, line) as client:
        before = client.work(work).revision
        changed = client.change_work(work, MetadataChange(title="from here"), revision=before)
        assert changed.revision == before + 1
        assert len(lossy) == 2
        with pytest.raises(ConflictError, match=f"at revision {before + 1}") as caught:
            client.change_work(work, MetadataChange(title="too late"), revision=before)
        assert caught.value.status == 412
        assert client.work(work).title == "from here"


def test_a_token_ends_once_and_says_so_twice(artist: Person, line: Line, lossy: list[str]) -> None:
    with client_of(artist, line) as client:
        made = client.create_token(["query"])
        assert len(lossy) == 2
        assert len([each for each in client.tokens(active="true") if each.scopes == ["query"]]) == 1
        client.revoke_token(made.id)
        assert lossy.count(f"DELETE /v1/tokens/{made.id}") == 2
        assert not any(each.scopes == ["query"] for each in client.tokens(active="true"))


def test_an_offer_that_is_asked_for_twice_binds_nobody(trainer: Person, line: Line, lossy: list[str]) -> None:
    use = Use(["train-gen"], ["commercial"], None, "lantern/lantern", "1", "one-version", None)
    wanted = QuoteRequest(use, [], None, "1", [])
    with client_of(trainer, line) as client:
        try:
            offer = client.quote(wanted)
        except InputError:  # a service may refuse an offer of nothing
            assert lossy == ["POST /v1/quotes"] * 2
            return
        assert client.quoted(offer.quote) == offer
        assert len(list(client.quotes())) == 2
        assert client.balance().lines == []


def test_what_the_clients_read_is_what_the_service_says(artist: Person, service: Service, work: str) -> None:
    with Client(service.url, home=Home(artist.home)) as client:
        known = client.work(work)
        nobody = hashlib.sha256(b"nobody's").digest()
        request = Request(uses=["train-gen"], purpose=["commercial"], territory=["DE"], open_weights=False)
        assert client.lookup([bytes.fromhex(known.sha256 or ""), nobody], request.to_json()) == ["deny", "unknown"]
        with pytest.raises(InputError, match=r"digests\[0\]: expected the 32 bytes"):
            client.lookup([b"short"], request.to_json())
        assert [key.key_class for key in client.keys(active="true")] == ["root"]
        assert client.log_key().strip() == client.registry().log_vkey.strip()
        assert client.checkpoint().startswith(client.registry().origin)
        drafted = client.draft_statement([work], {atom: {"permission": "deny"} for atom in _ATOMS})
        assert drafted.text
        with pytest.raises(NotAllowedError):
            list(client.quotes())


_ATOMS = (
    "search", "index", "mine", "train-nongen", "train-gen", "finetune-style", "input", "generate", "evaluate",
    "redistribute",
)  # fmt: skip
