"""500 pictures from files to one signed statement in the log, over HTTP, on a real service."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from bench.measuring import BUILD, in_turn, record
from bench.service import running
from licet.catalogue.register import register
from licet.fingerprints.picture import fingerprint_file
from licet.terms import preset

COUNT: Final = 500


def pictures(folder: Path, seed: int) -> list[Path]:
    """Write ``COUNT`` distinct 512-pixel JPEGs with broad shapes and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    paths = []
    for number in range(COUNT):
        rough = random.integers(0, 256, (9, 9, 3), np.uint8)
        path = folder / f"{number:04d}.jpg"
        Image.fromarray(rough).resize((512, 512), Image.Resampling.BICUBIC).save(path, quality=88)
        paths.append(path)
    return paths


def main() -> None:
    """Measure, beside fingerprinting alone: what is left is upload, registration, signature and log."""
    with running(BUILD / "registration") as service:
        client = service.client("artist", "mei")
        batches = itertools.count()
        made = [pictures(BUILD / "registration" / f"pictures-{run}", run) for run in range(6)]

        def ours() -> None:
            done = register(client, made[next(batches)], preset("no-ai"))
            assert len(done.works) == COUNT

        def alone() -> None:
            for path in made[0]:
                fingerprint_file(path)

        figures = in_turn({"register (8 uploads at once)": ours, "fingerprint only, one thread": alone}, COUNT)
    record("registration", "pictures", figures, pictures=COUNT, size="512×512 JPEG")


if __name__ == "__main__":
    main()
