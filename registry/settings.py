"""Every setting of the service, from the environment: ``LICET_REGISTRY_…``, and ``DATABASE_URL``."""

from __future__ import annotations

import difflib
import os
import re
import textwrap
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args, get_origin
from urllib.parse import urlsplit

import platformdirs
from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from licet import money
from licet.errors import InputError
from registry.errors import SettingsError

PREFIX = "LICET_REGISTRY_"
SECRET = frozenset({"database_url", "metrics_token"})  # never shown, wrong ones neither
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_RATE: Final = re.compile(r"([0-9]{1,15})/([0-9]{1,4})([smhd])", re.ASCII)
#: An address as people have it: of letters, digits and few signs, at a host with a dot in its name.
_MAIL: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]"
)
_RATE_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Rate(NamedTuple):
    """At most ``most`` in ``seconds``, written ``6000/1m``; ``most`` 0 means no limit, written ``off``."""

    most: int
    seconds: int

    def __str__(self) -> str:
        if not self.most:
            return "off"
        unit, size = next((unit, size) for unit, size in reversed(_RATE_SECONDS.items()) if self.seconds % size == 0)
        return f"{self.most}/{self.seconds // size}{unit}"


OFF: Final = Rate(0, 60)


def rate_of(value: object) -> Rate:
    """Return the rate that ``value`` writes; raises ``ValueError`` that says what was expected."""
    if isinstance(value, Rate):
        return value
    if value == "off":
        return OFF
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None or not int(match[1]) or not int(match[2]):
        raise ValueError("expected a rate such as 6000/1m, or off")
    return Rate(int(match[1]), int(match[2]) * _RATE_SECONDS[match[3]])


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("expected a duration such as 30s, 15m, 24h or 90d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


Duration = Annotated[timedelta, BeforeValidator(_duration)]


Rated = Annotated[Rate, BeforeValidator(rate_of), NoDecode]


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())


#: About ten US dollars of late 2026, in round numbers: what a bank takes for moving it is a small part of it.
_PAYOUT_MINIMUM: Final = (
    "10USD,10EUR,70CNY,10GBP,10CHF,80HKD,300TWD,1500JPY,15000KRW,15SGD,15AUD,15CAD,15NZD,100SEK,100NOK,70DKK,40PLN,"
    "250CZK,3500HUF,45RON,40ILS,40AED,40SAR,400TRY,900INR,3000PKR,1200BDT,350THB,45MYR,150000IDR,600PHP,250000VND,"
    "200MXN,60BRL,10000ARS,10000CLP,40000COP,40PEN,200ZAR,15000NGN,1300KES,500EGP,400UAH,900RUB,5000KZT"
)


def _amounts(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        found = {each.currency: each for each in (money.parse(part) for part in value.split(",") if part.strip())}
    except InputError:
        raise ValueError("expected amounts such as 10USD,10EUR") from None
    return tuple(found.values())


Amounts = Annotated[tuple[money.Money, ...], BeforeValidator(_amounts), NoDecode]


def _names(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple("".join(part.split()).upper() for part in value.split(",") if part.strip())


Names = Annotated[tuple[str, ...], BeforeValidator(_names), NoDecode]


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks), NoDecode]


class Site(NamedTuple):
    """Where people use passkeys: the relying party, and the origins of its pages, sorted."""

    rp_id: str
    origins: tuple[str, ...]


