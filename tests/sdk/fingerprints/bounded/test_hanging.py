"""A picture that hangs its decoder: named in time by whoever registers and whoever filters, and others go on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from licet.catalogue import batch
from licet.catalogue.items import Item, Refused
from licet.datasets.examining.evidence import EXAMINED
from licet.datasets.examining.fingerprinting import examine
from licet.datasets.forms.parts import PROBLEMS
from licet.fingerprints import bounded
from licet.fingerprints.bounded import POSSIBLE, Decoders
from licet.fingerprints.decode import DEFAULT_LIMITS, PictureLimits

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="processes are not confined here")


@pytest.fixture
def folder(
    tmp_path: Path,
    scene: npt.NDArray[np.uint8],
    save: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """Three pictures, the second of which hangs the decoder that everybody uses."""
    for name, pixels in (("a", scene[:, :99]), ("b", scene), ("c", scene[:, 100:199])):
        (tmp_path / f"{name}.jpg").write_bytes(save(pixels, "JPEG"))
    hung = [
        Decoders(PictureLimits(max_seconds=0.3), beside="tests.sdk.fingerprints.bounded.guests:endless", iscc=iscc)
        for iscc in (False, True)
    ]
    for iscc, each in enumerate(hung):
        monkeypatch.setitem(bounded._shared, (DEFAULT_LIMITS, bool(iscc), None), each)
    yield tmp_path
    for each in hung:
        each.close()


def test_whoever_registers_is_told_which_one_and_why(folder: Path) -> None:
    items = [Item(shown=name, path=str(folder / name)) for name in ("a.jpg", "b.jpg", "c.jpg")]
    first, hung, last = (batch.examined(each) for each in items)
    assert (first, last) == (items[0], items[2])
    assert isinstance(hung, Refused)
    assert (hung.path, hung.field) == ("b.jpg", "path")
    assert hung.reason == "expected pixels within 0.3 s of processor time (1.2 s in all), got none"


def test_whoever_filters_has_it_as_a_timeout_and_by_its_digest(folder: Path) -> None:
    rows = pa.RecordBatch.from_pydict({"path": pa.array(["a.jpg", "b.jpg", "c.jpg"], pa.large_string())})
    with ThreadPoolExecutor(2) as pool:
        evidence = examine(rows, folder, pool)
    assert [PROBLEMS[problem] for problem in evidence.problem] == [None, "timeout", None]
    assert [EXAMINED[kind] for kind in evidence.examined] == ["files"] * 3
    digest = hashlib.sha256((folder / "b.jpg").read_bytes()).digest()
    assert evidence.sha256[0][1].tobytes() == digest
    assert evidence.pixels[1].tolist() == [True, False, True]
