"""HTTP of derivative look-up."""

from __future__ import annotations

from typing import Final, Literal

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromQuery, RawBody
from litestar.status_codes import HTTP_200_OK

from licet import decisions
from licet.derivative import asking as form
from licet.wire.licensing import PartsAnswers
from registry.accounts.idempotency import READS
from registry.accounts.identity import Caller
from registry.accounts.metering import Meter
from registry.derivatives import answering
from registry.licensing.routes import AtVersion, Level, Purpose, Territory, Uses
from registry.services import Services


@post(
    "/v1/licensing/parts",
    operation_id="lookupParts",
    tags=["licensing"],
    opt={**READS, "seconds": 120, "body": "application/octet-stream"},
    status_code=HTTP_200_OK,
    request_max_body_size=form.LARGEST,
)
async def lookup_parts(
    services: NamedDependency[Services],
    optional_caller: NamedDependency[Caller | None],
    meter: NamedDependency[Meter],
    body: RawBody,
    uses: Uses,
    purpose: Purpose = None,
    territory: Territory = None,
    model: AtVersion = None,
    model_scope: FromQuery[Literal["one-version", "family"]] = "one-version",
    open_weights: FromQuery[bool | None] = None,
    sublicense: FromQuery[bool | None] = None,
    exclusive: FromQuery[bool | None] = None,
    at: FromQuery[str | None] = None,
    min_claim_level: Level = 0,
) -> PartsAnswers:
    """Verdicts of pictures that show a part of a work: cropped, framed, tilted, among others. `review` at the least.

    The body is features, no pictures: of each its length (4 bytes, little-endian) and then what `licet` makes of it.
    At most 64 pictures, 8 without a token.
    """
    asked = decisions.Request(
        uses=uses,
        purpose=purpose or (),
        model=model,
        model_scope=model_scope,
        open_weights=open_weights,
        territory=territory,
        sublicense=sublicense,
        exclusive=exclusive,
        at=at,
    )
    await meter.spend("parts", form.count(body))
    return await answering.look_up(services, optional_caller, body, asked, min_claim_level)


ROUTES: Final = [lookup_parts]
