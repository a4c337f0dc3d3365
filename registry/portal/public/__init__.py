"""Pages for everybody: where one arrives, checks a picture, signs in, and reads what is public."""

from __future__ import annotations

from typing import Any, Final

from registry.portal.public.arriving import about, landing
from registry.portal.public.checking import check, check_page
from registry.portal.public.entering import (
    invited,
    invited_options,
    invited_page,
    join,
    join_page,
    recover,
    recover_draft,
    recover_page,
    sign_in_page,
    sign_out,
)
from registry.portal.public.joining import ROUTES as JOINING
from registry.portal.public.works import public_work

ROUTES: Final[list[Any]] = [
    landing,
    about,
    check_page,
    check,
    join_page,
    join,
    invited_page,
    invited_options,
    invited,
    sign_in_page,
    sign_out,
    recover_page,
    recover_draft,
    recover,
    public_work,
    *JOINING,
]
