"""Who has no IBAN is paid too, by what banks of the country go by; a slip is told beside its field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from licet import identifiers, money, times
from licet.errors import InputError
from licet.wire.settlement import LocalAccount, PayoutSet
from registry.settings import Settings
from registry.settlement import documents, pain
from registry.settlement.payees import examined, payee_of
from registry.settlement.sealing import Payee, seal, unseal
from tests.registry.settlement.bankfile import ACCOUNT

CARD, BANK, BRANCH = "6222 0212 0500 1234 567", "BKCHCNBJ300", "104100000004"
PLAIN = CARD.replace(" ", "")
IBAN = "DE89370400440532013000"
ABA, US = "021000021", "000123456789"


def local(country: str = "CN", number: str = CARD, **given: Any) -> PayoutSet:
    return PayoutSet("林美", "CN", account=LocalAccount(country, number, **given))


@pytest.mark.parametrize(
    ("wanted", "payee"),
    [
        (local(bic="bkch cnbj 300", clearing=BRANCH), Payee("林美", "CN", "CN", "", PLAIN, BANK, BRANCH)),
        (local(bic="BKCHCNBJ"), Payee("林美", "CN", "CN", "", PLAIN, "BKCHCNBJ")),
        (local("US", US, clearing=ABA), Payee("林美", "CN", "US", "", US, "", ABA)),
        (local("AU", "1234-5678", bic="CTBAAU2S", clearing="062-000"),
         Payee("林美", "CN", "AU", "", "12345678", "CTBAAU2S", "062000")),
        (local("UY", "00123456789", bic="BROUUYMM"), Payee("林美", "CN", "UY", "", "00123456789", "BROUUYMM")),
        (PayoutSet(" Ana  Ruiz ", "ES", IBAN, "COBADEFF"), Payee("Ana Ruiz", "ES", "DE", IBAN, "", "COBADEFF")),
    ],
)  # fmt: skip
def test_an_account_is_what_the_country_of_its_bank_has(wanted: PayoutSet, payee: Payee) -> None:
    assert payee_of(wanted) == payee


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (local(), "account.bic: expected the BIC of the bank in CN, got None"),
        (local(number="62220212A", bic=BANK), "account.number: expected an account number of 8 to 32 digits"),
        (local(bic="BKCH"), "account.bic: expected a BIC such as BKCHCNBJ, got 'BKCH'"),
        (local(bic="BKCHXXBJ"), "account.bic: expected a BIC such as"),
        (local(bic="CHASUS33"), "account.bic: expected a BIC of a bank in CN"),
        (local(bic=BANK, clearing="10410000000"), "account.clearing: expected a CNAPS code of 12 digits"),
        (local(bic=BANK, clearing="10410000000４"), "account.clearing: expected a CNAPS code of 12 digits"),
        (local("US", "000123456789", clearing="021000012"), "account.clearing: expected an ABA routing number"),
        (local("US", "000123456789", bic="CHASUS33"), "account.clearing: expected an ABA routing number"),
        (local("UY", "00123456789", bic="BROUUYMM", clearing="1"), "account.clearing: expected nothing"),
        (local("DE", "0532013000", bic="COBADEFF"), "iban: expected an IBAN, which all accounts in DE have"),
        (local("XX", bic=BANK), "account.country: expected an ISO 3166 code"),
        (PayoutSet("林美", "CN"), "iban: expected an IBAN, or `account`"),
        (PayoutSet("林美", "CN", IBAN, account=LocalAccount("CN", CARD, BANK)), "iban: expected an IBAN, or `account`"),
        (PayoutSet("林美", "CN", IBAN[:-1]), "iban: expected an IBAN of 22 characters"),
        (PayoutSet("林美", "CN", IBAN, "COBADE"), "bic: expected a BIC"),
        (PayoutSet("林美", "CN", IBAN, "BKCHCNBJ"), "bic: expected a BIC of a bank in DE"),
        (local("AR", IBAN, bic="BACIARBA"), "account.number: expected an account number of a bank in AR; an IBAN"),
        (PayoutSet("林\x00美", "CN", IBAN), "name: expected 1 to 140 characters"),
        (PayoutSet("林美", "EU", IBAN), "country: expected an ISO 3166 code"),
    ],
)
def test_what_no_bank_could_pay_is_refused_by_field(wanted: PayoutSet, said: str) -> None:
    with pytest.raises(InputError) as caught:
        payee_of(wanted)
    assert str(caught.value).startswith(said)


def test_all_that_does_not_hold_is_told_in_the_order_of_the_form() -> None:
    def wrong(wanted: PayoutSet) -> list[str]:
        return [str(each.details["field"]) for each in examined(wanted)[1]]

    account = LocalAccount("CN", "12", "BKCH", "1")
    fields = ["name", "country", "account.number", "account.bic", "account.clearing"]
    assert wrong(PayoutSet(" ", "XX", account=account)) == fields
    assert wrong(PayoutSet("", "XX", IBAN[:-1], "COBADE")) == ["name", "country", "iban"]  # a BIC of whose bank?
    assert wrong(PayoutSet("林美", "XX", IBAN, "COBADE")) == ["country", "bic"]
    assert wrong(local("XX", "1")) == ["account.country"]
    assert wrong(local(bic=BANK)) == []


@pytest.mark.parametrize(("number", "shown"), [("987654", "54"), ("123456789", "789"), ("1234567890123", "0123")])
def test_of_a_short_number_less_is_shown(number: str, shown: str) -> None:
    assert payee_of(local("US", number, clearing="021000021")).ends == shown


def test_a_bank_of_a_territory_has_the_ibans_of_its_country() -> None:
    assert payee_of(PayoutSet("Ana", "JE", "GB29NWBK60161331926819", "NWBKJESX")).bic == "NWBKJESX"


def paths(data: bytes) -> dict[str, list[str]]:
    """What stands at each leaf of an order, by its path from the group of payments on."""
    found: dict[str, list[str]] = {}
    for each in documents.read(data, pain.MESSAGE, "order.xml").iter():
        if len(each) == 0:
            names = [etree.QName(one).localname for one in (*reversed(list(each.iterancestors())), each)]
            found.setdefault("/".join(names[3:]), []).append(each.text)
    return found


def test_an_order_names_account_bank_and_branch_and_holds_to_its_schema() -> None:
    chinese, spanish = payee_of(local(bic=BANK, clearing=BRANCH)), payee_of(PayoutSet("Ana", "ES", IBAN))
    american = payee_of(local("US", US, clearing=ABA))
    asked = [(chinese, "CNY"), (american, "USD"), (chinese, "EUR"), (spanish, "EUR")]
    orders = [
        pain.Order(f"E{place}", payee, currency, 70 * money.MICRO, "licence fees")
        for place, (payee, currency) in enumerate(asked)
    ]
    now = times.now()
    said = paths(pain.write("M" * 32, "登记处", "110100009999", orders, now, now.date(), transliterate=False))
    each = "CdtTrfTxInf/"
    assert said[each + "PmtId/EndToEndId"] == ["E0", "E2", "E3", "E1"]  # CNY, EUR, EUR by SEPA, USD
    assert said[each + "CdtrAcct/Id/Othr/Id"] == [PLAIN, PLAIN, US]
    assert said[each + "CdtrAcct/Id/IBAN"] == [IBAN]
    assert said[each + "CdtrAgt/FinInstnId/BICFI"] == [BANK, BANK]
    assert said[each + "CdtrAgt/FinInstnId/ClrSysMmbId/ClrSysId/Cd"] == ["CNAPS", "CNAPS", "USABA"]
    assert said[each + "CdtrAgt/FinInstnId/ClrSysMmbId/MmbId"] == [BRANCH, BRANCH, ABA]
    assert said[each + "Cdtr/Nm"] == ["林美", "林美", "Ana", "林美"]
    assert said["DbtrAcct/Id/Othr/Id"] == ["110100009999"] * 4
    assert said["ChrgBr"] == ["SHAR", "SHAR", "SLEV", "SHAR"]
    assert said["PmtTpInf/SvcLvl/Cd"] == ["SEPA"]  # euros to China go by no SEPA
    assert len(set(said["PmtInfId"])) == 4


def test_an_iban_alone_names_no_bank() -> None:
    order = pain.Order("E1", payee_of(PayoutSet("Ana", "ES", IBAN)), "EUR", money.MICRO, "x")
    made = pain.write("M1", "Licet", ACCOUNT, [order], times.now(), times.now().date(), transliterate=False)
    assert b"CdtrAgt" not in made
    assert paths(made)["CdtTrfTxInf/CdtrAcct/Id/IBAN"] == [IBAN]


def test_what_was_sealed_before_there_were_other_accounts_still_opens(tmp_path: Path) -> None:
    who, row = identifiers.new_uuid(), identifiers.new_uuid()
    seal(tmp_path, who, row, Payee("Ana", "ES", iban=IBAN))  # makes the key
    cipher = AESGCM((tmp_path / "payouts.key").read_bytes())
    old = msgspec.json.encode({"name": "Ana", "iban": IBAN, "country": "ES"})
    opened = unseal(tmp_path, who, row, bytes(12) + cipher.encrypt(bytes(12), old, who.bytes + row.bytes))
    assert (opened.name, opened.number, opened.place) == ("Ana", IBAN, "DE")


def test_currencies_that_artists_price_in_have_a_minimum_that_is_worth_a_payment() -> None:
    least = {each.currency: money.to_decimal(each.micro) for each in Settings().payout_minimum}
    assert {"CNY": "70", "USD": "10", "EUR": "10", "JPY": "1500"}.items() <= least.items()
    assert all(each.micro % money.smallest(each.currency) == 0 for each in Settings().payout_minimum)
