"""Trust policies: the rules of tlog-policy one by one, and what satisfies them."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.errors import LicetError, MalformedError, VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import cosignature, note, policy
from licet.log.checkpoint import Checkpoint

ORIGIN = "registry.example/log"
LOG = note.Signer(ORIGIN, b"\x01" * 32)
OTHER_LOG = note.Signer("other.example/log", b"\x0f" * 32)
WITNESSES = [
    cosignature.Signer(f"w{at}.example", cosignature.ED25519_COSIGNATURE, bytes([at]) * 32, lambda: 1_700_000_000)
    for at in range(2, 7)
] + [cosignature.Signer("w7.example", cosignature.MLDSA44, b"\x07" * 32, lambda: 1_700_000_000)]
W = [each.verifier.vkey for each in WITNESSES]
STATED = Checkpoint(ORIGIN, 3, b"\x05" * 32)

# The example of tlog-policy ("Example policy"), with keys and addresses.
EXAMPLE = f"""\
# two levels of groups
log {LOG.verifier.vkey} https://registry.example/log

witness X1 {W[0]} https://x1.example
witness X2 {W[1]}
witness\tX3 \t{W[2]}
group X-witnesses 2 X1 X2 X3

  witness Y1 {W[3]}
witness Y2 {W[4]}
witness Y3 {W[5]}
\t# the octets of a name are opaque
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def signed(*names: str) -> str:
    order = {"X1": 0, "X2": 1, "X3": 2, "Y1": 3, "Y2": 4, "Y3": 5}
    return checkpoints.sign(STATED, LOG, *(WITNESSES[order[name]] for name in names))


def test_the_example_is_satisfied_by_two_of_one_side_and_one_of_the_other() -> None:
    rule = policy.parse(EXAMPLE.encode())
    assert (rule.logs[0].url, rule.witnesses["X1"].url, rule.witnesses["X2"].url) == (
        "https://registry.example/log",
        "https://x1.example",
        None,
    )
    names = ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    for count in range(len(names) + 1):
        for chosen in itertools.combinations(names, count):
            enough = sum(name[0] == "X" for name in chosen) >= 2 and any(name[0] == "Y" for name in chosen)
            assert rule.quorum_of(chosen) == enough, chosen
    for chosen in (("X1", "X3", "Y3"), ("X1", "X2", "X3", "Y1", "Y2", "Y3")):
        judged = rule.check(signed(*chosen))
        assert (judged.checkpoint, judged.log.vkey, judged.witnesses) == (STATED, LOG.verifier.vkey, chosen)
        assert rule.satisfied_by(signed(*chosen))
    for chosen in ((), ("X1", "X2"), ("X1", "Y1", "Y2", "Y3")):
        with pytest.raises(VerificationError, match="quorum X-and-Y is not met"):
            rule.check(signed(*chosen))
        assert not rule.satisfied_by(signed(*chosen))


@given(st.data())
def test_a_group_counts_members_as_the_rule_says(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 6))
    threshold = data.draw(st.sampled_from(["any", "all", *map(str, range(1, size + 1))]))
    present = data.draw(st.sets(st.integers(0, size - 1)))
    text = "".join(f"witness n{at} {W[at]}\n" for at in range(size))
    text += f"group g {threshold} {' '.join(f'n{at}' for at in range(size))}\nquorum g\n"
    needed = {"any": 1, "all": size}.get(threshold) or int(threshold)
    assert policy.parse(text).quorum_of({f"n{at}" for at in present}) == (len(present) >= needed)


def test_a_quorum_of_none_needs_the_log_alone() -> None:
    rule = policy.parse(f"log {LOG.verifier.vkey}\nquorum none\n")
    assert rule.check(signed()).witnesses == ()
    with pytest.raises(VerificationError, match="of a log of the policy"):
        rule.check(checkpoints.sign(Checkpoint("other.example/log", 3, bytes(32)), OTHER_LOG))
    with pytest.raises(VerificationError):  # the origin of the log under another's key
        rule.check(note.sign(checkpoints.encode(STATED), OTHER_LOG))


