"""An account from nothing: a key made here, its genesis signed by itself, the registry pinned."""

from __future__ import annotations

import msgspec

from licet import times
from licet.client.blocking import Client
from licet.errors import InputError, MalformedError
from licet.home import AccountFile, write_private
from licet.identifiers import new_id, new_uuid
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.keys import SigningKey
from licet.statements.kinds import KeyRegister, PublicKey
from licet.wire.accounts import AccountCreated

PREFIXES = {"artist": "art", "organisation": "org"}


def create(client: Client, kind: str, name: str) -> AccountCreated:
    """Return the new account of this profile once its genesis is in the log; key and token are kept in the home.

    Interrupted anywhere, the same call again sends the same genesis: one account comes of it. Raises ``InputError``
    if the profile has an account already.
    """
    if kind not in PREFIXES:
        raise InputError.field("kind", " or ".join(PREFIXES), kind)
    profile = client.profile
    if profile.account is not None:
        raise InputError(
            f"this profile is {profile.account.account} already; another one needs another --profile or LICET_HOME"
        )
    if profile.key_path.exists():
        key = SigningKey.load(profile.key_path)
    else:
        key = SigningKey.generate()
        key.save(profile.key_path)
    draft = profile.folder / "genesis.json"
    ref = client.registry_ref()
    envelope: Envelope | None = None
    if draft.exists():
        envelope = envelopes.parse(draft.read_bytes())
        payload = envelopes.read_as(KeyRegister, envelope)
        if payload.kind != kind or payload.registry != ref:
            envelope = None
    if envelope is None:
        payload = KeyRegister(
            registry=ref,
            account=new_id(PREFIXES[kind]),
            kind="artist" if kind == "artist" else "organisation",
            genesis=None,
            key=PublicKey(key.public.hex()),
            key_class="root",
            issued_at=times.to_text(times.now()),
            nonce=new_uuid().hex,
        )
        envelope = envelopes.seal(payload, key)
        write_private(draft, envelopes.encode(envelope))
    created = client.create_account(name, envelope)
    if (created.account, created.genesis) != (payload.account, envelope.payload_digest):
        raise MalformedError("expected the account and genesis that we signed, got others from the service")
    profile.token = created.token.token
    profile.account = AccountFile(client.url, created.account, kind, name, created.genesis, key.keyid)
    client.transport.token = created.token.token
    draft.unlink(missing_ok=True)
    return created


def keep_receipt(client: Client, receipt: msgspec.Struct, name: str) -> None:
    """Keep a receipt in the profile: what proves later what the registry acknowledged."""
    write_private(client.profile.folder / "receipts" / f"{name}.json", msgspec.json.encode(receipt))
