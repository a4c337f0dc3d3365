"""Statement files: one signed statement with everything that proves it, checked offline against a pinned root.

Checked, in this order: the registry's keys under its root, the place in the log, the signer's key history, the
signatures by the keys that the kind asks for and that were live at that place, and what the payload says of itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol, get_args

import msgspec

from licet.errors import MalformedError, VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import note
from licet.log import proof as proofs
from licet.log.entry import REGISTRY_KEY_KINDS
from licet.log.policy import Policy, printable
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.authority import hold_to
from licet.statements.consent import consent_terms
from licet.statements.envelope import Envelope
from licet.statements.evidence import Evidence, Logged, verify_logged
from licet.statements.history import KeyHistory
from licet.statements.keyring import KEY_KINDS
from licet.statements.keys import KeySet
from licet.statements.kinds.disputes import OF_OFFICE
from licet.statements.recomputed import Standing, hold_to_effect
from licet.statements.trust import Purpose, RegistryKeys, Trust, verify_registry_keys

SCHEMAS: Final[dict[str, Any]] = {schema.__struct_config__.tag: schema for schema in get_args(kinds.Payload)}
_BY_REGISTRY: Final[dict[str, Purpose]] = {
    "claim": "office",
    "consent-mature": "office",
    "erase": "office",
    "period-close": "office",
    "snapshot": "snapshot",
}

BY_REGISTRY_TOO: Final = frozenset({*_BY_REGISTRY, "licence", "audit-finding", "dispute-step", *REGISTRY_KEY_KINDS})


class StatementFileLike(Evidence, Protocol):
    """A statement with its evidence and the keys behind it (``licet.wire.common.StatementFile``)."""

    @property
    def keys(self) -> Sequence[Evidence]: ...


class VerifiedStatement(msgspec.Struct, frozen=True):
    """A statement all of whose proofs hold. ``anchored``: under a pinned root, not only consistent in itself.

    ``logged_under``: the log that a policy names has it, with the policy's cosignatures. For a statement by an account
    alone that is as good: its keys are proven by that log. What the registry signed needs the root.
    """

    kind: str
    payload: Any  # the Struct of this kind, of ``licet.statements.kinds``
    log_index: int
    logged_at: str
    anchored: bool
    checks: list[str]  # what was checked, a sentence each
    logged_under: bool = False
    #: Of a consent, whether its effect was recomputed: only the account's first one says by itself what was before it.
    effect_recomputed: bool | None = None

    @property
    def verified(self) -> bool:
        """Whether something from outside of the file vouches for all that the statement says."""
        return self.anchored or (self.logged_under and self.kind not in BY_REGISTRY_TOO)


def verify_statement_file(
    file: StatementFileLike, trust: Trust | None, rules: Policy | None = None
) -> VerifiedStatement:
    """Return what ``file`` proves under ``trust``; without it, that the file is consistent in itself.

    With ``rules``, a C2SP trust policy, every checkpoint in the file must satisfy it, and the log key is the one that
    the policy names; a policy that names no log needs ``trust``, which does. Raises ``MalformedError`` for what does
    not parse and ``VerificationError``, with the reason, for every lie.
    """
    kind = file.envelope.kind
    if kind not in SCHEMAS:
        raise MalformedError(f"payloadType: expected one of {', '.join(sorted(SCHEMAS))}, got {kind!r:.80}")
    of_registry = [each for each in file.keys if each.envelope.kind in REGISTRY_KEY_KINDS]
    of_account = [each for each in file.keys if each.envelope.kind in KEY_KINDS]
    if list(file.keys) != of_registry + of_account:
        raise MalformedError("keys: expected the registry's keys, then the signer's, got another order or kind")
    if kind in REGISTRY_KEY_KINDS and not _holds(of_registry, file.envelope):
        of_registry.append(file)
    registry = verify_registry_keys(trust, of_registry)
    logged = verify_logged(file, registry.log)
    payload = envelopes.read_as(SCHEMAS[kind], file.envelope)
    if payload.registry != registry.ref:
        raise VerificationError(
            f"expected a statement for the registry {registry.ref.origin} ({registry.ref.key}), "
            f"got one for {payload.registry.origin} ({payload.registry.key})"
        )
    checks = [_registry_check(registry), f"entry {logged.index} of {logged.size} in the log {registry.ref.origin}"]
    if rules is not None:
        checks.append(_under(rules, file, registry))
    if kind in REGISTRY_KEY_KINDS:
        if of_account:
            raise MalformedError(f"keys: expected none of an account beside a {kind}, got {len(of_account)}")
    elif kind in _BY_REGISTRY:
        if of_account:
            raise MalformedError(f"keys: expected none of an account beside a {kind}, got {len(of_account)}")
        purpose = _BY_REGISTRY[kind]
        signer = registry.signer(purpose, logged.index, logged.time, file.envelope)
        envelopes.open_as(SCHEMAS[kind], file.envelope, [signer], registry.keys)
        checks.append(f"signed by the registry's {purpose} key")
    elif isinstance(payload, kinds.AuditFinding):
        if of_account:
            raise MalformedError(f"keys: expected none of an account beside a {kind}, got {len(of_account)}")
        checks.append(_by_auditor(file.envelope, payload, logged, registry))
    elif isinstance(payload, kinds.DisputeStep) and payload.step in OF_OFFICE:
        if of_account:
            raise MalformedError(f"keys: expected none of an account beside a decision, got {len(of_account)}")
        signer = registry.signer("office", logged.index, logged.time, file.envelope)
        envelopes.open_as(SCHEMAS[kind], file.envelope, [signer], registry.keys)
        checks.append(f"signed by the registry's office key, for {payload.account}")
    elif kind in KEY_KINDS:
        if not _holds(of_account, file.envelope):
            of_account.append(file)
        history = KeyHistory.verify(of_account, registry)
        checks.append(f"part of the key history of {history.account}, which has {history.links}")
    else:
        checks += _by_account(file.envelope, payload, logged, registry, of_account)
    recomputed = None
    if isinstance(payload, kinds.Consent):
        terms = consent_terms(payload)
        checks.append(f"terms {terms.hash} in canonical form")
        recomputed = hold_to_effect(payload, Standing().take(payload, None))
        said = "recomputed" if recomputed else "not recomputed: that takes the account's consents before it"
        checks.append(f"effect {payload.effect}, {said}")
    _of_one_log(file)
    return VerifiedStatement(
        kind,
        payload,
        logged.index,
        logged.time,
        registry.anchored,
        checks,
        rules is not None and bool(rules.logs),
        recomputed,
    )


def _of_one_log(file: StatementFileLike) -> None:
    """Return only if the checkpoints in the file, each verified before, do not contradict each other."""
    texts = {each.proof.partition("\n\n")[2] for each in (*file.keys, file)}
    if len(texts) == 1:
        return
    roots: dict[int, bytes] = {}
    for stated in (checkpoints.parse(note.parse(text).text) for text in texts):
        if roots.setdefault(stated.size, stated.root) != stated.root:
            raise VerificationError(f"two different roots for the tree size {stated.size}: the log shows split views")


def _under(rules: Policy, file: StatementFileLike, registry: RegistryKeys) -> str:
    """Return what the policy vouches for, once every checkpoint in the file satisfies it."""
    if not rules.logs and not registry.anchored:
        raise VerificationError("expected a policy that names a log, or a pinned registry, got neither")
    witnesses: dict[str, None] = {}
    for text in dict.fromkeys(proofs.parse(each.proof).checkpoint for each in (*file.keys, file)):
        witnesses = dict.fromkeys(rules.check(text, log=registry.log).witnesses)
    named = "that the policy names" if rules.logs else "of the pinned registry"
    by = f", cosigned by {', '.join(map(printable, witnesses))}" if witnesses else ""
    return f"in the log {named}{by}: quorum {printable(rules.quorum)}"


def _by_account(
    envelope: Envelope, payload: Any, logged: Logged, registry: RegistryKeys, evidence: Sequence[Evidence]
) -> list[str]:
    """Check a statement of an artist or organisation (a licence is countersigned by the registry)."""
    history = KeyHistory.verify(evidence, registry)
    account = _signer(payload)
    if account != history.account:
        raise VerificationError(f"expected the key history of {account}, got that of {history.account}")
    if getattr(payload, "genesis", history.genesis) != history.genesis:
        raise VerificationError(f"genesis: expected {history.genesis}, got {payload.genesis}")
    if not envelope.signatures:
        raise VerificationError(f"expected a signature by {account}, got none")
    standing = history.standing_at(envelope.signatures[0].keyid, logged)
    signers = [standing.keyid]
    checks = [f"signed by key {standing.keyid} of {account}, {standing.why}; its key history has {history.links}"]
    checks += hold_to(standing, payload)
    if isinstance(payload, kinds.Licence):
        signers.append(registry.signer("licence", logged.index, logged.time, envelope))
        checks.append("granted by the registry's licence key")
    envelopes.open_as(type(payload), envelope, signers, history.keys | registry.keys)
    return checks


def _by_auditor(envelope: Envelope, payload: kinds.AuditFinding, logged: Logged, registry: RegistryKeys) -> str:
    """Check a finding: an auditor's key is named by the finding itself, and vouched for by the registry's office."""
    own = KeySet()
    keyid = own.learn(payload.key)
    office = registry.signer("office", logged.index, logged.time, envelope)
    envelopes.open_as(kinds.AuditFinding, envelope, [keyid, office], own | registry.keys)
    return f"signed by the auditor's key {keyid}; the registry's office vouches for {payload.auditor}"


def _signer(payload: Any) -> str:
    """Return who signs ``payload``: an organisation that asks for a licence names the account that it asks as well."""
    by_organisation = isinstance(payload, kinds.LicenceRequest) or not hasattr(payload, "account")
    account: str = payload.organisation if by_organisation else payload.account
    return account


def _holds(evidence: Sequence[Evidence], envelope: Envelope) -> bool:
    return any(each.envelope == envelope for each in evidence)


def _registry_check(registry: RegistryKeys) -> str:
    if registry.anchored:
        return f"the keys of {registry.ref.origin} are signed by the pinned root {registry.ref.key}"
    return f"self-consistent, not anchored: no root is pinned for {registry.ref.origin}"