def test_a_policy_without_logs_needs_to_be_told_which() -> None:
    rule = policy.parse(f"witness w {W[0]}\nquorum w\n")
    text = checkpoints.sign(STATED, LOG, WITNESSES[0])
    assert rule.check(text, log=LOG.verifier).witnesses == ("w",)
    with pytest.raises(VerificationError, match="of a log of the policy"):
        rule.check(text)
    with pytest.raises(VerificationError, match="of a log of the policy"):
        rule.check(text, log=OTHER_LOG.verifier)


def test_a_policy_of_other_logs_does_not_speak_for_this_one() -> None:
    rule = policy.parse(f"log {OTHER_LOG.verifier.vkey}\nquorum none\n")
    with pytest.raises(VerificationError, match="names the log key"):
        rule.check(signed(), log=LOG.verifier)


def test_a_false_line_of_a_known_witness_refuses_the_whole() -> None:
    rule = policy.parse(f"log {LOG.verifier.vkey}\nwitness a {W[0]}\nwitness b {W[1]}\nquorum b\n")
    other = checkpoints.encode(Checkpoint(ORIGIN, 4, bytes(32)))
    text = checkpoints.encode(STATED)
    lying = note.serialise(note.Note(text, (LOG.sign(text), WITNESSES[0].sign(other), WITNESSES[1].sign(text))))
    with pytest.raises(VerificationError, match=r"w2\.example does not hold"):
        rule.check(lying)


def test_witnesses_alone_do_not_make_a_checkpoint() -> None:
    rule = policy.parse(f"log {LOG.verifier.vkey}\nwitness a {W[0]}\nquorum a\n")
    with pytest.raises(VerificationError, match="expected a signature by the log"):
        rule.check(note.sign(checkpoints.encode(STATED), WITNESSES[0]))


def test_an_mldsa44_log_is_a_log() -> None:
    log = cosignature.Signer(ORIGIN, cosignature.MLDSA44, b"\x01" * 32, lambda: 1)
    rule = policy.parse(f"log {log.verifier.vkey}\nquorum none\n")
    assert rule.check(checkpoints.sign(STATED, log)).log.vkey == log.verifier.vkey


def test_names_are_octets() -> None:
    kelvin = "\u212a".encode()  # the Kelvin sign, which some normalisations turn into a K
    data = b"witness K " + W[0].encode() + b"\nwitness " + kelvin + b" " + W[1].encode()
    data += b"\nwitness \xff\xfe " + W[2].encode() + b"\ngroup g 2 K \xff\xfe\nquorum g\n"
    rule = policy.parse(data)
    assert len(rule.witnesses) == 3
    assert rule.quorum_of(list(rule.witnesses)[::2])
    assert not rule.quorum_of(list(rule.witnesses)[:2])


