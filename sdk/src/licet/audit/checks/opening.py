"""The bundle as a file, whose it is, and that nothing in it was touched: form, keys, manifest, digests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar

from licet import canonical, times
from licet.audit import layout
from licet.audit.container import CHECK as FORM
from licet.audit.container import Container
from licet.audit.layout import Period, period_of
from licet.audit.report import Check, checking, refused
from licet.audit.tables import lines_of
from licet.audit.tally import Tally
from licet.counted import many
from licet.statements import envelope as envelopes
from licet.statements.kinds import AuditBundle
from licet.statements.trust import RegistryKeys, Trust, verify_registry_keys
from licet.wire.common import KeyEvidence

MAX_JSON: Final = 64 << 20
MAX_LINE: Final = 4 << 20

T = TypeVar("T")


class Audit:
    """A bundle under examination: what has been established so far, and which checks held."""

    def __init__(self, container: Container, trust: Trust | None, keys: RegistryKeys, manifest: AuditBundle) -> None:
        self.container: Final = container
        self.trust: Final = trust
        self.keys: Final = keys
        self.manifest: Final = manifest
        self.period: Final[Period] = period_of(manifest.period)
        self.tally: Final = Tally()
        self.checks: Final[list[Check]] = []

    @property
    def whole(self) -> bool:
        """Whether the bundle is of everything, not of one account's part."""
        return self.manifest.account is None

    def passed(self, name: str, detail: str) -> None:
        """Note that check ``name`` held."""
        self.checks.append(Check(name, detail))

    def read_as(self, schema: type[T], member: str, limit: int = MAX_JSON) -> T:
        """Return a member of canonical JSON as a ``schema``; raises ``MalformedError``."""
        return canonical.decode_as(schema, self.container.read(member, limit), limit)

    def lines_as(self, schema: type[T], member: str) -> Iterator[T]:
        """Yield the lines of a member as ``schema``, each in canonical JSON; raises ``MalformedError``."""
        for line in lines_of(self.container.chunks(member), MAX_LINE):
            yield canonical.decode_as(schema, line, MAX_LINE)


def opened(container: Container, trust: Trust | None) -> Audit:
    """Return the examination of a bundle whose members are exactly those that the registry's office signed for."""
    for name in container.members:
        known = name in layout.SINGLE or name in (layout.MANIFEST, layout.LINES, layout.DUTIES, layout.LEFT_OUT)
        if not (known or layout.statement_of(name) or layout.licence_of(name)):
            raise refused(FORM, name, "expected only members that a bundle has, got another")
    for name in (*sorted(layout.SINGLE), layout.MANIFEST):
        container.member(name)
    with checking("registry-keys", layout.REGISTRY_KEYS):
        evidence = canonical.decode_as(list[KeyEvidence], container.read(layout.REGISTRY_KEYS, MAX_JSON), MAX_JSON)
        keys = verify_registry_keys(trust, evidence)
    with checking("manifest-signature", layout.MANIFEST):
        manifest = _manifest(container, keys)
        audit = Audit(container, trust, keys, manifest)
    _digests(audit)
    root = f"signed by the pinned root {keys.ref.key}" if keys.anchored else "self-consistent, not anchored"
    members = len(container.members)
    audit.passed(FORM, f"{many(members, 'member')}, stored end to end, in {container.size:,} bytes")
    audit.passed("registry-keys", f"{many(len(keys.lines), 'key')} of {keys.ref.origin}, {root}")
    audit.passed("manifest-signature", f"signed by the registry's office at {manifest.made_at}")
    audit.passed("member-digests", f"size and SHA-256 of {many(members - 1, 'member')} are those that were signed")
    return audit


def _manifest(container: Container, keys: RegistryKeys) -> AuditBundle:
    envelope = envelopes.parse(container.read(layout.MANIFEST, MAX_JSON))
    claimed: Any = envelopes.read_as(AuditBundle, envelope)
    times.from_text(claimed.made_at, "made_at")
    # Not a statement of the log: what counts is an office key in force behind all that the bundle says of keys.
    signer = keys.signer("office", keys.last + 1, claimed.made_at, envelope)
    manifest = envelopes.open_as(AuditBundle, envelope, [signer], keys.keys)
    if manifest.registry != keys.ref:
        raise refused("manifest-signature", layout.MANIFEST, f"expected a bundle of {keys.ref.origin}, got another's")
    return manifest


def _digests(audit: Audit) -> None:
    names = list(audit.container.members)
    if names != [*(member.name for member in audit.manifest.members), layout.MANIFEST]:
        signed = {member.name for member in audit.manifest.members}
        odd = sorted(signed.symmetric_difference(set(names) - {layout.MANIFEST}))
        shown = odd[0] if odd else layout.MANIFEST
        raise refused("member-digests", shown, "expected exactly the members that were signed, in their order")
    for member in audit.manifest.members:
        found = (audit.container.member(member.name).size, audit.container.digest(member.name))
        if found != (member.size, member.sha256):
            raise refused("member-digests", member.name, f"expected SHA-256 {member.sha256}, got {found[1]}")
    audit.container.digest(layout.MANIFEST)  # its signature holds; this is for its header
