"""Two clients, one core: neither can do what the other can not, and each call is what the service describes."""

from __future__ import annotations

import asyncio
import inspect
import json
import pkgutil
import re
import typing
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from licet.client import asnapshots, asynchronous, blocking, contact, endpoints, snapshots
from licet.client.endpoints.listing import Listing
from licet.datasets import asession, pinned, session
from licet.exchange.calls import Call
from licet.wire.works import MetadataChange

ROOT = Path(__file__).resolve().parents[2]
PAIRS = [
    (blocking.Client, asynchronous.AsyncClient),
    (session.Client, asession.AsyncClient),
    (snapshots.ClientSnapshot, asnapshots.AsyncClientSnapshot),
    (pinned.SessionSnapshot, pinned.AsyncSessionSnapshot),
]
ASYNC_ONLY = {"in_thread"}
SYNC_ONLY = {"over", "dataset"}
AWAITED_PROPERTIES = {"store"}  # reads the disk, or asks the service


def public(kind: type) -> dict[str, Any]:
    return {name: getattr(kind, name) for name in dir(kind) if not name.startswith("_")}


def plain(annotation: Any) -> str:
    """An annotation as text, the asynchronous twin's words taken for the synchronous ones."""
    text = annotation if isinstance(annotation, str) else str(annotation)
    return text.replace("Async", "").replace("Awaitable", "")


def signature_of(method: Callable[..., Any]) -> list[tuple[str, Any, Any, str]]:
    found = inspect.signature(method)
    rows = [(each.name, each.kind, each.default, plain(each.annotation)) for each in found.parameters.values()]
    return [*rows, ("return", None, None, plain(found.return_annotation))]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_both_clients_have_the_same_methods(one: type, other: type) -> None:
    sync, twins = public(one), public(other)
    assert set(sync) - SYNC_ONLY == set(twins) - ASYNC_ONLY
    for name, method in sync.items():
        if name in SYNC_ONLY | AWAITED_PROPERTIES or isinstance(method, property):
            continue
        twin = twins[name]
        assert signature_of(twin) == signature_of(method), name
        assert name == "close" or inspect.getdoc(twin) == inspect.getdoc(method), name
        iterates = "Iterator[" in str(inspect.signature(method).return_annotation)
        blocking = name != "need_account" and not iterates
        assert inspect.iscoroutinefunction(twin) == blocking, name


#: What the service has and no method of a client asks, and why.
ELSEWHERE = {
    "getWelcome": "a page for browsers",
    "getDescription": "for generators of clients",
    "getMetrics": "for an operator's collector",
    "getReady": "for an operator's balancer",
    "getStates": "`licet monitor` checks each answer",
    "getSnapshot": "`client.snapshot.pull` fetches and verifies it",
    "getSegment": "`client.snapshot.pull` fetches and verifies it, and goes on where it was cut",
    "getTile": "large and for good: `licet.log.tiles` names and verifies what a reader of the log fetches",
    **dict.fromkeys(
        ("passkeyOptions", "draftPasskey", "signInOptions", "signIn", "stepUpOptions", "stepUp", "signOut"),
        "a browser's ceremony: passkeys and their cookie are for pages",
    ),
    **dict.fromkeys(
        (
            "getWorkTermsRsl",
            "getWorkTermsTdmrep",
            "getWorkTermsTdmPolicy",
            "getWorkTermsOdrl",
            "getWorkTermsCawg",
            "getWorkTermsCroissant",
            "getWorkTermsXmp",
            "getRobots",
            "getAiTxt",
            "getTdmrep",
        ),
        "for crawlers: `licet signals` reads what they read",
    ),
    "queryUrls": "for clients of another registry: `query` and `check` say more",
    **dict.fromkeys(
        ("issueLicenceToken", "introspectLicenceToken"),
        "for crawlers and sites that speak RSL's protocol: any client of OAuth does",
    ),
    "exportAccount": "a stream: `account_export` of both clients, and `licet account export` to files",
    "getAuditBundle": "`licet audit pull` streams it to a file and verifies it",
    "exportAudit": "`licet audit export` streams it to a file",
}


def operations() -> dict[str, tuple[str, str, Any]]:
    """What the service describes: method, path and operation by name."""
    document = json.loads((ROOT / "openapi" / "openapi.json").read_bytes())
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict) and "operationId" in operation
    }


def modules(room: ModuleType) -> list[ModuleType]:
    """What a package consists of."""
    return [import_module(f"{room.__name__}.{each.name}") for each in pkgutil.iter_modules(room.__path__)]


