"""HTTP: everything that is held of an account."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Stream

from registry.accounts.identity import Caller, require
from registry.accounts.stepping import fresh
from registry.exporting import service
from registry.services import Services

After = Annotated[
    str | None,
    QueryParameter(
        max_length=100,
        schema_extra={"pattern": service.FORM},
        description="The name of the last whole file that came; what comes after it is sent. Without: everything.",
    ),
]


@get(
    "/v1/me/export",
    operation_id="exportAccount",
    tags=["accounts"],
    guards=[require("account", kinds=("art", "org")), fresh],
    media_type="application/x-tar",
    opt={"quota": "exports"},
)
async def export_account(
    services: NamedDependency[Services], caller: NamedDependency[Caller], after: After = None
) -> Stream:
    """Everything that is held of the account: a tar of JSON lines, small pictures, and statements with their proofs.

    It comes as it is read, in sections; the last file, ``export.json``, says what they hold, and what is left out and
    why. A transfer that broke off goes on with ``after``. Secrets (of tokens, sessions, recovery codes) are not in it:
    the service has none but digests. A session needs a passkey used in the last five minutes.
    """
    place = service.place_of(after)
    headers = {
        "Content-Disposition": f'attachment; filename="{caller.id}.tar"',
        "Cache-Control": "no-store",
    }
    return Stream(service.stream(services, caller, place), media_type="application/x-tar", headers=headers)


ROUTES = [export_account]