def test_thirty_two_of_each_fit() -> None:
    """What tlog-policy strongly recommends ("Implementation limits")."""
    signers = [note.Signer(f"l{at}", bytes([at]) * 32).verifier.vkey for at in range(1, 33)]
    keys = [cosignature.Signer(f"v{at}", 4, bytes([at]) * 32).verifier.vkey for at in range(33, 65)]
    text = "".join(f"log {key}\n" for key in signers) + "".join(f"witness {at} {key}\n" for at, key in enumerate(keys))
    text += "".join(f"group g{at} any {at}\n" for at in range(31))
    text += f"group all all {' '.join(f'g{at}' for at in range(31))} 31\nquorum all\n"
    rule = policy.parse(text)
    assert (len(rule.logs), len(rule.witnesses), len(rule.groups)) == (32, 32, 32)
    assert rule.quorum_of([str(at) for at in range(32)])
    assert not rule.quorum_of([str(at) for at in range(31)])


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("", None, "a quorum line, got none"),
        (f"witness a {W[0]}\n", None, "a quorum line, got none"),
        ("quorum none", 1, "a newline at its end"),
        ("quorum none\nquorum none\n", 2, "one quorum line"),
        ("quorum a\n", 1, "defined on a line before, got 'a'"),
        (f"quorum a\nwitness a {W[0]}\n", 1, "defined on a line before"),
        ("quorum\n", 1, "expected 'quorum NAME|none'"),
        ("quorum none # why\n", 1, "expected 'quorum NAME|none'"),
        ("Quorum none\n", 1, "log, witness, group or quorum, got 'Quorum'"),
        ("quorum none\r\n", 1, "no control characters"),
        ("quorum\u00a0none\n", 1, "log, witness, group or quorum"),
        ("\0\nquorum none\n", 1, "no control characters"),
        ("log\n", 1, "expected 'log VKEY"),
        (f"log {LOG.verifier.vkey} u v\n", 1, "expected 'log VKEY"),
        ("log x\n", 1, "verifier key"),
        (f"log {LOG.verifier.vkey}\nlog {LOG.verifier.vkey}\n", 2, "each log's key once"),
        (f"log {LOG.verifier.vkey}\nlog {note.Signer('b', bytes([1]) * 32).verifier.vkey}\n", 2, "each log's key once"),
        (f"witness a {LOG.verifier.vkey}\n", 1, "type 0x04 or 0x06, got type 0x01"),
        (f"witness none {W[0]}\n", 1, "a new name, got 'none'"),
        (f"witness a {W[0]}\nwitness a {W[1]}\n", 2, "a new name, got 'a'"),
        (f"witness a {W[0]}\nwitness b {W[0]}\n", 2, "each witness's key once"),
        (f"witness a\n{W[0]}\n", 1, "expected 'witness NAME VKEY"),
        (f"witness a {W[0]}\ngroup a any a\n", 2, "a new name, got 'a'"),
        (f"witness a {W[0]}\ngroup g any\n", 2, "expected 'group NAME"),
        (f"witness a {W[0]}\ngroup g any b\n", 2, "defined on a line before, got 'b'"),
        (f"witness a {W[0]}\ngroup g any g\n", 2, "defined on a line before, got 'g'"),
        (f"witness a {W[0]}\ngroup g any none\n", 2, "defined on a line before, got 'none'"),
        (f"witness a {W[0]}\ngroup g any a a\n", 2, "in one group, once"),
        (f"witness a {W[0]}\ngroup g any a\ngroup h any a\n", 3, "in one group, once"),
        (f"witness a {W[0]}\ngroup g 0 a\n", 2, "any, all or a number from 1 to 1"),
        (f"witness a {W[0]}\ngroup g 2 a\n", 2, "any, all or a number from 1 to 1"),
        (f"witness a {W[0]}\ngroup g -1 a\n", 2, "any, all or a number from 1 to 1"),
        (f"witness a {W[0]}\ngroup g 01 a\n", 2, "any, all or a number from 1 to 1"),
        (f"witness a {W[0]}\ngroup g ١ a\n", 2, "any, all or a number from 1 to 1"),
        (f"witness a {W[0]}\ngroup g most a\n", 2, "any, all or a number from 1 to 1"),
        ("policy none\n", 1, "log, witness, group or quorum, got 'policy'"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_with_its_line(text: str, line: int | None, why: str) -> None:
    with pytest.raises(MalformedError) as refused:
        policy.parse(text)
    assert why in refused.value.message
    if line is not None:
        assert refused.value.message.startswith(f"policy line {line}: ")


def test_too_much_is_refused() -> None:
    with pytest.raises(MalformedError, match="at most 1048576 bytes"):
        policy.parse(b"#" * (policy.MAX_BYTES + 1))
    members = "".join(f"group g{at} any {f'g{at - 1}' if at else 'a'}\n" for at in range(policy.MAX_GROUPS + 1))
    with pytest.raises(MalformedError, match=f"at most {policy.MAX_GROUPS} groups"):
        policy.parse(f"witness a {W[0]}\n{members}quorum a\n")


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(["log", "witness", "group", "quorum", "any", "all", "1", "none", "a", "b", W[0], W[1], "#"])
        | st.text(max_size=5)
    ).map(" ".join)
    | st.binary(max_size=60)
)
def test_no_bytes_make_the_reader_do_anything_but_refuse(data: str | bytes) -> None:
    if isinstance(data, str):
        with contextlib.suppress(MalformedError):
            policy.parse(data.replace(" ", "\n") + "\ud900\n")
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    try:
        policy.parse(raw.replace(b" ", b"\n", raw.count(b" ") // 2) + b"\n")
    except LicetError:
        return


def test_what_is_no_checkpoint_satisfies_nothing() -> None:
    rule = policy.parse(f"log {LOG.verifier.vkey}\nquorum none\n")
    assert not rule.satisfied_by(b"")
    assert not rule.satisfied_by("text\n\n— a QUFBQUE=\n")
