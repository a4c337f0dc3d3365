"""``licet doctor``: what is wrong with this set-up, and what to do."""

from __future__ import annotations

import difflib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from licet import times
from licet.cli.output import COMMON, Common, show
from licet.counted import many
from licet.errors import InputError, LicetError, NotAllowedError, UnreachableError, VerificationError

if TYPE_CHECKING:
    from licet.client import Client

VARIABLES: Final = frozenset(
    {"LICET_CACHE", "LICET_DECODERS", "LICET_HOME", "LICET_PROFILE", "LICET_TIMEOUT", "LICET_TOKEN", "LICET_URL"}
)
EXTRAS: Final = {  # extra → the modules that it brings, what it is for
    "images": (("cv2", "PIL", "iscc_lib"), "looks into pictures"),
    "fast": (("numba",), "near-duplicates of many pictures found sooner"),
    "hf": (("datasets",), "reads and writes Hugging Face datasets"),
    "cloud": (("obstore",), "filters what lies in S3, Google, Azure or the hub"),
}
PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
ROOM: Final = 1 << 30  # bytes
SOON: Final = timedelta(days=14)  # a token that ends within it is worth a word


_FIRST: Final = "`licet snapshot pull` fetches one; `licet check` and `licet filter` do so by themselves"


class Finding(msgspec.Struct, frozen=True):
    """What was looked at; ``ok`` is false for what is wrong, ``do`` says what to do (also for what may stay).

    ``not_yet``: nothing is wrong, and ``do`` has to come first before anything is decided here.
    """

    check: str
    ok: bool
    says: str
    do: str | None = None
    not_yet: bool = False


class Wrong(Exception):  # what was found, not a failure of the check
    """Something is wrong: what, and what to do."""

    def __init__(self, says: str, do: str) -> None:
        super().__init__(says)
        self.do = do


class NotYet(Exception):
    """Nothing is wrong: something was not done yet, and what to do for it."""

    def __init__(self, says: str, do: str) -> None:
        super().__init__(says)
        self.do = do


def doctor(*, common: Common = COMMON) -> int:
    """Look at versions, variables, home, service, clock, registry, account and snapshot; exit 1 if one is wrong."""
    findings = [*_looked_at(_HERE, None)]
    try:
        client = common.client()
    except LicetError as error:
        findings.append(Finding("client", False, str(error), "set right what it names"))
    else:
        with client:
            findings += _looked_at(_THERE, client)
    wrong = [finding for finding in findings if not finding.ok]
    show(common, {"ok": not wrong, "findings": findings}, list(_lines(findings)))
    return 1 if wrong else 0


def _lines(findings: list[Finding]) -> Iterator[str]:
    for finding in findings:
        state = "not yet" if finding.not_yet else "ok" if finding.ok else "WRONG"
        yield f"{state:<7} {finding.check}: {finding.says}"
        if finding.do:
            yield f"        → {finding.do}"


def _looked_at(checks: dict[str, Check], client: Client | None) -> Iterator[Finding]:
    unanswered = False
    for name, check in checks.items():
        if unanswered and name in _ASKING:
            yield Finding(name, True, "not examined: the service does not answer")
            continue
        try:
            said = check(client)  # type: ignore[arg-type]  # those of _HERE take None
            says, do = said if isinstance(said, tuple) else (said, None)
            yield Finding(name, True, says, do)
        except NotYet as found:
            yield Finding(name, True, str(found), found.do, True)
        except Wrong as found:
            yield Finding(name, False, str(found), found.do)
        except LicetError as error:
            unanswered = unanswered or isinstance(error, UnreachableError)
            yield Finding(name, False, str(error), _remedy(name, error))
        except OSError as error:
            yield Finding(name, False, f"{error.filename}: {error.strerror}", "make it readable and writable")


def _remedy(name: str, error: LicetError) -> str | None:
    if isinstance(error, UnreachableError):
        return "start it (`licet-registry up`), or set LICET_URL to where it is"
    if name == "registry" and isinstance(error, VerificationError):
        return (
            "if LICET_URL is right, ask the registry's operator why before you trust it: nothing is believed till then"
        )
    if isinstance(error, NotAllowedError):
        return "unset LICET_TOKEN or set a new one: `licet token create` makes one, from a profile with an account"
    return f"set {error.details['field']}" if str(error.details.get("field", "")).startswith("LICET_") else None


Check = Callable[["Client"], "str | tuple[str, str | None]"]


def _versions(_: object) -> str:
    try:
        service = version("licet-registry")
    except PackageNotFoundError:
        service = ""
    if service and service != version("licet"):
        raise Wrong(f"licet {version('licet')} beside licet-registry {service}", "install the same version of both")
    return f"Python {sys.version.split()[0]}, licet {version('licet')}" + (", licet-registry too" if service else "")


def _variables(_: object) -> str | tuple[str, str | None]:
    named = {name for name in os.environ if name.startswith("LICET_") and not name.startswith("LICET_REGISTRY_")}
    for name in sorted(named - VARIABLES):
        close = difflib.get_close_matches(name, VARIABLES, 1)
        raise Wrong(f"{name} means nothing", f"did you mean {close[0]}?" if close else "remove it")
    proxies = [name for name in PROXIES if os.environ.get(name) or os.environ.get(name.lower())]
    seen = ", ".join([*sorted(named), *proxies]) or "none set"
    return seen, f"requests to other machines go by {', '.join(proxies)}" if proxies else None


def _extras(_: object) -> str | tuple[str, str | None]:
    absent = {name: purpose for name, (modules, purpose) in EXTRAS.items() if not all(map(find_spec, modules))}
    if not absent:
        return "all here"
    told = ", ".join(f"{name} ({purpose})" for name, purpose in absent.items())
    return f"absent: {told}", f"`pip install 'licet[{','.join(absent)}]'` if you want that"