class Settings(BaseSettings):
    """The settings in force, checked; made by ``Settings.load()``, frozen afterwards."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", populate_by_name=True)

    data: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("licet-registry"),
        description="Folder with everything that must survive: the embedded database, keys, published files.",
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    public_url: str = Field(
        "", description="Address under which users reach the service; empty means http://localhost:PORT."
    )
    contact: str = Field(
        "",
        max_length=200,
        description="Where people reach whoever runs the registry, an e-mail address or an https address: its pages "
        "name it, those of errors too; empty means that they name none.",
    )
    origin: str = Field(
        "localhost/licet",
        pattern=r"[A-Za-z0-9][A-Za-z0-9.:/_-]{2,199}",
        description="Name of the log in checkpoints and signed statements. Never change it once the log has entries.",
    )
    publish_to: str = Field(
        "",
        description="Bucket that log and snapshots are published to, such as s3://bucket/prefix, with AWS_… in the "
        "environment; empty means the data folder.",
    )
    archive_to: str = Field(
        "",
        description="Bucket of the encrypted archive, such as s3://bucket/prefix, on another machine than the "
        "database; empty means the data folder.",
    )
    witness_policy: Path | None = Field(
        None, description="C2SP tlog-policy file of the witnesses that cosign checkpoints; empty means none."
    )
    witness_absence: Literal["serve", "wait"] = Field(
        "serve",
        description="Without the witnesses' quorum: serve the last checkpoint that has it, or let receipts wait too.",
    )
    archive: Literal["on", "off"] = Field(
        "on",
        description="Whether every change is archived before it is acknowledged; off leaves acknowledged statements in "
        "the database alone, and an older copy of it is refused instead of brought up to date.",
    )
    archive_keep: Duration = Field(
        timedelta(days=30),
        description="How long erased data may stay in archive and backups: what is older is copied anew without it, "
        "and its keys are destroyed.",
    )
    limitation: Duration = Field(
        timedelta(days=3653),
        description="How long statements of an erased account are kept for those who rely on them: a licence, a use, "
        "a dispute.",
    )
    database_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("DATABASE_URL", f"{PREFIX}DATABASE_URL"),
        description="PostgreSQL 16 or newer, such as postgresql://user:password@host/name; empty means our own.",
    )
    database_connections: int = Field(10, ge=2, le=500, description="Connections to the database per process.")
    statement_timeout: Duration = Field(timedelta(seconds=30), description="Longest time of one database statement.")
    workers: int = Field(1, ge=1, le=64, description="Processes that answer requests.")
    fee_bps: int = Field(
        1000, ge=0, le=10_000, description="The registry's fee in hundredths of a percent of the price."
    )
    owed_limit: int = Field(
        1_000_000_000,
        ge=1,
        le=money.LARGEST // money.MICRO,
        description="Most that one organisation may owe in one currency before it pays, in units of the currency: what "
        "would take it beyond is refused whole.",
    )
    close_after: Duration = Field(
        timedelta(days=3),
        description="How long after its end a month of the ledger is closed; later uses go into the next.",
    )
    quote_ttl: Duration = Field(timedelta(minutes=15), description="How long a quote fixes fee and rounding.")
    snapshot_ttl: Duration = Field(timedelta(hours=24), description="How long a published snapshot may be relied on.")
    snapshot_delay: Duration = Field(
        timedelta(minutes=5), description="Longest time from a change to the snapshot that carries it."
    )
    loosening_hold: Duration = Field(
        timedelta(hours=24), description="How long looser terms wait, and can be undone, before they take effect."
    )
    upload_ttl: Duration = Field(
        timedelta(hours=24), description="How long an upload waits for its signed registration."
    )
    upload_bytes: int = Field(50_000_000, ge=1_000, description="Largest picture, in bytes.")
    quota_requests: Rated = Field(rate_of("30000/1m"), description="Requests of an account, in all processes.")
    quota_anonymous: Rated = Field(
        rate_of("6000/1m"), description="Requests without a token from one address, in all processes."
    )
    quota_keys: Rated = Field(rate_of("20000000/1h"), description="Keys that an account may ask about.")
    quota_anonymous_keys: Rated = Field(
        rate_of("1000000/1h"), description="Keys that one address may ask about without a token."
    )
    quota_parts: Rated = Field(
        rate_of("100000/1h"), description="Pictures of which an account may ask what they show parts of."
    )
    quota_anonymous_parts: Rated = Field(
        rate_of("2000/1h"), description="Pictures of which one address may ask that without a token."
    )
    quota_exports: Rated = Field(
        rate_of("100/1d"), description="Exports of everything of an account, begun or resumed."
    )
    quota_accounts: Rated = Field(rate_of("500/1h"), description="Accounts that one address may open.")
    quota_splits: Rated = Field(
        rate_of("500/1d"), description="Splits that an account may propose; each tells every co-owner."
    )
    quota_licence_requests: Rated = Field(
        rate_of("500/1d"), description="Licences that an organisation may ask artists for; each tells the artist."
    )
    quota_disputes: Rated = Field(
        rate_of("500/1d"), description="Disputes that an account may open; each tells the other party."
    )
    quota_quotes: Rated = Field(rate_of("5000/1h"), description="Quotes that an organisation may ask for.")
    quota_events: Rated = Field(rate_of("100000000/1h"), description="Usage events that an organisation may report.")
    quota_upload_bytes: Rated = Field(
        rate_of("500000000000/1d"), description="Bytes of pictures that an account may upload."
    )
    quota_upload_pixels: Rated = Field(
        rate_of("500000000000/1d"), description="Pixels of pictures that an account may upload."
    )
    quota_claims: Rated = Field(
        rate_of("60/1h"),
        description="Domains that an account may ask for, or have looked at, beyond the regular looks.",
    )
    claims_recheck: Duration = Field(timedelta(days=7), description="How often a proven domain is looked at again.")
    claims_grace: Duration = Field(
        timedelta(days=14), description="How long a proven domain's proof may be missing before the claim lapses."
    )
    claims_resolver: str = Field(
        "",
        description="Resolver that is asked for domains' records, such as 192.0.2.53:53 or [2001:db8::53]:53; empty "
        "means those of this machine.",
    )
    claims_authorities: Path | None = Field(
        None,
        description="PEM file of the authorities whose certificates domains' files count with; empty means the "
        "system's.",
    )
    claims_loopback_port: int = Field(
        0,
        ge=0,
        le=65_535,
        description="For tests and development alone: fetch domains' files from loopback addresses, at this port, and "
        "from no other address; 0 means from public addresses alone.",
    )
    bank_accounts: Names = Field(
        (),
        description="Accounts of the registry at banks, by IBAN or the bank's own number, separated by commas: "
        "statements of others are refused, and the first one that is an IBAN pays artists, else the first.",
    )
    invoice_minimum: Amounts = Field(
        (money.Money("USD", money.MICRO), money.Money("EUR", money.MICRO)),
        description="Least amount of an invoice, by currency; less waits for the next.",
    )
    invoice_due: Duration = Field(timedelta(days=30), description="How long an organisation has to pay an invoice.")
    bank_holder: str = Field(
        "", max_length=140, description="Who holds the accounts, as payment orders name them; empty means the origin."
    )
    payout_minimum: Amounts = Field(
        tuple(money.parse(each) for each in _PAYOUT_MINIMUM.split(",")),
        description="Least amount that is remitted, by currency; less waits for more. Of a currency that is not named "
        "all that a bank can move is remitted.",
    )
    payout_hold: Duration = Field(
        timedelta(days=30), description="How long what was credited is kept before it is remitted: it can be contested."
    )
    payout_change_hold: Duration = Field(
        timedelta(days=7), description="How long nothing is remitted to payout details that are new."
    )
    payout_names: Literal["keep", "transliterate"] = Field(
        "keep",
        description="Names in payment orders: in their own script, or in SEPA's Latin letters for banks that take "
        "no other.",
    )
    trusted_proxies: Networks = Field(
        (), description="Networks of proxies whose X-Forwarded-For counts, such as 10.0.0.0/8,fd00::/8; empty: none."
    )
    token_ttl: Duration = Field(timedelta(days=90), description="How long a token lasts when nothing else is asked.")
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Bearer token that opens /metrics from other machines; empty means that only this machine may ask.",
    )
    tracing_url: str = Field(
        "",
        description="OTLP/HTTP receiver that traces are sent to, such as http://localhost:4318; empty means no traces.",
    )
    ready_lag: Duration = Field(
        timedelta(seconds=15), description="Longest wait of a statement for the log with which the service is ready."
    )
    ready_disk_bytes: int = Field(
        100_000_000, ge=0, description="Free bytes on the disk of published files without which it is not ready."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least important log line.")
    log_format: Literal["json", "text"] = Field("text", description="Form of the log lines on stderr.")

    @field_validator("public_url", "tracing_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
            raise ValueError("expected an address such as https://registry.example")
        return value.rstrip("/")

    @field_validator("contact")
    @classmethod
    def _reached(cls, value: str) -> str:
        if not value or _MAIL.fullmatch(value):
            return value
        try:
            parts = urlsplit(value)
            plain = parts.scheme == "https" and parts.hostname and not parts.username and parts.port != 0
        except ValueError:
            plain = False
        if not plain or not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("expected an e-mail address such as help@registry.example, or an https:// address")
        return value

    @field_validator("publish_to", "archive_to")
    @classmethod
    def _bucket(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme != "s3" or not parts.netloc or parts.username or parts.query or parts.fragment):
            raise ValueError("expected an address such as s3://bucket/prefix")
        return value.rstrip("/")

    @field_validator("bank_accounts")
    @classmethod
    def _accounts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(each.isascii() and each.isalnum() and len(each) <= 34 for each in value):
            raise ValueError("expected accounts of 1 to 34 letters and digits")
        return value

    @field_validator("claims_resolver")
    @classmethod
    def _resolver(cls, value: str) -> str:
        if not value:
            return value
        host, _, port = value.rpartition(":")
        try:
            ip_address(host.strip("[]"))
        except ValueError:
            port = ""
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
            raise ValueError("expected an address and a port such as 192.0.2.53:53")
        return value

    @field_validator("metrics_token", "witness_policy", "claims_authorities", mode="before")
    @classmethod
    def _none_if_empty(cls, value: object) -> object:
        return value or None

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        parts = urlsplit(value.get_secret_value())
        if parts.scheme not in {"postgresql", "postgres"}:
            raise ValueError("expected an address such as postgresql://user:password@host/name")
        for part in parts.netloc.rpartition("@")[2].split(","):  # several hosts may be named
            port = part.rpartition("]")[2].partition(":")[2]
            if port and not (port.isascii() and port.isdigit() and int(port) < 65_536):
                raise ValueError("expected a port from 0 to 65535 in the address")
        return value

    @classmethod
    def load(cls, **given: Any) -> Settings:
        """Return the settings of this environment; ``given`` (not None) wins over it.

        Raises ``SettingsError`` that names every variable which is wrong or which no setting reads.
        """
        given = {name: value for name, value in given.items() if value is not None}
        problems = _unknown_variables()
        try:
            settings = cls(**given)
        except ValidationError as error:
            problems += [_problem(one, given) for one in error.errors()]
        if problems:
            raise SettingsError("; ".join(problems))
        return settings

    @property
    def url(self) -> str:
        """The address under which users reach the service, without a slash at the end."""
        return self.public_url or f"http://localhost:{self.port}"

    @property
    def contact_link(self) -> str:
        """The `contact` as a link leads to it, empty without one."""
        return f"mailto:{self.contact}" if "@" in self.contact and "://" not in self.contact else self.contact

    @property
    def owed_limit_micro(self) -> int:
        """The `owed_limit` in micro-units."""
        return self.owed_limit * money.MICRO

    @property
    def site(self) -> Site:
        """Where passkeys of this registry are made and used: pages under `url`, and no others."""
        parts = urlsplit(self.url)
        return Site(parts.hostname or "", (f"{parts.scheme}://{parts.netloc}",))


def variable(field: str) -> str:
    """Return the name of the environment variable that sets ``field``."""
    return "DATABASE_URL" if field == "database_url" else PREFIX + field.upper()


class Described(NamedTuple):
    """A setting in words: its variable, what a value looks like, the default as the variable takes it, what it does."""

    field: str
    variable: str
    form: str
    default: str
    about: str


def described() -> list[Described]:
    """Return every setting in words; the default of the data folder is described, because it differs by machine."""
    found = []
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        if field.default_factory is not None:
            text = "licet-registry in your user data folder"
        else:
            text = "" if default in {None, "", ()} else shown(default)
        found.append(Described(name, variable(name), _form(field), text, field.description or ""))
    return found


def explain(settings: Settings) -> str:
    """Return a text that names every setting: its variable, what is in force, the default, its form, what it does."""
    blocks = []
    for each in described():
        value = getattr(settings, each.field)
        default = Settings.model_fields[each.field].get_default(call_default_factory=True)
        source = "default" if value == default else f"set; default {each.default or '(empty)'}"
        head = f"{each.variable} = {shown(value)}  ({source})"
        text = f"{each.about} Expects {each.form}."
        about = textwrap.fill(text, 100, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
        blocks.append(f"{head}\n{about}")
    return "\n".join(blocks) + "\n"


def _form(field: FieldInfo) -> str:
    kind = field.annotation
    limits = {type(each).__name__: each for each in field.metadata}
    low, high = getattr(limits.get("Ge"), "ge", None), getattr(limits.get("Le"), "le", None)
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    if kind is int:
        if low is not None and high is not None:
            return f"a whole number from {low} to {high}"
        return "a whole number" if low is None else f"a whole number, at least {low}"
    if kind is float:
        return "a number" if low is None or high is None else f"a number from {low} to {high}"
    if kind is timedelta:
        return "a duration such as 30s, 15m, 24h or 90d"
    if kind is Rate:
        return "a rate such as 6000/1m, or off"
    if kind == tuple[IPv4Network | IPv6Network, ...]:
        return "networks, separated by commas"
    if kind == tuple[money.Money, ...]:
        return "amounts such as 10USD,10EUR, one a currency"
    if kind == tuple[str, ...]:
        return "names, separated by commas"
    if kind is Path:
        return "a folder"
    if kind is bool:
        return "true or false"
    longest = getattr(limits.get("MaxLen"), "max_length", None)
    return "a text" if longest is None else f"a text of at most {longest} characters"


def shown(value: object) -> str:
    """Return a setting's value as its variable takes it; a secret stays hidden."""
    if value is None or value in ("", ()):
        return "(empty)"
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
            if seconds and seconds % size == 0 and seconds // size != 1:
                return f"{seconds // size}{unit}"
        return f"{seconds}s"
    if isinstance(value, tuple) and not isinstance(value, Rate):
        if all(isinstance(each, money.Money) for each in value):
            return ",".join(f"{money.to_decimal(each.micro)}{each.currency}" for each in value)
        return ",".join(str(each) for each in value)
    return str(value)


def _unknown_variables() -> list[str]:
    known = {variable(name) for name in Settings.model_fields} | {f"{PREFIX}DATABASE_URL"}
    found = []
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), sorted(known), n=1)
            hint = f", did you mean {near[0]}?" if near else "; `licet-registry settings --explain` lists them"
            found.append(f"{name}: expected a setting that exists{hint}")
    return found


def _problem(error: Any, given: dict[str, Any]) -> str:
    location = str(error["loc"][0]) if error["loc"] else ""
    name = next((field for field in Settings.model_fields if location in {field, variable(field)}), location)
    label = f"--{name.replace('_', '-')}" if name in given else variable(name)
    expected = str(error["msg"]).removeprefix("Value error, ")
    if not expected.startswith("expected "):  # the words of the library: ours say the form and the limits
        pattern = error.get("ctx", {}).get("pattern")
        expected = f"expected {f'a text like {pattern}' if pattern else _form(Settings.model_fields[name])}"
    got = "…" if name in SECRET else repr(error["input"])
    return f"{label}: {expected}, got {got}"
