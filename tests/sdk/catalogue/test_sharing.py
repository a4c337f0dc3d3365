"""Shares as they are typed: an account in full and a part of the whole, or an error that names the option."""

from __future__ import annotations

import pytest

from licet.catalogue.sharing import share
from licet.errors import InputError

BEN = "art_01m8gzjxb0fje8b3sg8nktq6pt"


@pytest.mark.parametrize(("amount", "bps"), [("40%", 4000), ("12.5%", 1250), ("0.01%", 1), ("4000bps", 4000)])
def test_a_share_is_read_in_percent_or_basis_points(amount: str, bps: int):
    assert share(f"{BEN}={amount}", "--with") == (BEN, bps)


@pytest.mark.parametrize("account", ["art_01jd", "org_", "art_01jd…", "wrk_01m8gzjxb0fje8b3sg8nktq6pt", BEN.upper()])
def test_an_account_that_is_not_written_out_is_refused_by_the_name_of_the_option(account: str):
    with pytest.raises(InputError, match=r"^--with: expected "):
        share(f"{account}=40%", "--with")
