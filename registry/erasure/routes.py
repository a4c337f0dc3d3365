"""HTTP: the end of an account."""

from __future__ import annotations

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from licet.wire.erasure import ErasureAnswer, ErasureRequest
from registry.accounts.identity import Caller, require
from registry.accounts.stepping import hold_for_good
from registry.erasure import service
from registry.services import Services


@post(
    "/v1/me/erasure",
    operation_id="eraseAccount",
    tags=["accounts"],
    guards=[require("account", "erase", kinds=("art", "org"))],
    request_max_body_size=65_536,
    opt={"problems": (410,), "seconds": 600},
)
async def erase_account(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[ErasureRequest]
) -> ErasureAnswer:
    """Erase the account, or say what that would do (``dry_run``).

    Names, pictures, words, addresses, keys and tokens go, and signed statements with their salts. What others rely on
    (a licence, an open duty, a dispute) is kept for them and for auditors until limitation ends. Works go on to deny
    every use, without a name, unless ``deny`` is false. The log keeps nothing but commitments; evidence that others
    hold still verifies. No token of the account works afterwards.

    It takes a session whose passkey was used in the last five minutes, or a token with scope ``erase``, which the first
    token has not (``/v1/tokens``); else the answer is ``step-up-required``. A dry run takes scope ``account``.
    """
    if not data.dry_run:
        await hold_for_good(services, caller, "erase")
    return await service.erase(services, caller, data)


ROUTES = [erase_account]
