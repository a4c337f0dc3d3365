"""The keys of one's account: made here, signed for here, and what the registry answers held against its log."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from licet import times
from licet.client.blocking import Client
from licet.errors import InputError, MalformedError, VerificationError
from licet.home import AccountFile, Profile, write_private
from licet.identifiers import new_uuid
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.envelope import Envelope
from licet.statements.keyring import DELEGABLE, KEY_KINDS
from licet.statements.keys import KeySet, SigningKey
from licet.statements.receipt import verify_receipt
from licet.statements.statement_file import verify_statement_file
from licet.wire.accounts import KeyAccepted, KeyInfo, Me, Recovered
from licet.wire.common import StatementFile

CODES: Final = 10
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_GROUPS, _GROUP = 6, 4  # 120 random bits
_SHORTEST: Final = 8


def add(client: Client, to: Path, key_class: Literal["root", "delegate"] = "root") -> KeyAccepted | KeyInfo:
    """Return once a new key, kept in file ``to``, may sign for the account; run again after a break, it goes on.

    The private key is written before anything is sent. A file that is there must hold a key of ours.
    """
    profile, own = _own(client)
    key = SigningKey.load(to) if to.exists() else _made(to)
    known = _known(client, key.keyid)
    if known is not None:
        return known
    account = _account(profile)
    payload = kinds.KeyRegister(
        key=kinds.PublicKey(key.public.hex()),
        kind="artist" if account.kind == "artist" else "organisation",
        key_class=key_class,
        **_next(client, account),
    )
    envelope = envelopes.seal(payload, key, own)
    return _proven(client, envelope, client.add_key(envelope))


def let_in(client: Client, envelope: Envelope, key_class: Literal["root", "delegate"], code: str) -> KeyAccepted:
    """Return once the key that asks in ``envelope`` may sign for the account of this profile, whose key signs it too.

    Raises ``VerificationError`` for anything but a ``key-register`` of this account and class that a key whose id
    begins with ``code`` has signed for itself, and ``InputError`` where the account's keys have changed since it asked.
    """
    profile, own = _own(client)
    fields = _next(client, _account(profile))
    payload = envelopes.read_as(kinds.KeyRegister, envelope)
    named = (payload.registry, payload.account, payload.genesis, payload.key_class)
    if named != (fields["registry"], fields["account"], fields["genesis"], key_class):
        raise VerificationError(f"expected a {key_class} key that asks for {fields['account']}, got another request")
    if payload.prev != fields["prev"]:
        raise InputError("the account's keys have changed since this was asked: let them open the link once more")
    new = KeySet()
    keyid = new.learn(payload.key)
    if not keyid.startswith(code):
        raise VerificationError(f"expected the request of a key that begins with {code}, got {keyid}")
    envelopes.open_as(kinds.KeyRegister, envelope, [keyid], new)
    whole = envelopes.countersign(envelope, own)
    return _proven(client, whole, client.add_key(whole))


def rotate(client: Client) -> KeyAccepted | KeyInfo:
    """Return once a new key has taken the place of this profile's; the old one is kept beside it, and signs no more.

    The new key is written before anything is sent, and becomes the profile's once the log has it: broken off anywhere,
    the same call goes on.
    """
    profile, own = _own(client)
    account = _account(profile)
    following = profile.folder / "key.next.pem"
    key = SigningKey.load(following) if following.exists() else _made(following)
    done: KeyAccepted | KeyInfo | None = _known(client, key.keyid)
    if done is None:
        payload = kinds.KeyRotate(replaces=own.keyid, key=kinds.PublicKey(key.public.hex()), **_next(client, account))
        envelope = envelopes.seal(payload, key, own)
        done = _proven(client, envelope, client.rotate_key(own.keyid, envelope))
    kept = profile.folder / f"key.{own.keyid[:16]}.pem"
    if own.keyid != key.keyid and not kept.exists():
        own.save(kept)
    following.replace(profile.key_path)
    profile.account = msgspec.structs.replace(account, keyid=key.keyid)
    return done


def revoke(client: Client, keyid: str, from_index: int | None = None) -> KeyAccepted:
    """Return once key ``keyid`` (or the only one that begins so) is ended, from its own place in the log or earlier."""
    profile, own = _own(client)
    whole = _whole(client, keyid)
    payload = kinds.KeyRevoke(keyid=whole, from_index=from_index, **_next(client, _account(profile)))
    envelope = envelopes.seal(payload, own)
    return _proven(client, envelope, client.revoke_key(whole, envelope))


def delegate(
    client: Client, keyid: str, scope: Sequence[str], days: int, works: int | None, budget: Sequence[kinds.Budget]
) -> KeyAccepted:
    """Return once delegate key ``keyid`` may sign statements of the kinds in ``scope`` for ``days`` days."""
    wanted = sorted(set(scope))
    if not wanted or not set(wanted) <= DELEGABLE:
        raise InputError.field("scope", f"any of {', '.join(sorted(DELEGABLE))}", ", ".join(wanted))
    profile, own = _own(client)
    payload = kinds.Delegation(
        keyid=_whole(client, keyid),
        scope=wanted,
        limit=kinds.Limit(works, sorted(budget, key=lambda each: each.currency)),
        valid_until=times.to_text(times.now() + timedelta(days=days)),
        **_next(client, _account(profile)),
    )
    envelope = envelopes.seal(payload, own)
    return _proven(client, envelope, client.delegate(envelope))


def recovery_codes(client: Client) -> list[str]:
    """Return ten new codes that recover the account; the registry has their digests, nobody has the codes but here."""
    profile, own = _own(client)
    codes = [_code() for _ in range(CODES)]
    digests = sorted(sha256(code.encode()).hexdigest() for code in codes)
    payload = kinds.RecoveryCodes(digests=digests, **_fields(client, _account(profile)))
    client.keep_recovery_codes(envelopes.seal(payload, own))
    return codes


def recover(client: Client, account: str, code: str) -> Recovered:
    """Return once this profile, which has no account, has a new key for ``account`` and its token.

    For 7 days the key may only tighten. Raises ``VerificationError`` where the registry cannot prove the account.
    """
    profile = client.profile
    if profile.account is not None:
        raise InputError(f"this profile is {profile.account.account} already; recover with another --profile")
    genesis, kind = _genesis(client, account)
    history = shown(client, account)
    key = SigningKey.load(profile.key_path) if profile.key_path.exists() else _made(profile.key_path)
    draft = profile.folder / "recovery.json"
    envelope = envelopes.parse(draft.read_bytes()) if draft.exists() else None
    if envelope is None or not _goes_on(envelope, account, history):
        payload = kinds.KeyRegister(
            registry=client.registry_ref(),
            account=account,
            kind=kind,
            genesis=genesis,
            key=kinds.PublicKey(key.public.hex()),
            key_class="recovered",
            issued_at=times.to_text(times.now()),
            nonce=new_uuid().hex,
            prev=history[-1],
        )
        envelope = envelopes.seal(payload, key)
        write_private(draft, envelopes.encode(envelope))
    recovered = client.recover_account(account, code.strip().lower(), envelope)
    profile.token = recovered.token.token
    client.transport.token = recovered.token.token
    profile.account = AccountFile(client.url, account, kind, client.me().name, genesis, key.keyid)
    draft.unlink(missing_ok=True)
    return recovered


def join(client: Client, account: str, key: SigningKey, delegation: str | None = None) -> kinds.Delegation | None:
    """Return what ``key`` may sign (None: a root key), once this profile stands for ``account`` and signs with it.

    For a further key of the account on another machine, or an agency's, whose ``delegation`` (``stm_…``) is proven by
    the log, not believed. The client's token is one that the account gave out. Raises ``InputError`` for a profile that
    has an account, or a token or key of another; ``VerificationError`` where the registry cannot prove it.
    """
    profile = client.profile
    if profile.account is not None:
        raise InputError(f"this profile is {profile.account.account} already; join with another --profile")
    me = client.me()
    if me.account != account:
        raise InputError.field("token", f"a token of {account}", me.account)
    given = _delegated(client, account, key.keyid, delegation, [each for each in me.keys if each.keyid == key.keyid])
    become(client, me, key)
    return given


def become(client: Client, me: Me, key: SigningKey) -> AccountFile:
    """Return the account ``me`` as this profile stands for it from now on, with ``key`` and the token in use.

    Raises ``VerificationError`` where the registry cannot prove the account.
    """
    genesis, kind = _genesis(client, me.account)
    path = client.profile.key_path
    if not path.exists() or SigningKey.load(path).keyid != key.keyid:
        key.save(path)
    if client.contact.token is not None:
        client.profile.token = client.contact.token
    own = AccountFile(client.url, me.account, kind, me.name, genesis, key.keyid)
    client.profile.account = own
    return own


def delegated(client: Client, account: str, keyid: str) -> kinds.Delegation | None:
    """Return the last delegation to key ``keyid`` in the account's history, as the log proves it; None without one."""
    file = _statement(client, account)
    verify_statement_file(file, client.trust())
    for each in reversed(file.keys):
        if each.envelope.kind == "delegation":
            given = envelopes.read_as(kinds.Delegation, each.envelope)
            if given.keyid == keyid:
                return given
    return None


