"""An account from nothing: a key made here, its genesis signed by itself, the registry pinned."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from licet import times
from licet.client.blocking import Client
from licet.errors import InputError, MalformedError
from licet.home import AccountFile, write_private
from licet.identifiers import new_id, new_uuid
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.keys import SigningKey
from licet.statements.kinds import KeyRegister, PublicKey, TokenRequest
from licet.wire.accounts import AccountCreated, SpendLimitWanted, TokenCreated
from licet.wire.erasure import ErasureAnswer

PREFIXES = {"artist": "art", "organisation": "org"}


def create(client: Client, kind: str, name: str) -> AccountCreated:
    """Return the new account of this profile once its genesis is in the log; key and token are kept in the home.

    Interrupted anywhere, the same call again sends the same genesis: one account comes of it, with the name that it was
    opened with. Raises ``InputError`` if the profile has an account already.
    """
    if kind not in PREFIXES:
        raise InputError.field("kind", " or ".join(PREFIXES), kind)
    with client.profile.alone():  # of two commands at once the second finds the account of the first
        return _create(client, kind, name)


def _create(client: Client, kind: str, name: str) -> AccountCreated:
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
    resumed = False
    ref = client.registry_ref()
    envelope: Envelope | None = None
    if draft.exists():
        envelope = envelopes.parse(draft.read_bytes())
        payload = envelopes.read_as(KeyRegister, envelope)
        if payload.kind != kind or payload.registry != ref:
            envelope = None
        resumed = envelope is not None
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
    client.transport.token = created.token.token
    if resumed:  # an account that a call before this one opened has the name of then
        name = client.me().name
    profile.account = AccountFile(client.url, created.account, kind, name, created.genesis, key.keyid)
    draft.unlink(missing_ok=True)
    return created


def stepped_up(
    client: Client, scopes: Sequence[str], days: int = 1, *, spend_limit: SpendLimitWanted | None = None
) -> TokenCreated:
    """Return a token for ``scopes``, also those that this profile's token has not: its root key signs for it."""
    profile = client.need_account()
    account = profile.account
    assert account is not None  # `need_account` has looked
    wish = TokenRequest(
        registry=client.registry_ref(),
        account=account.account,
        genesis=account.genesis,
        scopes=sorted(set(scopes)),
        issued_at=times.to_text(times.now()),
        nonce=new_uuid().hex,
    )
    envelope = envelopes.seal(wish, SigningKey.load(profile.key_path))
    return client.create_token(wish.scopes, days, envelope, spend_limit=spend_limit)


def erase(client: Client, *, deny: bool = True) -> ErasureAnswer:
    """Return once the account of this profile is erased, and forgotten by the profile; its keys and receipts stay.

    A token that may do it is made first, for which the profile's root key signs.
    """
    profile = client.need_account()
    account = profile.account
    assert account is not None  # `need_account` has looked
    client.transport.token = stepped_up(client, ["erase"]).token
    done = client.erase_account(account.account, deny=deny)
    if done.receipt is not None and done.statement is not None:
        keep_receipt(client, done.receipt, done.statement)
    profile.forget_token()
    return done


def keep_receipt(client: Client, receipt: msgspec.Struct, name: str) -> None:
    """Keep a receipt in the profile: what proves later what the registry acknowledged."""
    write_private(client.profile.folder / "receipts" / f"{name}.json", msgspec.json.encode(receipt))