def described() -> Iterator[Any]:
    """Each endpoint's description, made with arguments that fit their types."""
    for name, make in ((name, make) for room in modules(endpoints) for name, make in vars(room).items()):
        if not inspect.isfunction(make) or name.startswith("_") or not make.__module__.startswith(endpoints.__name__):
            continue
        returned = str(inspect.signature(make).return_annotation)
        if not returned.startswith(("Call[", "Listing[")) or name == "listed":
            continue
        values = {each: stand_in(each, str(one.annotation)) for each, one in inspect.signature(make).parameters.items()}
        made = make(**values)
        yield pytest.param(made.first if isinstance(made, Listing) else made, made, id=name)


def stand_in(name: str, annotation: str) -> Any:
    if name == "wanted":
        from licet.statements.kinds import Use
        from licet.wire.licensing import QuoteRequest

        use = Use(["train-gen"], ["commercial"], None, "a/b", "1", "one-version", None)
        return QuoteRequest(use, [], None, "1", [])
    plain_values: dict[str, Any] = {
        "str": "an/id?",
        "int": 0,
        "Filters": {},
        "bytes | Path": b"x",
        "dict[str, Any]": {},
        "Envelope": None,
        "int | None": None,
        "catalogue.MetadataChange": MetadataChange(title="The goldfish"),
        "Sequence[str] | None": None,
    }
    if name == "pictures":
        return [b"x"]  # one, as in the example of its answer
    if annotation.startswith("Sequence["):
        return []
    return plain_values.get(annotation, "near")


@pytest.mark.parametrize(("call", "made"), list(described()))
def test_each_call_is_what_the_service_describes(call: Call[Any], made: Any) -> None:
    method, path, operation = operations()[call.operation]
    assert call.method == method
    assert re.fullmatch(re.sub(r"\{\w+\}", "[^/?#]+", path), call.path), (call.path, path)
    names = {each.get("name") or each["$ref"].rsplit("/", 1)[-1] for each in operation.get("parameters", [])}
    assert (call.key is not None) == ("IdempotencyKey" in names or method in ("PUT", "PATCH", "DELETE"))
    wanted = [each["bearer"] for each in operation.get("security") or [] if "bearer" in each]
    anonymous = {} in (operation.get("security") or [{}])
    if anonymous:
        assert call.scope is None
    else:
        assert [call.scope] in wanted or (call.scope == "" and [] in wanted), call.scope
    assert isinstance(made, Listing) == ({"limit", "cursor"} <= names)


def test_every_operation_of_the_service_is_in_the_clients_or_explained() -> None:
    asked = {case.values[0].operation for case in described()}
    assert asked | set(ELSEWHERE) == set(operations())
    assert asked & set(ELSEWHERE) == set()


def test_both_clients_ask_the_same_and_leave_nothing_out() -> None:
    named = re.compile(r"(?:endpoints|_calls)\.(\w+)\(")
    written = (modules(blocking), modules(asynchronous), [contact])
    asked = [set(named.findall("\n".join(map(inspect.getsource, each)))) for each in written]
    assert asked[0] == asked[1]
    everything = {case.id for case in described()}
    streamed = {"account_export"}  # a path: no call that is read as a whole
    chosen = {"fits_columns"}  # says which of two calls usage goes by
    assert asked[0] | asked[2] == everything - {"live"} | streamed | chosen  # `licet doctor` asks that one


def test_every_annotation_of_the_public_methods_resolves() -> None:
    for kind in (blocking.Client, asynchronous.AsyncClient):
        for name, method in public(kind).items():
            if inspect.isfunction(method):
                module = inspect.getmodule(method)
                assert module is not None
                names = {
                    **vars(module),
                    "Fingerprint": object,
                    "KeyRange": object,
                    "ClientSnapshot": object,
                    "AsyncClientSnapshot": object,
                }
                assert typing.get_type_hints(method, names), name


def test_a_synchronous_client_works_inside_a_running_loop(tmp_path: Path) -> None:
    """As in a notebook: nothing of it waits for the loop that it is called in."""
    from licet.home import Home
    from licet.statements.keys import SigningKey
    from tests.sdk.test_pinning import Serving, info

    says = info(SigningKey.generate())
    serving = Serving(says)

    async def cell() -> Any:
        with blocking.Client(serving.url, home=Home(tmp_path)) as made:
            return made.registry()

    try:
        assert asyncio.run(cell()) == says
    finally:
        serving.end()