def _delegated(
    client: Client, account: str, keyid: str, statement: str | None, listed: Sequence[KeyInfo]
) -> kinds.Delegation | None:
    """Return what a key of ``account`` may sign, None for a root key."""
    if any(each.revoked_from is not None for each in listed):
        raise InputError.field("key", "a key that was not revoked", keyid)
    if statement is None:
        if any(each.key_class != "delegate" for each in listed):
            return None
        raise InputError.field("--delegation", f"the statement that says what {keyid[:16]}… may sign", "none")
    payload = verify_statement_file(_statement(client, statement), client.trust()).payload
    if not isinstance(payload, kinds.Delegation) or (payload.account, payload.keyid) != (account, keyid):
        raise VerificationError(f"{statement}: expected a delegation by {account} to {keyid}, got another statement")
    if payload.valid_until <= times.to_text(times.now()):
        raise InputError.field("--delegation", "one that is in force", f"one until {payload.valid_until}")
    return payload


def _statement(client: Client, statement: str) -> StatementFile:
    try:
        return msgspec.json.decode(client.statement_file(statement), type=StatementFile)
    except msgspec.MsgspecError as error:
        raise MalformedError(f"expected a statement file from the service, got {error}") from None


def _genesis(client: Client, account: str) -> tuple[str, Literal["artist", "organisation"]]:
    file = _statement(client, account)
    verified = verify_statement_file(file, client.trust())
    if not isinstance(verified.payload, kinds.KeyRegister) or verified.payload.account != account:
        raise VerificationError(f"expected the genesis of {account}, got another statement")
    return file.envelope.payload_digest, verified.payload.kind


