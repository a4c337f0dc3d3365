"""The codebook of the derivative tier, made anew from the pictures it is tuned on.

``python -m bench.derivative_codebook``, with the pictures of `bench.derivative_pictures`.
Principal components of the descriptions of local features, 256 centres for either half of the first 32, and a random
turn of all 64 whose signs become a signature. Writes ``sdk/src/licet/derivative/codebook.npz``. Features made with
another codebook find nothing, so a new one is a new version of the form (``licet.derivative.features``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from bench.derivative_pictures import TUNING, pictures
from licet.derivative.describing import CENTRES, COMPONENTS, HALF, described, reduced
from licet.derivative.extracting import KEPT_CELLS

_TARGET: Final = Path(__file__).parents[1] / "sdk/src/licet/derivative/codebook.npz"
_EACH: Final = 44
_FEATURES: Final = 250
_EDGE: Final = 16


def trained(descriptions: npt.NDArray[np.float32]) -> dict[str, Any]:
    """Return mean, axes, centres and turning for n × 128 descriptions."""
    mean = descriptions.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((descriptions - mean).T))
    axes = vectors[:, np.argsort(-values)[:COMPONENTS]]
    # The two halves of a word get components of equal weight: the strongest go there in turns.
    order = [*range(0, 2 * HALF, 2), *range(1, 2 * HALF, 2), *range(2 * HALF, COMPONENTS)]
    axes = axes[:, order].astype(np.float16)
    components = (descriptions - mean) @ axes.astype(np.float32)
    ends = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 25, 1e-4)
    cv2.setRNGSeed(1)
    centres = [
        cv2.kmeans(
            np.ascontiguousarray(components[:, part * HALF : (part + 1) * HALF], np.float32),
            CENTRES,
            None,  # type: ignore[call-overload]  # no first labels
            ends,
            1,
            cv2.KMEANS_PP_CENTERS,
        )[2]
        for part in (0, 1)
    ]
    # Directions of equal weight make bits of equal worth.
    whitening = 1 / np.sqrt(components.std(axis=0) + 1e-3)
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((COMPONENTS, COMPONENTS)))[0]
    return {
        "mean": mean.astype(np.float16),
        "axes": axes,
        "centres": np.stack(centres).astype(np.float16),
        "turning": (whitening[:, None] * turn).astype(np.float16),
    }


def main() -> None:
    """Train, and write the file."""
    found = [described(reduced(rgb), _FEATURES, KEPT_CELLS, _EDGE)[1] for _, rgb in pictures(TUNING, _EACH)]
    descriptions = np.concatenate(found)
    np.savez(_TARGET, **trained(descriptions))
    print(
        f"derivative_codebook: {len(descriptions):,} features of {len(found)} pictures, {_TARGET.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main()
