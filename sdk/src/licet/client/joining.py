"""A key made here for an account that somebody else opened: asked for by a link, let in by a passkey in a browser.

The new key signs its own ``key-register`` first; the page behind the link shows what that says, and a passkey of the
account signs the same bytes. Nothing secret is in the link, and nothing follows from it without the passkey. Or the
account has sent an invitation (`ask_by`): then the key hands its request in by itself, and no link goes back.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from licet import times
from licet.client import keys
from licet.client.blocking import Client
from licet.errors import InputError, MalformedError
from licet.home import AccountFile, write_private
from licet.identifiers import new_uuid
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.envelope import Envelope
from licet.statements.keys import SigningKey
from licet.statements.webauthn import to_base64url
from licet.wire.accounts import InvitationSeen

PAGE: Final = "/en/organisation/keys/add"


class Asked(NamedTuple):
    """What waits for a passkey: the new key's id, what it may become, and where to let it in."""

    keyid: str
    key_class: str
    link: str


def ask(client: Client, account: str, key_class: Literal["root", "delegate"]) -> Asked:
    """Return where the key of this profile is let into the organisation ``account``; the key is made if it is not yet.

    Again, the same key asks; in other words only where the account's keys have changed meanwhile. Raises ``InputError``
    for a profile that has an account, a token of another account, and the account of an artist.
    """
    profile = client.profile
    if profile.account is not None:
        raise InputError(f"this profile is {profile.account.account} already; join with another --profile")
    me = client.me()
    if me.account != account:
        raise InputError.field("token", f"a token of {account}", me.account)
    if me.kind != "organisation":
        raise InputError.field("--key", "a key file that `licet account key add` made, for an artist's account", None)
    key, envelope = _request(client, account, me.genesis, key_class)
    # A session of a browser is of one address: that of the registry's pages, however this program reaches it.
    site = client.registry().url or client.url
    return Asked(key.keyid, key_class, f"{site}{PAGE}#{to_base64url(envelopes.encode(envelope))}")


def ask_by(client: Client, secret: str) -> InvitationSeen:
    """Return the invitation behind a link's ``secret`` once the key of this profile waits to be let in by it.

    The key is made if it is not yet; again, the same key asks. Raises ``InputError`` for a profile that has an account
    and for an invitation that is over, ``VerificationError`` where the registry cannot prove the account.
    """
    profile = client.profile
    if profile.account is not None:
        raise InputError(f"this profile is {profile.account.account} already; join with another --profile")
    seen = client.open_invitation(secret)
    own = SigningKey.load(profile.key_path).keyid if profile.key_path.exists() else None
    if seen.state != "open" and (own is None or seen.keyid != own):
        raise InputError.field("invitation", "one that nobody has used, and that has not ended", seen.state)
    if seen.state == "joined":
        return seen
    genesis = keys.shown(client, seen.account)[0]
    _, envelope = _request(client, seen.account, genesis, seen.key_class)
    return client.ask_to_join(secret, envelope)


def _request(
    client: Client, account: str, genesis: str | None, key_class: Literal["root", "delegate"]
) -> tuple[SigningKey, Envelope]:
    """Return the key of this profile, which is made if it is not yet, and its own signed ``key-register``."""
    profile, history = client.profile, keys.shown(client, account)
    key = SigningKey.load(profile.key_path) if profile.key_path.exists() else SigningKey.generate()
    if not profile.key_path.exists():
        key.save(profile.key_path)
    draft = profile.folder / "joining.json"
    envelope = envelopes.parse(draft.read_bytes()) if draft.exists() else None
    if envelope is None or not _stands(envelope, account, key, key_class, history[-1]):
        payload = kinds.KeyRegister(
            registry=client.registry_ref(),
            account=account,
            kind="organisation",
            genesis=genesis,
            key=kinds.PublicKey(key.public.hex()),
            key_class=key_class,
            issued_at=times.to_text(times.now()),
            nonce=new_uuid().hex,
            prev=history[-1],
        )
        envelope = envelopes.seal(payload, key)
        write_private(draft, envelopes.encode(envelope))
    return key, envelope


def joined(client: Client, account: str) -> tuple[AccountFile, kinds.Delegation | None] | None:
    """Return whom this profile stands for with what delegation, once its key was let in; None while it was not.

    A delegate key is let in once the log has what it may sign. Raises ``InputError`` for a key that was ended, and for
    a delegation that is over.
    """
    profile = client.profile
    if not profile.key_path.exists():
        return None
    key = SigningKey.load(profile.key_path)
    me = client.me()
    listed = next((each for each in me.keys if each.keyid == key.keyid), None)
    if listed is None:
        return None
    if listed.revoked_from is not None:
        raise InputError.field("key", f"one that was not ended; {profile.key_path} can be removed", key.keyid)
    given = None
    if listed.key_class == "delegate":
        given = keys.delegated(client, account, key.keyid)
        if given is None:
            return None
        if given.valid_until <= times.to_text(times.now()):
            raise InputError.field("delegation", "one that is in force: renew it at the portal", given.valid_until)
    own = keys.become(client, me, key)
    (profile.folder / "joining.json").unlink(missing_ok=True)
    return own, given


def _stands(envelope: Envelope, account: str, key: SigningKey, key_class: str, head: str) -> bool:
    """Whether what was asked before still says what is to be asked now."""
    try:
        payload = envelopes.read_as(kinds.KeyRegister, envelope)
    except MalformedError:
        return False
    said = (payload.account, payload.key, payload.key_class, payload.prev)
    return said == (account, kinds.PublicKey(key.public.hex()), key_class, head)
