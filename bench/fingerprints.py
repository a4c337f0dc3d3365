"""Fingerprints of 1024-pixel JPEGs, exact and near tiers from one decode: confined, in this process, and a peer.

The first table is in seconds of processors, of the decoders too: what one core does in a second, however busy the
machine is. The second is by the clock, on all of them.
``imagehash`` (pHash, one orientation, no digests) joins where it is installed; ``pdqhash`` has no wheels for Linux.
"""

from __future__ import annotations

import functools
import io
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.measuring import in_turn, record
from licet.fingerprints.bounded import Decoders
from licet.fingerprints.decode import decode
from licet.fingerprints.iscc import image_code
from licet.fingerprints.picture import examine_bytes

COUNT: Final = 60
SIDE: Final = 1024
_PICTURES: Final = Path(__file__).parents[1] / "demo" / "pictures"


def pictures() -> list[bytes]:
    """Return the pictures of the demo, each in a few qualities, with ``SIDE`` pixels along the longer side."""
    sources = sorted(path for path in _PICTURES.rglob("*") if path.suffix in {".jpg", ".png", ".webp"})
    made = []
    for number in range(COUNT):
        with Image.open(sources[number % len(sources)]) as opened:
            image = opened.convert("RGB")
        factor = SIDE / max(image.size)
        size = (round(image.width * factor), round(image.height * factor))
        buffer = io.BytesIO()
        image.resize(size, Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=92 - 10 * (number // len(sources)))
        made.append(buffer.getvalue())
    return made


def content_code(rgb: npt.NDArray[np.uint8]) -> bytes:
    """Return the ISCC content code, as a decoder makes it beside the rest."""
    return image_code(rgb).encode()


def processor_seconds(*decoders: Decoders) -> float:
    """Return what this process and its decoders have spent of processors so far."""
    ticks = 0
    for each in (pid for some in decoders for pid in some.pids):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def all_of(data: list[bytes], look: Callable[[bytes], Any], threads: int) -> Callable[[], None]:
    """Return what looks at every picture, in so many threads."""

    def run() -> None:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(look, data):
                pass

    return run


def main() -> None:
    """Measure what a picture takes of a processor, then how many go through all of them."""
    data = pictures()
    facts = {"pictures": COUNT, "size": f"JPEG, {SIDE} px, {sum(map(len, data)) // COUNT // 1000} kB"}
    count = os.cpu_count() or 1
    with Decoders(most=count) as decoders, Decoders(most=count, beside="bench.fingerprints:content_code") as more:
        calls = {
            f"confined, {count} processes": all_of(data, decoders.examine, count + 1),
            "the same with ISCC content codes": all_of(data, more.examine, count + 1),
            "in this process": all_of(data, examine_bytes, 1),
            "decoding alone": all_of(data, decode, 1),
        }
        if find_spec("imagehash"):
            calls["imagehash.phash"] = all_of(data, _phash(), 1)
        of_one = in_turn(calls, COUNT, clock=functools.partial(processor_seconds, decoders, more))
        record("fingerprints", "pictures a processor", of_one, **facts)
        calls = {
            f"confined, {count} processes": all_of(data, decoders.examine, count + 1),
            f"in this process, {count} threads": all_of(data, examine_bytes, count),
        }
        record("fingerprints_side_by_side", "pictures", in_turn(calls, COUNT), **facts)


def _phash() -> Callable[[bytes], Any]:
    phash = import_module("imagehash").phash
    return lambda data: phash(Image.open(io.BytesIO(data)))


if __name__ == "__main__":
    main()
