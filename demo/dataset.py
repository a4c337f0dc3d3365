"""The trainer's dataset: what a scraper brings home. Registered originals, copies that were re-saved, shrunk or
mirrored on the way, strangers' pictures, and one download that broke off."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageOps

HERE = Path(__file__).parent / "pictures"
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def of(artist: str) -> list[Path]:
    """Return the pictures of one folder of the demo, by name."""
    return sorted(path for path in (HERE / artist).iterdir() if path.suffix in SUFFIXES)


def _resaved(picture: Image.Image, target: Path) -> None:
    picture.save(target.with_suffix(".jpg"), quality=55)


def _shrunk(picture: Image.Image, target: Path) -> None:
    small = picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)), Image.Resampling.LANCZOS)
    small.save(target.with_suffix(".jpg"), quality=85)


def _mirrored(picture: Image.Image, target: Path) -> None:
    ImageOps.mirror(picture).save(target.with_suffix(".webp"), quality=80)


COPIES: dict[str, Callable[[Image.Image, Path], None]] = {
    "resaved": _resaved,
    "shrunk": _shrunk,
    "mirrored": _mirrored,
}


def scrape(folder: Path) -> int:
    """Write the dataset into ``folder`` and return how many files it has."""
    folder.mkdir(parents=True)
    for artist in ("mei", "tomas"):
        originals = of(artist)
        for path in originals:
            shutil.copyfile(path, folder / path.name)
        copies = zip(originals, _cycle(COPIES), strict=False)
        for path, (name, copy) in copies:
            with Image.open(path) as picture:
                copy(picture.convert("RGB"), folder / f"{path.stem}-{name}.x")
    for path in of("strangers"):
        shutil.copyfile(path, folder / path.name)
    whole = next(path for path in of("strangers") if path.suffix == ".jpg").read_bytes()
    (folder / "broken-download.jpg").write_bytes(whole[: len(whole) // 3])
    return sum(1 for _ in folder.iterdir())


def table(folder: Path, target: Path) -> int:
    """Write the same dataset as a Parquet file of ``url, path, caption`` rows and return how many rows it has."""
    names = sorted(path.name for path in folder.iterdir())
    rows = {
        "url": [f"https://pictures.example/{name}" for name in names],
        "path": [f"{folder.name}/{name}" for name in names],
        "caption": [Path(name).stem.replace("-", " ") for name in names],
    }
    pq.write_table(pa.table(rows), target)
    return len(names)


def _cycle(
    copies: dict[str, Callable[[Image.Image, Path], None]],
) -> Iterator[tuple[str, Callable[[Image.Image, Path], None]]]:
    while True:
        yield from copies.items()
