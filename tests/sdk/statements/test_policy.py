"""A statement file under a trust policy: what its log and witnesses vouch for, and what they do not."""

from __future__ import annotations

import msgspec
import pytest

from licet.errors import VerificationError
from licet.log import cosignature, note, policy, witnessing
from licet.log import proof as proofs
from licet.statements import envelope as envelopes
from licet.statements.statement_file import verify_statement_file
from licet.wire.common import StatementFile
from tests.sdk.statements.world import Account, Registry

REGISTRY = Registry()
OTHER = Registry("two")
ARTIST = Account(REGISTRY, "Su Tang")
AT = REGISTRY.log.add(envelopes.seal(ARTIST.consent(), ARTIST.key))
PLAIN = REGISTRY.file(AT, ARTIST.genesis_index)
WITNESSES = [
    cosignature.Signer("w1.example", cosignature.ED25519_COSIGNATURE, b"\x21" * 32),
    cosignature.Signer("w2.example", cosignature.MLDSA44, b"\x22" * 32),
]
LOG = f"log {REGISTRY.log.signer.verifier.vkey}\n"
NAMED = "".join(f"witness {name} {each.verifier.vkey}\n" for name, each in zip("ab", WITNESSES, strict=True))


def cosigned(file: StatementFile, *signers: cosignature.Signer, keys: bool = True) -> StatementFile:
    """Return the file with every proof's checkpoint cosigned, of ``keys`` too."""

    def proof(text: str) -> str:
        parsed = proofs.parse(text)
        lines = [each.sign(note.parse(parsed.checkpoint).text) for each in signers]
        checkpoint = witnessing.with_cosignatures(parsed.checkpoint, lines)
        return proofs.encode(msgspec.structs.replace(parsed, checkpoint=checkpoint))

    of_keys = [msgspec.structs.replace(each, proof=proof(each.proof)) for each in file.keys] if keys else file.keys
    return msgspec.structs.replace(file, proof=proof(file.proof), keys=of_keys)


def test_a_quorum_vouches_for_what_an_account_signed() -> None:
    rules = policy.parse(f"{LOG}{NAMED}group both all a b\nquorum both\n")
    file = cosigned(PLAIN, *WITNESSES)
    verified = verify_statement_file(file, None, rules)
    assert (verified.verified, verified.anchored, verified.logged_under) == (True, False, True)
    assert "in the log that the policy names, cosigned by a, b: quorum both" in verified.checks
    assert any(check.startswith("self-consistent, not anchored: no root is pinned") for check in verified.checks)
    pinned = verify_statement_file(file, REGISTRY.trust, rules)
    assert (pinned.verified, pinned.anchored) == (True, True)


def test_what_the_registry_signed_needs_its_root_too() -> None:
    at = REGISTRY.key_indices[1]
    file = REGISTRY.file(at)
    rules = policy.parse(f"{LOG}quorum none\n")
    verified = verify_statement_file(file, None, rules)
    assert (verified.verified, verified.logged_under) == (False, True)
    assert verify_statement_file(file, REGISTRY.trust, rules).verified


@pytest.mark.parametrize("signers", [[], WITNESSES[:1], WITNESSES[1:]])
def test_a_quorum_that_is_not_met_refuses_the_file(signers: list[cosignature.Signer]) -> None:
    rules = policy.parse(f"{LOG}{NAMED}group both all a b\nquorum both\n")
    with pytest.raises(VerificationError, match="quorum both is not met"):
        verify_statement_file(cosigned(PLAIN, *signers), REGISTRY.trust, rules)


def test_the_keys_in_a_file_are_held_to_the_quorum_as_well() -> None:
    rules = policy.parse(f"{LOG}{NAMED}quorum a\n")
    with pytest.raises(VerificationError, match="quorum a is not met"):
        verify_statement_file(cosigned(PLAIN, WITNESSES[0], keys=False), REGISTRY.trust, rules)


def test_another_log_than_the_policys_is_refused() -> None:
    rules = policy.parse(f"log {OTHER.log.signer.verifier.vkey}\nquorum none\n")
    with pytest.raises(VerificationError, match="names the log key"):
        verify_statement_file(PLAIN, None, rules)


def test_a_policy_without_logs_needs_a_pinned_registry() -> None:
    rules = policy.parse(f"{NAMED}quorum a\n")
    file = cosigned(PLAIN, WITNESSES[0])
    verified = verify_statement_file(file, REGISTRY.trust, rules)
    assert "in the log of the pinned registry, cosigned by a: quorum a" in verified.checks
    with pytest.raises(VerificationError, match="a policy that names a log, or a pinned registry"):
        verify_statement_file(file, None, rules)


def test_cosignatures_of_strangers_do_not_spoil_a_file_but_other_lines_do() -> None:
    assert verify_statement_file(cosigned(PLAIN, *WITNESSES), REGISTRY.trust).verified
    parsed = proofs.parse(PLAIN.proof)
    signed = note.parse(parsed.checkpoint)
    own = signed.signatures[0]
    for stranger in (
        note.Signature("w.example", b"abcd", bytes(64)),  # not the size of a cosignature
        note.Signature(own.name, b"abcd", bytes(72)),  # in the log's own name
    ):
        text = note.serialise(note.Note(signed.text, (own, stranger)))
        proof = proofs.encode(msgspec.structs.replace(parsed, checkpoint=text))
        with pytest.raises(VerificationError, match="unknown key"):
            verify_statement_file(msgspec.structs.replace(PLAIN, proof=proof), REGISTRY.trust)


def test_a_false_line_of_a_witness_that_the_policy_names_refuses_the_file() -> None:
    rules = policy.parse(f"{LOG}{NAMED}quorum b\n")
    file = cosigned(PLAIN, *WITNESSES)
    parsed = proofs.parse(file.proof)
    signed = note.parse(parsed.checkpoint)
    own, first, second = signed.signatures
    false = msgspec.structs.replace(first, value=first.value[:-1] + bytes([first.value[-1] ^ 1]))
    text = note.serialise(note.Note(signed.text, (own, false, second)))
    lying = msgspec.structs.replace(file, proof=proofs.encode(msgspec.structs.replace(parsed, checkpoint=text)))
    with pytest.raises(VerificationError, match=r"w1\.example does not hold"):
        verify_statement_file(lying, REGISTRY.trust, rules)
