"""What a monitor holds against the log: every checkpoint that it has seen, and the order of what was signed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from licet.audit.misconduct import Fork, SplitView, encode, verify_log_misconduct
from licet.audit.omission import verify_misconduct
from licet.audit.seen import SeenCheckpoints
from licet.catalogue.monitoring import Monitor
from licet.catalogue.remembering import Memory
from licet.catalogue.replays import Taken, replays
from licet.errors import VerificationError
from licet.statements import envelope as envelopes
from licet.statements.trust import verify_registry_keys
from licet.terms import preset
from tests.sdk.audit.test_whole_log import LOG_600, SIGNER, files, log_of
from tests.sdk.statements.world import Account, Registry, key

KEYS: Any = SimpleNamespace(log=SIGNER.verifier)


class Stage:
    """A monitor whose registry publishes ``published`` and has shown the notes of ``seen`` before."""

    def __init__(self, folder: Any, published: dict[str, bytes], seen: list[dict[str, bytes]]) -> None:
        self.asked: list[str] = []
        self.published = published
        profile = SimpleNamespace(folder=folder, account=None)
        client: Any = SimpleNamespace(need_account=lambda: profile, transport=SimpleNamespace(request=self.request))
        self.seen = SeenCheckpoints(folder / "checkpoints.jsonl")
        for each in seen:
            self.seen.add([each["checkpoint"].decode()], SIGNER.verifier)
        self.monitor = Monitor(client, self.seen)

    def request(self, _method: str, path: str) -> Any:
        name = path.removeprefix("/log/")
        self.asked.append(name)
        return SimpleNamespace(body=self.published[name])

    def look(self, memory: Memory) -> int:
        return self.monitor._checkpoint(KEYS, memory).size


FORKED = log_of(300, mark="1")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_receipt_of_another_tree_is_found_wherever_it_came_among_others(tmp_path, place):
    seen = [files(log_of(size)) for size in (7, 290)]
    seen.insert(place, files(FORKED))
    stage = Stage(tmp_path, LOG_600, seen)
    with pytest.raises(VerificationError, match="the first 300 entries are not those") as caught:
        stage.look(Memory())
    found = caught.value.details["misconduct"]
    assert isinstance(found, Fork)
    assert "does not begin with the 300" in verify_log_misconduct(found, SIGNER.verifier)


def test_two_roots_for_the_newest_size_are_shown(tmp_path):
    stage = Stage(tmp_path, LOG_600, [files(log_of(600, mark="1")), files(log_of(5))])
    with pytest.raises(VerificationError, match="two roots") as caught:
        stage.look(Memory())
    assert isinstance(caught.value.details["misconduct"], SplitView)


def test_what_was_held_to_the_log_once_is_not_held_again_but_what_is_new_is(tmp_path):
    memory = Memory()
    stage = Stage(tmp_path, files(log_of(300)), [files(log_of(size)) for size in range(1, 250, 3)])
    assert stage.look(memory) == 300
    first = len(stage.asked)
    assert len(set(stage.asked)) == first, "each tile is asked for once a look"
    assert stage.look(memory) == 300
    stage.published = LOG_600
    assert stage.look(memory) == 600
    assert memory.held == len(stage.seen.read(SIGNER.verifier))
    stage.seen.add([files(log_of(9, mark="1"))["checkpoint"].decode()], SIGNER.verifier)
    with pytest.raises(VerificationError, match="the first 9 entries"):
        stage.look(memory)
    with pytest.raises(VerificationError, match="the first 9 entries"):
        stage.look(memory)


# -- statements of the past -------------------------------------------------------------------------------------------

REGISTRY = Registry()
ARTIST = Account(REGISTRY, "Su Tang")
OFFER = envelopes.seal(ARTIST.consent(), ARTIST.key)
DENIAL = envelopes.seal(ARTIST.consent(preset("no-ai"), effect="tighten", seq=2, prev=OFFER.payload_digest), ARTIST.key)
AT = {name: REGISTRY.log.add(each) for name, each in (("offer", OFFER), ("denial", DENIAL), ("again", OFFER))}


def test_an_offer_that_the_log_takes_once_more_after_the_denial_is_told(tmp_path):
    served = {f"stm_{name}": REGISTRY.file(AT[name], ARTIST.genesis_index) for name in AT}
    account = SimpleNamespace(account=ARTIST.id, keyid=ARTIST.key.keyid)
    client: Any = SimpleNamespace(
        need_account=lambda: SimpleNamespace(folder=tmp_path, account=account),
        trust=lambda: REGISTRY.trust,
        statements=lambda: [SimpleNamespace(statement=name, log_index=1) for name in served],
        statement_file=lambda name: msgspec.json.encode(served[name]),
    )
    found, elsewhere = Monitor(client, SeenCheckpoints(tmp_path / "seen"))._strangers([])
    (told,) = found
    assert told.kind == "replayed"
    assert told.message.startswith(
        f"stm_again, log entry {AT['again']}: signed before stm_denial, log entry {AT['denial']}"
    )
    assert elsewhere == set(AT.values())
    shown = verify_misconduct(encode(told.evidence), verify_registry_keys(REGISTRY.trust, REGISTRY.keys()))
    assert f"behind consent 2 at entry {AT['denial']}" in shown.sentence


def test_consents_in_the_order_in_which_they_were_signed_are_no_replay():
    other = REGISTRY.log.evidence(REGISTRY.log.add(envelopes.seal(ARTIST.withdraw(), key("x"))))
    offer, denial = REGISTRY.log.evidence(AT["offer"]), REGISTRY.log.evidence(AT["denial"])
    taken = [Taken(9, "c", denial), Taken(3, "a", offer), Taken(3, "as it was kept", offer), Taken(12, "w", other)]
    assert list(replays(taken)) == []
    assert [(one.name, again.name) for one, again in replays([*taken, Taken(10, "twice", denial)])] == [("c", "twice")]
