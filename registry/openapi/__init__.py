"""The description of the HTTP interface (OpenAPI 3.1), made from the handlers and the wire types themselves.

Schemas come from msgspec, which knows what the decoder refuses (unknown fields, patterns, tagged unions); errors are
described as they are sent; examples come from a run of the real service (``openapi/examples.json``). The result is kept
in ``openapi/openapi.json`` and compared by ``make check``. A handler adds what its signature cannot say in ``opt``::

    opt={
        "problems": (410,),                     further statuses that it answers
        "partly": (206, 304),                   further successes
        "headers": {"ETag": "The digest."},     headers of its answers
        "body": "application/x-licet-keys",     media types of the body, separated by commas
        "json": UsageBatchSubmit,               type of a body of JSON that the handler reads itself
        "seconds": 300,                         how long the answer may take
    }
"""

from __future__ import annotations

import asyncio
from typing import Final

from litestar import Response, get

from registry.openapi.document import document
from registry.packaged import packaged


@get("/openapi.json", operation_id="getDescription", tags=["health"], media_type="application/json")
async def description() -> Response[bytes]:
    """This description."""
    content = await asyncio.to_thread((packaged("openapi") / "openapi.json").read_bytes)
    return Response(content, media_type="application/json", headers={"Cache-Control": "public, max-age=3600"})


ROUTES: Final = [description]

__all__ = ["ROUTES", "document"]
