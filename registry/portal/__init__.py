"""The portal: pages for people, in Chinese and English, over what every other room knows; rooms of one audience each.

``frame`` is what all pages stand in. ``public``, ``log``, ``register``, ``artists``, ``organisations``, ``auditors``
and ``operators`` import it and never each other; nothing below imports the portal. How a page is made:
``docs/internals/portal.md``.
"""

from __future__ import annotations

from typing import Any, Final

from registry.portal import artists, auditors, frame, log, operators, organisations, public, register

_ROOMS: Final = (frame, public, log, artists, organisations, auditors, operators, register)
ROUTES: Final[list[Any]] = [route for room in _ROOMS for route in room.ROUTES]