def shown(client: Client, account: str) -> list[str]:
    """Return the payload digests of the statements about the keys of ``account``, as anybody is shown them.

    Each is proven by the log, and none is left out in front of one that names it. What this home has once seen of its
    own account it expects for ever: raises ``VerificationError`` where that is missing.
    """
    file = _statement(client, account)
    verify_statement_file(file, client.trust())
    history = {
        each.envelope.payload_digest: each.envelope.kind for each in file.keys if each.envelope.kind in KEY_KINDS
    }
    own = client.profile.account
    if own is not None and own.account == account:
        for digest, what in _seen(client.profile.folder).items():
            if digest not in history:
                raise VerificationError(
                    f"the key history of {account} leaves out a {what} that this home has seen in the log: {digest}"
                )
        _keep_seen(client.profile.folder, history)
    return list(history)


def _goes_on(envelope: Envelope, account: str, history: Sequence[str]) -> bool:
    """Whether a recovery that was broken off can go on with ``envelope``: it was taken, or still would be."""
    payload = envelopes.read_as(kinds.KeyRegister, envelope)
    return payload.account == account and (payload.prev == history[-1] or envelope.payload_digest in history)


def _seen(folder: Path) -> dict[str, str]:
    """Return the key statements that this home has seen in the log: kind by payload digest."""
    try:
        return msgspec.json.decode((folder / "keys.json").read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"{folder / 'keys.json'}: expected the key statements that were seen, got {error}") from None


def _keep_seen(folder: Path, more: Mapping[str, str]) -> None:
    known = _seen(folder)
    if not more.keys() <= known.keys():
        with contextlib.suppress(OSError):  # a home that cannot be written keeps nothing
            write_private(folder / "keys.json", msgspec.json.encode({**known, **more}))


def _own(client: Client) -> tuple[Profile, SigningKey]:
    profile = client.need_account()
    return profile, SigningKey.load(profile.key_path)


def _account(profile: Profile) -> AccountFile:
    account = profile.account
    assert account is not None  # `need_account` has looked
    return account


def _fields(client: Client, account: AccountFile) -> dict[str, Any]:
    return {
        "registry": client.registry_ref(),
        "account": account.account,
        "genesis": account.genesis,
        "issued_at": times.to_text(times.now()),
        "nonce": new_uuid().hex,
    }


def _next(client: Client, account: AccountFile) -> dict[str, Any]:
    """Return the fields of the next statement about the account's keys, behind all that there is."""
    return {**_fields(client, account), "prev": shown(client, account.account)[-1]}


def _proven(client: Client, envelope: Envelope, accepted: KeyAccepted) -> KeyAccepted:
    verify_receipt(accepted.receipt, envelope, client.working_keys())
    _keep_seen(client.profile.folder, {envelope.payload_digest: envelope.kind})
    return accepted


def _listed(client: Client) -> list[KeyInfo]:
    return list(client.keys())


def _known(client: Client, keyid: str) -> KeyInfo | None:
    return next((each for each in _listed(client) if each.keyid == keyid), None)


def _whole(client: Client, keyid: str) -> str:
    found = [each.keyid for each in _listed(client) if each.keyid.startswith(keyid)]
    if len(keyid) < _SHORTEST or len(found) != 1:
        raise InputError.field("key", f"a key of this account, or its first {_SHORTEST} digits or more", keyid)
    return found[0]


def _made(path: Path) -> SigningKey:
    key = SigningKey.generate()
    key.save(path)
    return key


def _code() -> str:
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
