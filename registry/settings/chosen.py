"""Every setting of the service: its type, its default, what it does."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import platformdirs
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from licet import money
from registry.errors import SettingsError
from registry.settings import checks, wording
from registry.settings.values import PAYOUT_MINIMUM, Amounts, Duration, Names, Networks, Rated, rate_of
from registry.settings.wording import PREFIX


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
        tuple(money.parse(each) for each in PAYOUT_MINIMUM.split(",")),
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

    _absolute = field_validator("public_url", "tracing_url")(checks.absolute)
    _reached = field_validator("contact")(checks.reached)
    _bucket = field_validator("publish_to", "archive_to")(checks.bucket)
    _accounts = field_validator("bank_accounts")(checks.accounts)
    _resolver = field_validator("claims_resolver")(checks.resolver)
    _none_if_empty = field_validator("metrics_token", "witness_policy", "claims_authorities", mode="before")(
        checks.none_if_empty
    )
    _postgresql = field_validator("database_url")(checks.postgresql)

    @classmethod
    def load(cls, **given: Any) -> Settings:
        """Return the settings of this environment; ``given`` (not None) wins over it.

        Raises ``SettingsError`` that names every variable which is wrong or which no setting reads.
        """
        given = {name: value for name, value in given.items() if value is not None}
        problems = wording.unknown_variables(cls.model_fields)
        try:
            settings = cls(**given)
        except ValidationError as error:
            problems += [wording.problem(one, given, cls.model_fields) for one in error.errors()]
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
