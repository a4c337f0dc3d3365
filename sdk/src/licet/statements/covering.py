"""Whether a licence was granted for a use that is declared: asked by whoever filters, and by whoever takes a run."""

from __future__ import annotations

from typing import Final

from licet.decisions import Request
from licet.statements.kinds import Licence, Use

REPORTED: Final = ("revoked", "model", "version", "territory", "conditions")
"""Why a use under a licence is a memorandum where the licence and the use alone do not say so: a revocation does, or
the run."""


def covers(licence: Licence, request: Request) -> bool:
    """Return whether ``licence`` was granted for all that ``request`` declares, and has not ended."""
    return outside(licence, request) is None


def outside(licence: Licence, request: Request) -> str | None:
    """Return why ``licence`` does not cover ``request``, None where it does.

    ``use``: another use or purpose · ``model``, ``version``: another model, another version of it · ``territory`` ·
    ``conditions``: of weights, sublicences or exclusivity · ``ended``.

    A request that names no model is covered by a licence for any: the model is named, and held against the licence,
    when a run is reported. A fact that the licence leaves open was no condition of the works in it.
    """
    use = licence.use
    if not (set(request.uses) <= set(use.atoms) and set(request.purpose) <= set(use.purpose)):
        return "use"
    if request.model is not None and (other := _other_model(use, request)) is not None:
        return other
    if use.territory is not None and (request.territory is None or not set(request.territory) <= set(use.territory)):
        return "territory"
    for name in ("open_weights", "sublicense", "exclusive"):
        granted = getattr(use, name)
        if granted is not None and getattr(request, name) is not granted:
            return "conditions"
    if licence.valid_until is None or (request.at is not None and request.at < licence.valid_until):
        return None
    return "ended"


def _other_model(use: Use, request: Request) -> str | None:
    model, _, version = (request.model or "").partition("@")
    if model != use.model:
        return "model"
    if use.model_scope == "family":
        return None
    return None if request.model_scope == "one-version" and version == use.version else "version"
