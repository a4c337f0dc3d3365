"""Pictures of the demo, changed as others change them, and what is asked about them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
from PIL import Image

from licet.derivative.asking import packed
from licet.derivative.extracting import asked_bytes
from licet.wire.licensing import PartsAnswers

PICTURES = Path(__file__).parents[3] / "demo" / "pictures"


def demo(name: str) -> bytes:
    """Return a picture's file."""
    return next(PICTURES.glob(f"*/{name}.*")).read_bytes()


def image(name: str) -> Image.Image:
    """Return a picture."""
    return Image.open(next(PICTURES.glob(f"*/{name}.*"))).convert("RGB")


def cropped(name: str) -> Image.Image:
    """Return it without a tenth at each side."""
    whole = image(name)
    width, height = whole.size
    return whole.crop((width // 10, height // 10, width - width // 10, height - height // 10))


def bordered(name: str) -> Image.Image:
    """Return it in a black frame."""
    whole = image(name)
    width, height = whole.size
    sheet = Image.new("RGB", (width + width // 5, height + height // 5), "black")
    sheet.paste(whole, (width // 10, height // 10))
    return sheet


def features(*pictures: Image.Image) -> bytes:
    """Return the body that asks about ``pictures``."""
    return packed(asked_bytes(np.asarray(each)) for each in pictures)


async def post(http: httpx.AsyncClient, body: bytes, **params: Any) -> httpx.Response:
    """Ask."""
    return await http.post(
        "/v1/licensing/parts",
        params={"use": "train-gen", "purpose": "commercial", **params},
        content=body,
        headers={"Content-Type": "application/octet-stream"},
    )


async def answers(http: httpx.AsyncClient, pictures: Sequence[Image.Image], **params: Any) -> PartsAnswers:
    """Return what is answered about ``pictures``."""
    answer = await post(http, features(*pictures), **params)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=PartsAnswers)
