"""Documents of disputes that cannot be are not drafted."""

from __future__ import annotations

import pytest

from licet.errors import InputError
from licet.statements.disputes import draft_opening
from licet.statements.kinds import RegistryRef

WORK = "wrk_01m8fw89z4es5anmk2s7649n82"


@pytest.mark.parametrize(
    ("subject", "text", "evidence", "field"),
    [
        ("nope", "It is mine.", [], "subject"),
        (WORK, " ", [], "text"),
        (WORK, "It is mine.", ["a picture"], "evidence"),
    ],
)
def test_an_opening_that_cannot_be_names_its_field(subject: str, text: str, evidence: list[str], field: str) -> None:
    with pytest.raises(InputError) as caught:
        draft_opening(
            registry=RegistryRef("licet.example", "ab" * 32),
            account="art_01m8fw89z4es5anmk2s7649n82",
            genesis="00" * 32,
            subject=subject,
            text=text,
            evidence=evidence,
        )
    assert caught.value.details["field"] == field
