"""Ray: rows decided in ``ray.data`` pipelines, and `licet filter` done by the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from licet.client import Client
from licet.datasets.filtering.build import Advance, Filtered, Wish
from licet.datasets.filtering.build import filter_dataset as run_filter
from licet.datasets.pinned import Asked, Pinned, asking
from licet.decisions import Request
from licet.engines.deciding import Deciding
from licet.engines.needed import lost, needed


def annotate(
    dataset: Any,
    pin: Pinned,
    request: Request,
    *,
    workers: int = 1,
    rows: int = 65_536,
    columns: Mapping[str, str] | None = None,
    **how: Any,
) -> Any:
    """Return a ``ray.data.Dataset`` with a decision for each row: columns ``verdict reason work …`` and ``kept``.

    ``workers`` actors each open the mapped index once, and decide ``rows`` at a time (a few hundred where they carry
    pictures). ``how`` is what `Pinned.annotate` takes: ``unknown``, ``match``,
    ``min_claim_level``, ``base``, ``prefix``. Decisions do not depend on how rows are cut into blocks.
    """
    return _mapped(dataset, pin, asking(request, columns=columns, **how), workers, rows, dropping=False)


def filter(  # noqa: A001 - the name that every engine has for it
    dataset: Any,
    pin: Pinned,
    request: Request,
    *,
    workers: int = 1,
    rows: int = 65_536,
    columns: Mapping[str, str] | None = None,
    **how: Any,
) -> Any:
    """Return what `annotate` returns, without the rows that may not be kept."""
    return _mapped(dataset, pin, asking(request, columns=columns, **how), workers, rows, dropping=True)


def filter_dataset(
    client: Client,
    inputs: Sequence[str | Path],
    out: str | Path,
    request: Request,
    wish: Wish | None = None,
    *,
    workers: int | None = None,
    advance: Advance = lambda _: None,
) -> Filtered:
    """Return once ``out`` holds what may be kept of ``inputs``: `licet filter`, examined and written by Ray's workers.

    They must see ``inputs`` and the folder of ``out`` under the same names. ``workers`` is how many actors there are
    (default: one for each processor of the cluster). Lost ones are replaced. Raises what `licet filter` raises.
    """
    return run_filter(client, inputs, out, request, wish, advance, RayCrew(workers))


def _mapped(dataset: Any, pin: Pinned, asked: Asked, workers: int, rows: int, *, dropping: bool) -> Any:
    needed("ray", "ray")
    return dataset.map_batches(
        Deciding,
        fn_constructor_args=(pin, asked, dropping),
        batch_size=rows,
        batch_format="pyarrow",
        concurrency=workers,
    )


class RayCrew:
    """Actors of a Ray cluster: the one that is connected to, else the one that ``RAY_ADDRESS`` names, else one here."""

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers

    def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Iterator[bytes]:
        """Yield what ``do`` returns of each of ``pieces`` as they are done; Ray replaces actors that are lost."""
        if not pieces:
            return
        ray = needed("ray", "ray")
        if not ray.is_initialized():
            ray.init(log_to_driver=False)
        from ray.exceptions import RayError
        from ray.util import ActorPool

        workers = min(self._workers or int(ray.cluster_resources().get("CPU", 1)), len(pieces))
        # Restarted for as long as there is somewhere to; what is deterministic comes back as an answer, not an error.
        actor = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=-1)(_Hand)
        hands = [actor.remote(do) for _ in range(workers)]
        pool = ActorPool(hands)
        try:
            yield from pool.map_unordered(lambda hand, piece: hand.work.remote(piece), list(pieces))
        except RayError as error:
            raise lost("Ray", error) from None
        finally:
            for hand in hands:
                ray.kill(hand)


class _Hand:
    """An actor that does one piece after the other."""

    def __init__(self, do: Callable[[bytes], bytes]) -> None:
        self._do = do

    def work(self, piece: bytes) -> bytes:
        """Return what the piece came to."""
        return self._do(piece)