def _home(client: Client) -> str:
    folder, profile = client.home.folder, client.profile
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK):
        raise Wrong(f"{place} cannot be written", "set LICET_HOME (and LICET_CACHE for snapshots) to a folder of yours")
    for path in (profile.key_path, profile.folder / "token"):
        if path.exists() and path.stat().st_mode & 0o077:
            raise Wrong(f"{path} can be read by others", f"chmod 600 {path}")
    known = profile.account
    return f"{folder}, {known.account if known else 'no account in this profile (not needed to filter)'}"


def _space(client: Client) -> str:
    place = Path(os.environ.get("LICET_CACHE") or client.home.folder).expanduser()
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < ROOM:
        raise Wrong(f"{free >> 20} MiB free at {place}", "make room, or set LICET_CACHE to a larger disk")
    return f"{free / ROOM:.0f} GiB free at {place}"


def _address(client: Client) -> str:
    known = client.profile.account
    if client.contact.elsewhere is not None and known is not None:
        raise Wrong(
            f"LICET_URL is {client.url}, this profile's account is at {known.url}: its token is not sent",
            f"unset LICET_URL, or use another --profile for {client.url}",
        )
    return f"{client.url}, " + ("where this profile's account is" if known else "as LICET_URL says or by default")


def _service(client: Client) -> str:
    from licet.client.endpoints import registry as endpoints

    try:
        client.transport.do(endpoints.live())
    except LicetError as error:
        if error.status not in (404, 405):
            raise
        client.transport.do(endpoints.registry())
        return (
            f"{client.url} is a mirror: it has what the registry publishes (log, exact tier), and neither accounts nor "
            f"the near tier"
        )
    return f"{client.url} answers"


def _compatible(client: Client) -> str:
    from licet.client.endpoints import registry as endpoints

    theirs, ours = client.transport.do(endpoints.registry()).version, version("licet")
    if theirs.split(".")[:2] != ours.split(".")[:2]:
        raise Wrong(f"the service is of version {theirs}, this licet of {ours}", f"`pip install licet=={theirs}`")
    return f"the service is of version {theirs}"


def _clock(client: Client) -> str:
    from licet.exchange.clocks import wrong_clock

    offset = client.transport.clock_offset
    wrong = wrong_clock(offset)
    if wrong is not None:
        raise Wrong(wrong, "set the clock by NTP: until then snapshots are refused and statements may be")
    return "not compared: the service did not say its time" if offset is None else "right to a few seconds"


def _registry(client: Client) -> str:
    keys = client.working_keys()
    return f"{keys.ref.origin}, root {keys.ref.key[:16]}… is pinned and names {len(keys.lines)} working keys"


def _account(client: Client) -> str | tuple[str, str | None]:
    if client.transport.token is None:
        return "no token: exact look-ups only", "`licet account create` makes an account"
    try:
        me, known = client.me(), client.profile.account
    except LicetError as error:
        if error.status not in (404, 405):
            raise
        raise Wrong(
            f"{client.url} knows no accounts: it is a mirror, or no registry",
            "set LICET_URL to the registry itself, or unset LICET_TOKEN: a mirror needs none",
        ) from None
    if known is not None and known.account != me.account:
        raise Wrong(
            f"the token is {me.account}'s, the profile {known.account}'s", "unset LICET_TOKEN, or use --profile"
        )
    if known is not None and known.keyid not in {key.keyid for key in me.keys if key.revoked_from is None}:
        raise Wrong("the service does not know this profile's key", "restore key.pem of the account from your copy")
    says = f"{me.name} ({me.account}), this token may {', '.join(me.scopes)}"
    if me.token_expires_at is None:
        return says
    left = times.from_text(me.token_expires_at) - times.now()
    says += f" until {me.token_expires_at[:10]}"
    if left > SOON:
        return says
    days = max(left.days, 0)
    rest = many(days, "day") if days > 1 else f"{max(left.total_seconds(), 0) / 3600:.0f} h"
    if "account" in me.scopes:
        do = f"`licet token create --scope {','.join(me.scopes)}` makes the next one: set LICET_TOKEN to it"
    else:
        do = "make the next one in time: `licet token create`, from a profile whose own token has the scope account"
    return f"{says}, {rest} from now", do


def _snapshot(client: Client) -> str | tuple[str, str | None]:
    if client.profile.trust is None:  # then nothing can have been pulled
        raise NotYet("no snapshot here yet", _FIRST)
    if not (client.snapshot.store.folder / "manifest.json").exists():
        raise NotYet("no snapshot here yet", _FIRST)
    try:
        found = client.snapshot.info()
    except InputError as error:
        raise Wrong(error.message, "`licet snapshot pull` fetches one") from None
    left = (times.from_text(found.expires_at) - times.now()).total_seconds() / 3600
    if found.expired:
        raise Wrong(f"the snapshot expired at {found.expires_at}", "`licet snapshot pull` fetches a newer one")
    return f"{many(found.works, 'work')} at log size {found.log_size}, good for {left:.1f} h more"


_HERE: Final[dict[str, Check]] = {"versions": _versions, "variables": _variables, "extras": _extras}
_THERE: Final[dict[str, Check]] = {
    "home": _home,
    "space": _space,
    "address": _address,
    "service": _service,
    "clock": _clock,
    "registry": _registry,
    "compatible": _compatible,
    "account": _account,
    "snapshot": _snapshot,
}
_ASKING: Final = frozenset({"clock", "registry", "compatible", "account"})  # of no use where nobody answers
