"""What an account signs for a work, from what the registry says of it."""

from __future__ import annotations

import msgspec

from licet.statements.kinds import FileDigest, WorkDigest
from licet.wire.works import Work


def digest_form(work: Work, account: str) -> WorkDigest:
    """Return what the account signs for a work that is registered already."""
    return WorkDigest(
        work=work.work,
        account=account,
        sha256=work.sha256,
        pixels=work.pixels,
        pdq=work.pdq,
        iscc=work.iscc,
        url=sorted(work.urls),
        mode="fingerprint-only" if work.mode == "fingerprint-only" else "upload",
        files=[FileDigest(each.sha256, each.pixels, each.pdq, each.iscc or msgspec.UNSET) for each in work.files]
        or msgspec.UNSET,
        site=work.site or msgspec.UNSET,
    )
