"""One registry for all whole-system tests, and a second one that the first must not be mistaken for."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from tests.registry.claims.internet import Internet, internet
from tests.whole import ordinary
from tests.whole.stage import Person, Service

People = Callable[..., Person]
HERE = Path(__file__).parent


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """Let commands be stopped by Ctrl-C also where the tests run in the background: they inherit what is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    """DNS and the web, as far as the registry looks at domains."""
    folder = tmp_path_factory.mktemp("internet")
    with start_blocking_portal("asyncio") as portal, portal.wrap_async_context_manager(internet(folder)) as found:
        yield found


#: The registry of this process while there is one.
RUNNING: list[Service] = []


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, net: Internet) -> Service:
    """The registry, for one module after another; ended cleanly after the last."""
    if not RUNNING:
        RUNNING.append(
            Service(
                tmp_path_factory.mktemp("registry"),
                snapshot_delay="4s",
                claims_resolver=f"127.0.0.1:{net.port}",
                claims_loopback_port=str(net.web),
                claims_authorities=str(net.authorities),
            )
        )
    return RUNNING[0]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """End the registry once no test of the whole comes next: a service that idles takes its share of the machine."""
    if RUNNING and (nextitem is None or HERE not in nextitem.path.parents):
        RUNNING.pop().end()


def pytest_sessionfinish() -> None:
    """End it also where the tests were broken off."""
    while RUNNING:
        RUNNING.pop().end()


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Another registry, whose tokens and snapshots do not last."""
    service = Service(tmp_path_factory.mktemp("other"), origin="other.example/licet", snapshot_ttl="3s", token_ttl="1s")
    yield service
    service.end()


@pytest.fixture(scope="module")
def person(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> People:
    """Make somebody with a home folder and no account yet; the service starts once somebody is at no other."""

    def made(name: str, url: str | None = None) -> Person:
        return Person(tmp_path_factory.mktemp(name), url or request.getfixturevalue("service").url)

    return made


@pytest.fixture(scope="module")
def artist(person: People) -> Person:
    """An artist with an account."""
    return person("artist").joins("artist", "Mei Lin")


@pytest.fixture(scope="module")
def trainer(person: People) -> Person:
    """An organisation with an account."""
    return person("trainer").joins("organisation", "Lantern Labs")


@pytest.fixture(scope="session")
def demo_pictures() -> Path:
    """The pictures that README and demo use."""
    return Path(__file__).resolve().parents[2] / "demo" / "pictures"


@pytest.fixture(scope="session")
def ground() -> Iterator[ordinary.Ground]:
    """Where an ordinary user finds what it runs."""
    with ordinary.ground() as made:
        yield made
