"""What a command believes of a registry, and where it reads its log: pinned root, ``--policy``, ``--url``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

import msgspec

from licet.errors import InputError, MalformedError
from licet.misfits import unlike

if TYPE_CHECKING:
    from licet.audit.mirror import Mirror
    from licet.home import Profile, TrustFile
    from licet.log.policy import Policy

_MAX_FILE: Final = 64 << 20


def read_policy(path: Path) -> Policy:
    """Return the policy in ``path``; raises ``InputError`` that names the file, and the line where there is one."""
    from licet.log import policy

    try:
        data = path.read_bytes() if path.stat().st_size <= policy.MAX_BYTES else b"#" * (policy.MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"--policy: {path}: cannot be read: {error.strerror}") from None
    try:
        return policy.parse(data)
    except MalformedError as error:
        raise InputError(f"--policy: {path}: {error.message}", **error.details) from None


def believed(policy: Path | None, profile: Profile) -> tuple[TrustFile | None, Policy | None]:
    """Return the root that vouches (of the trust file ``policy``, else the pinned one) and the rules of the policy.

    A policy about other logs than that of the pinned registry goes without its root. Raises ``InputError``.
    """
    from licet.home import TrustFile
    from licet.log import policy as policies

    if policy is None:
        return profile.trust, None
    try:
        text = policy.read_bytes() if policy.stat().st_size <= _MAX_FILE else b""
        if not policies.looks_like(text):
            return msgspec.json.decode(text, type=TrustFile), None
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(
            f"--policy: expected a policy, or a trust file with origin and root, got {unlike(error)}"
        ) from None
    rules, pinned = read_policy(policy), profile.trust
    if rules.logs and pinned is not None and all(each.verifier.name != pinned.origin for each in rules.logs):
        pinned = None
    return pinned, rules


@contextmanager
def published(url: str) -> Iterator[Mirror]:
    """Give the log that is published at ``url``: an address, or a folder (``file:///…``, or its path)."""
    from licet.audit.mirror import at_address, in_folder

    parts = urlsplit(url)
    if parts.scheme in ("http", "https"):
        from licet.transport import Transport

        with Transport(url) as source:
            yield at_address(lambda path: source.request("GET", path).body, url)
    elif parts.scheme == "file" and parts.netloc in ("", "localhost"):
        yield in_folder(Path(url2pathname(parts.path)))
    elif "://" in url:
        raise InputError.field("--url", "http://…, https://…, file:///… or a folder", url)
    else:
        yield in_folder(Path(url))
