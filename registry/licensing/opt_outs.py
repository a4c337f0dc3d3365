"""The question that existing crawlers ask of an opt-out registry: may these addresses be trained on?

The form is that of Spawning's API, so that clients written for it, such as ``datadiligence``, ask us unchanged. The
answer has one bit where ours has five verdicts, so everything but ``allow`` and ``unknown`` opts out: what needs a
licence or a look is not free for the taking, nor is an address that cannot be read.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from licet import times
from licet.decisions import VERDICTS, Request
from licet.fingerprints.urls import url_keys
from licet.index import Index, Keys, verdict_codes
from licet.wire.licensing import OptOut, OptOuts
from registry.errors import Invalid
from registry.licensing.asking import decided
from registry.services import Services

MAX_URLS: Final = 10_000
MAX_BYTES: Final = 32 << 20  # of 10,000 addresses that are as long as they can be, and of a megabyte more
ASKED: Final = Request(uses=("train-gen",), purpose=("commercial",))
_ALLOW, _UNKNOWN = VERDICTS.index("allow"), VERDICTS.index("unknown")


async def opt_outs(services: Services, body: bytes) -> OptOuts:
    """Return for each line of ``body`` whether its artist, or her site, opts out of training a generative model.

    One item a line, in their order, each address as it came. Raises ``Invalid`` for more than 10,000 lines, none, or
    what is not UTF-8; ``Unavailable`` while the primary cannot be reached: half an answer is never given.
    """
    try:
        lines = body.decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise Invalid.field(
            "body", "addresses in UTF-8, a line each", f"byte {error.object[error.start]:#04x}"
        ) from None
    if not body or len(lines) > MAX_URLS:
        raise Invalid.field("body", f"1 to {MAX_URLS} lines", len(lines) if body else 0)
    request = msgspec.structs.replace(ASKED, at=times.to_text(times.now()))
    codes, _, _ = await decided(services, lambda index: _codes(index, lines, request))
    services.meters.count("licet_keys_looked_up_total", by=len(lines))
    for code, number in enumerate(np.bincount(codes)):
        if number:
            services.meters.count("licet_verdicts_total", VERDICTS[code], by=int(number))
    return OptOuts(
        [
            OptOut(url, opt_out=code not in (_ALLOW, _UNKNOWN), opt_in=code == _ALLOW)
            for url, code in zip(lines, codes.tolist(), strict=True)
        ]
    )


def _codes(index: Index, lines: list[str], request: Request) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    addresses = pa.array([line.strip() for line in lines], pa.string())
    keys, readable = url_keys(addresses)
    codes = verdict_codes(index, Keys(len(lines), url=keys, url_mask=readable, addresses=addresses), request)
    codes[~readable] = VERDICTS.index("review")
    return codes
