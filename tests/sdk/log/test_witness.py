"""A witness: every answer of tlog-witness, and never a cosignature of two trees that do not fit together."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from licet.errors import InputError
from licet.log import checkpoint as checkpoints
from licet.log import cosignature, merkle, note, witnessing
from licet.log.checkpoint import Checkpoint
from licet.log.witness import Answer, Store, Witness, origin_hash
from tests.sdk.log.witnessed import FORKS_AT, LENGTH, WatchedLog

LOG = WatchedLog("registry.example/log", 1)
OTHER = WatchedLog("other.example/log", 2)
STRANGER = WatchedLog("stranger.example/log", 3)
SIGNERS = [
    cosignature.Signer("witness.example", cosignature.ED25519_COSIGNATURE, b"\x08" * 32),
    cosignature.Signer("witness.example", cosignature.MLDSA44, b"\x09" * 32),
]
KEYS = [each.verifier for each in SIGNERS]


OPENED: list[Store] = []


@pytest.fixture(autouse=True)
def closed_again() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def opened(folder: Path) -> Store:
    OPENED.append(Store(folder))
    return OPENED[-1]


def witness_in(folder: Path) -> Witness:
    return Witness(SIGNERS, [LOG.signer.verifier, OTHER.signer.verifier], opened(folder))


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return witness_in(tmp_path / "cosigned")


def cosigned(answer: Answer, text: str) -> None:
    """Assert that ``answer`` holds one line of each key, over ``text``."""
    assert answer.status == 200, answer.body
    read = witnessing.read_answer(200, answer.content_type, answer.body, KEYS, text)
    assert isinstance(read, witnessing.Cosigned)
    assert [line.key_id for line in read.lines] == [key.key_id for key in KEYS]


def test_a_log_that_grows_is_cosigned_step_by_step(witness: Witness) -> None:
    size = 0
    for new in (0, 1, 1, 2, 7, 8, 33, 33, LENGTH):
        cosigned(witness.add_checkpoint(LOG.request(size, new)), LOG.checkpoint(new))
        size = new
        served = witness.checkpoint(origin_hash(LOG.origin))
        shown = checkpoints.open(served.body, LOG.signer.verifier, witnesses=tuple(KEYS), closed=True)
        assert (served.status, shown) == (200, Checkpoint(LOG.origin, new, LOG.root(new)))


def test_a_first_checkpoint_of_any_size_is_taken(witness: Witness) -> None:
    cosigned(witness.add_checkpoint(LOG.request(0, 21)), LOG.checkpoint(21))


def test_another_size_is_told(witness: Witness) -> None:
    witness.add_checkpoint(LOG.request(0, 21))
    for old, new in ((0, 30), (20, 30), (22, 30), (0, 0), (0, 21)):
        answer = witness.add_checkpoint(LOG.request(old, new))
        assert (answer.status, answer.content_type, answer.body) == (409, "text/x.tlog.size", b"21\n")
    assert witness.add_checkpoint(OTHER.request(3, 4)).body == b"0\n"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"", 400, id="nothing"),
        pytest.param(b"old x\n\n", 400, id="no size"),
        pytest.param(LOG.request(20, 30).replace(b"old 20\n", b"old 31\n"), 400, id="old size above the new one"),
        pytest.param(LOG.request(20, 30)[:-10], 400, id="cut off"),
        pytest.param(STRANGER.request(0, 5), 404, id="unknown log"),
        pytest.param(LOG.request(20, 30).replace(b"\xe2\x80\x94 reg", b"\xe2\x80\x94 beg"), 403, id="no known line"),
        pytest.param(LOG.request(20, 30)[:-8] + b"AAAAAA=\n", 403, id="a false line"),
        pytest.param(LOG.request(20, 30).replace(b"\n30\n", b"\n31\n"), 403, id="another text"),
        pytest.param(witnessing.request_body(20, LOG.proof(20, 31), LOG.checkpoint(30)), 422, id="a proof of another"),
        pytest.param(witnessing.request_body(20, [], LOG.checkpoint(30)), 422, id="no proof"),
        pytest.param(
            witnessing.request_body(20, [*LOG.proof(20, 30), bytes(32)], LOG.checkpoint(30)), 422, id="one hash more"
        ),
        pytest.param(LOG.request(20, 30, 1), 422, id="a fork"),
        pytest.param(LOG.request(20, 20, 1), 422, id="another tree of the same size"),
        pytest.param(f"old 20\n\n{LOG.checkpoint(19)}".encode(), 400, id="going back"),
    ],
)
def test_what_is_wrong_is_refused_and_changes_nothing(witness: Witness, body: bytes, status: int) -> None:
    witness.add_checkpoint(LOG.request(0, 20))
    answer = witness.add_checkpoint(body)
    assert answer.status == status, answer.body
    assert "—".encode() not in answer.body
    known = witness.known(LOG.origin)
    assert known is not None
    assert known.checkpoint == Checkpoint(LOG.origin, 20, LOG.root(20))


def test_a_checkpoint_that_leaves_no_room_for_a_cosignature_is_refused(witness: Witness) -> None:
    own = note.parse(LOG.checkpoint(20))
    for copies, status in ((98, 200), (99, 400), (100, 400)):
        text = note.serialise(note.Note(own.text, own.signatures * copies))
        size = 20 if status == 400 else 0
        assert witness.add_checkpoint(f"old {size}\n\n{text}".encode()).status == status


def test_the_empty_tree_has_one_root_and_needs_no_proof(witness: Witness) -> None:
    lie = checkpoints.sign(Checkpoint(LOG.origin, 0, bytes(32)), LOG.signer)
    assert witness.add_checkpoint(f"old 0\n\n{lie}".encode()).status == 422
    assert witness.add_checkpoint(b"old 0\n" + b"A" * 43 + b"=\n\n" + LOG.checkpoint(5).encode()).status == 422
    cosigned(witness.add_checkpoint(LOG.request(0, 0)), LOG.checkpoint(0))


def test_logs_do_not_touch_each_other(witness: Witness) -> None:
    witness.add_checkpoint(LOG.request(0, 20))
    cosigned(witness.add_checkpoint(OTHER.request(0, 5)), OTHER.checkpoint(5))
    foreign = note.sign(checkpoints.encode(Checkpoint(LOG.origin, 21, LOG.root(21))), OTHER.signer)
    assert witness.add_checkpoint(f"old 20\n\n{foreign}".encode()).status == 403


def test_a_log_with_two_keys_is_one_log(tmp_path: Path) -> None:
    newer = note.Signer(LOG.origin, b"\x55" * 32)
    witness = Witness(SIGNERS, [LOG.signer.verifier, newer.verifier], opened(tmp_path))
    cosigned(witness.add_checkpoint(LOG.request(0, 5)), LOG.checkpoint(5))
    text = checkpoints.sign(Checkpoint(LOG.origin, 9, LOG.root(9)), newer)
    cosigned(witness.add_checkpoint(witnessing.request_body(5, LOG.proof(5, 9), text)), text)


def test_other_peoples_lines_and_extensions_are_taken_along_but_not_kept(witness: Witness) -> None:
    text = f"{LOG.origin}\n3\n{checkpoints.encode(Checkpoint(LOG.origin, 3, LOG.root(3))).split()[2]}\nextension\n"
    stranger = cosignature.Signer("stranger.example", 4, b"\x0c" * 32)
    signed = note.sign(text, LOG.signer, stranger)
    cosigned(witness.add_checkpoint(f"old 0\n\n{signed}".encode()), signed)
    kept = note.parse(witness.checkpoint(origin_hash(LOG.origin)).body)
    assert kept.text == text
    assert [line.name for line in kept.signatures] == [LOG.origin, "witness.example", "witness.example"]


def test_what_was_cosigned_is_known_after_a_restart(tmp_path: Path) -> None:
    first = opened(tmp_path)
    Witness(SIGNERS, [LOG.signer.verifier], first).add_checkpoint(LOG.request(0, 20))
    with pytest.raises(InputError, match="another witness"):
        Store(tmp_path)
    first.close()
    again = witness_in(tmp_path)
    assert again.add_checkpoint(LOG.request(0, 30)).body == b"20\n"
    assert again.add_checkpoint(LOG.request(20, 30, 1)).status == 422
    cosigned(again.add_checkpoint(LOG.request(20, 30)), LOG.checkpoint(30))


@pytest.mark.parametrize("damage", ["", "text\n", "\udcff", "cut", "another log's", "not cosigned here"])
def test_a_damaged_memory_is_not_taken_for_an_empty_one(tmp_path: Path, damage: str) -> None:
    store = opened(tmp_path)
    Witness(SIGNERS, [LOG.signer.verifier], store).add_checkpoint(LOG.request(0, 20))
    path = store.path(LOG.origin)
    store.close()
    whole = path.read_text()
    other = {
        "cut": whole[:-200],
        "another log's": OTHER.checkpoint(3, 0, *SIGNERS),
        "not cosigned here": LOG.checkpoint(3),
    }.get(damage, damage)
    path.write_text(other, errors="surrogateescape")
    with pytest.raises(InputError, match="cosigned"):
        witness_in(tmp_path)


def test_nothing_to_watch_and_nobody_to_cosign_is_refused(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with pytest.raises(InputError):
        Witness(SIGNERS, [], store)
    with pytest.raises(InputError):
        Witness([], [LOG.signer.verifier], store)
    with pytest.raises(InputError, match="expected a folder"):
        Store(tmp_path / "lock")


def test_a_disk_that_refuses_leaves_what_was_known(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    witness.add_checkpoint(LOG.request(0, 20))

    def full(self: Store, origin: str, text: str) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "keep", full)
        with pytest.raises(OSError, match="No space"):
            witness.add_checkpoint(LOG.request(20, 30))
    cosigned(witness.add_checkpoint(LOG.request(20, 25)), LOG.checkpoint(25))


def test_of_requests_at_once_from_one_size_one_is_cosigned(tmp_path: Path) -> None:
    """The race of tlog-witness ("add-checkpoint", last paragraph), of honest and forked growth together."""
    witness = witness_in(tmp_path)
    size = 5
    witness.add_checkpoint(LOG.request(0, size))
    for _ in range(4):
        wanted = [LOG.request(size, new, version) for new in range(size + 1, size + 9) for version in (0, 1)]
        answers: list[Answer] = []
        start = threading.Barrier(len(wanted))

        def ask(body: bytes, start: threading.Barrier = start, answers: list[Answer] = answers) -> None:
            start.wait()
            answers.append(witness.add_checkpoint(body))

        threads = [threading.Thread(target=ask, args=(body,)) for body in wanted]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        known = witness.known(LOG.origin)
        assert known is not None
        assert sorted(answer.status for answer in answers).count(200) == 1
        assert {answer.status for answer in answers} <= {200, 409, 422}
        if known.checkpoint.size > FORKS_AT:
            return
        size = known.checkpoint.size


class Machine(RuleBasedStateMachine):
    """Any requests in any order, with restarts: the statuses are the model's, and all that was cosigned fits."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="witness-"))
        self.witness = witness_in(self.folder)
        self.known: dict[str, tuple[int, bytes]] = {}
        self.let_out: list[Checkpoint] = []

    @rule(
        log=st.sampled_from([LOG, OTHER, STRANGER]),
        old=st.integers(0, LENGTH) | st.none(),
        size=st.integers(0, LENGTH),
        version=st.integers(0, 1),
        spoiled=st.sampled_from(["", "", "", "proof", "signature"]),
    )
    def ask(self, log: WatchedLog, old: int | None, size: int, version: int, spoiled: str) -> None:
        size_known, root_known = self.known.get(log.origin, (0, b""))
        base = size_known if old is None else old
        if base > size:
            body = f"old {base}\n\n{log.checkpoint(size, version)}".encode()
        elif spoiled == "proof" and 0 < base < size:
            body = witnessing.request_body(base, [bytes(32)] * 3, log.checkpoint(size, version))
        else:
            body = log.request(base, size, version)
        if spoiled == "signature":
            body = body[:-9] + (b"AAAAAAA=\n" if body[-9:] != b"AAAAAAA=\n" else b"BAAAAAA=\n")
        answer = self.witness.add_checkpoint(body)
        fits = base == 0 or log.root(base, version) == root_known
        if log is STRANGER:
            expected = 404
        elif spoiled == "signature":
            expected = 403
        elif base > size:
            expected = 400
        elif base != size_known:
            expected = 409
        elif not fits or (spoiled == "proof" and 0 < base < size):
            expected = 422
        else:
            expected = 200
        assert answer.status == expected or (spoiled == "signature" and answer.status == 400)
        if answer.status == 200:
            cosigned(answer, log.checkpoint(size, version))
            self.known[log.origin] = (size, log.root(size, version))
            self.let_out.append(Checkpoint(log.origin, size, log.root(size, version)))
        if answer.status == 409:
            assert answer.body == f"{size_known}\n".encode()

    @precondition(lambda self: self.let_out)
    @rule()
    def restart(self) -> None:
        self.witness._store.close()
        self.witness = witness_in(self.folder)

    @invariant()
    def all_that_was_cosigned_is_of_one_tree(self) -> None:
        if not hasattr(self, "let_out"):
            return
        for log in (LOG, OTHER):
            mine = [each for each in self.let_out if each.origin == log.origin]
            assert [each.size for each in mine] == sorted(each.size for each in mine)
            assert any(all(each.root == merkle.root(leaves[: each.size]) for each in mine) for leaves in log.trees), (
                "two trees were cosigned"
            )

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.witness._store.close()
            shutil.rmtree(self.folder)


TestAnyOrder = Machine.TestCase
TestAnyOrder.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
