"""The payloads that are signed: one Struct a kind, exactly the fields that formats name.

A payload is made canonical once (``licet.canonical``), signed and stored as those bytes; nobody canonicalises it
again. Structs refuse unknown fields, so an older reader never accepts what it does not understand.
Digests and keys are lower-case hex; times are ``licet.times`` text; amounts are micro-units.
"""

from __future__ import annotations

from licet.statements.kinds.agreements import (
    DutyDone,
    LicenceAnswer,
    LicenceReply,
    LicenceRequest,
    LicenceRevoke,
    RevenueReport,
    Weight,
)
from licet.statements.kinds.auditing import AuditBundle, AuditFinding, BundleMember, FoundRow
from licet.statements.kinds.common import PAYLOAD_TYPE, VERSION, Budget, RegistryRef, Total
from licet.statements.kinds.consent import (
    CatalogueScope,
    Consent,
    ConsentMature,
    FileDigest,
    Shown,
    WorkDigest,
    WorksScope,
    WorkUpdate,
)
from licet.statements.kinds.disputes import DisputeStep
from licet.statements.kinds.keys import (
    AnyKey,
    Delegation,
    KeyRegister,
    KeyRevoke,
    KeyRotate,
    Limit,
    PublicKey,
    RecoveryCodes,
    TokenRequest,
)
from licet.statements.kinds.licences import Agreed, Agreement, Licence, LicenceLine, Use, Weigh
from licet.statements.kinds.models import BaseVersion, ModelCard
from licet.statements.kinds.registry import (
    Claim,
    Erase,
    LogCosigner,
    PeriodClose,
    PeriodTree,
    RegistryKey,
    RegistryKeyRevoke,
)
from licet.statements.kinds.sharing import Split, SplitAnswer, SplitShare, SplitWork
from licet.statements.kinds.snapshots import SegmentRef, Snapshot
from licet.statements.kinds.usage import Asked, DatasetManifest, Event, Run, SignalsRead, UsageBatch
from licet.statements.webauthn import Passkey

__all__ = [
    "PAYLOAD_TYPE",
    "VERSION",
    "Agreed",
    "Agreement",
    "AnyKey",
    "Asked",
    "AuditBundle",
    "AuditFinding",
    "BaseVersion",
    "Budget",
    "BundleMember",
    "CatalogueScope",
    "Claim",
    "Consent",
    "ConsentMature",
    "DatasetManifest",
    "Delegation",
    "DisputeStep",
    "DutyDone",
    "Erase",
    "Event",
    "FileDigest",
    "FoundRow",
    "KeyRegister",
    "KeyRevoke",
    "KeyRotate",
    "Licence",
    "LicenceAnswer",
    "LicenceLine",
    "LicenceReply",
    "LicenceRequest",
    "LicenceRevoke",
    "Limit",
    "LogCosigner",
    "ModelCard",
    "Passkey",
    "Payload",
    "PeriodClose",
    "PeriodTree",
    "PublicKey",
    "RecoveryCodes",
    "RegistryKey",
    "RegistryKeyRevoke",
    "RegistryRef",
    "RevenueReport",
    "Run",
    "SegmentRef",
    "Shown",
    "SignalsRead",
    "Snapshot",
    "Split",
    "SplitAnswer",
    "SplitShare",
    "SplitWork",
    "TokenRequest",
    "Total",
    "UsageBatch",
    "Use",
    "Weigh",
    "Weight",
    "WorkDigest",
    "WorkUpdate",
    "WorksScope",
]

#: Every kind that the log may hold.
Payload = (
    KeyRegister
    | KeyRotate
    | KeyRevoke
    | Delegation
    | RegistryKey
    | RegistryKeyRevoke
    | Claim
    | Consent
    | ConsentMature
    | WorkUpdate
    | Split
    | SplitAnswer
    | LicenceRequest
    | LicenceAnswer
    | LicenceReply
    | Licence
    | LicenceRevoke
    | DutyDone
    | DatasetManifest
    | Run
    | ModelCard
    | UsageBatch
    | RevenueReport
    | AuditFinding
    | DisputeStep
    | Snapshot
    | PeriodClose
    | Erase
)
