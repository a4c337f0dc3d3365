"""A picture that breaks its decoder breaks nothing else: it is named, the others go on, and nothing stays behind."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from licet.errors import InputError, LicetError, PictureError
from licet.fingerprints import bounded
from licet.fingerprints.bounded import Decoders, processes
from licet.fingerprints.decode import PictureLimits
from licet.fingerprints.picture import examine_bytes
from tests.sdk.fingerprints.bounded.watching import busy, decoding, gone, needs_proc, pid, until, why

Rgb = npt.NDArray[np.uint8]
Save = Callable[..., bytes]
GUESTS = "tests.sdk.fingerprints.bounded.guests:"


def test_what_is_found_is_what_is_found_here(decoders: Decoders, scene: Rgb, save: Save) -> None:
    wide = Image.fromarray(scene).resize((600, 400))  # libwebp and libavif would use threads
    files = [save(wide, form) for form in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")]
    files += [save(wide, "AVIF", speed=9), save(wide, "WEBP", lossless=True), save(wide, "TIFF", compression="jpeg")]
    for data in files:
        found, here = decoders.examine(data), examine_bytes(data)
        assert found.examined.fingerprint == here.fingerprint
        assert np.array_equal(found.examined.orientations, here.orientations)
        assert found.beside == b"(400, 600, 3)"


def test_what_is_refused_is_refused_in_the_same_words(decoders: Decoders, scene: Rgb, save: Save) -> None:
    whole, bmp = save(scene, "PNG"), save(scene, "BMP")
    for data in (
        b"",
        b"<svg>",
        whole[:-40],
        save(scene, "JPEG")[:500],
        bmp[:18] + b"\xff\xff\0\0" * 2 + bmp[26:],
    ):
        with pytest.raises(PictureError) as there:
            decoders.examine(data)
        with pytest.raises(PictureError) as here:
            examine_bytes(data)
        assert (str(there.value), there.value.details) == (str(here.value), here.value.details)


def test_a_file_over_the_limit_never_leaves_this_process() -> None:
    with Decoders(PictureLimits(max_bytes=10)) as decoders:
        assert why(decoders, bytes(11)) == "too-large"
        assert not decoders._alive


def test_many_threads_share_a_few_processes(scene: Rgb, save: Save) -> None:
    files = [save(np.roll(scene, number, axis=1), "PNG") for number in range(12)]
    with Decoders(most=2) as decoders, ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda data: decoders.examine(data).examined.fingerprint, files))
        assert found == [examine_bytes(data).fingerprint for data in files]
        assert len(decoders._alive) == len(decoders._idle) <= 2


def test_what_takes_too_long_is_ended_and_named_and_the_next_goes_on(large: bytes, scene: Rgb, save: Save) -> None:
    with Decoders(PictureLimits(max_seconds=0.05)) as decoders:
        with pytest.raises(PictureError, match=r"expected pixels within 0\.05 s of processor time") as caught:
            decoders.examine(large)
        assert caught.value.details == {"why": "too-slow", "sha256": hashlib.sha256(large).hexdigest()}
        assert not decoders._alive
    with Decoders() as decoders:
        assert decoders.examine(large).examined.fingerprint.width == 6000


@needs_proc
def test_a_decoder_that_hangs_without_computing_is_ended_too(
    large: bytes, scene: Rgb, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PATIENCE", 0.1)
    with Decoders(PictureLimits(max_seconds=60)) as decoders:
        with decoding(decoders, large) as outcome:
            stopped = pid(decoders)
            os.kill(stopped, signal.SIGSTOP)
        assert outcome[0].details["why"] == "too-slow"
        assert gone(stopped)
        assert decoders.examine(save(scene, "PNG")).examined.fingerprint.width == 300


@needs_proc
def test_a_decoder_that_stands_still_before_it_has_the_picture_is_not_that_pictures_fault(
    scene: Rgb, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Decoders(PictureLimits(max_seconds=10)) as decoders:
        decoders.examine(save(scene, "PNG"))
        monkeypatch.setattr(processes, "PATIENCE", 0.1)
        stopped = pid(decoders)
        os.kill(stopped, signal.SIGSTOP)
        assert decoders.examine(save(scene, "WEBP")).examined.fingerprint.format == "webp"
        assert gone(stopped)
        os.kill(pid(decoders), signal.SIGKILL)
        assert decoders.examine(save(scene, "BMP")).examined.fingerprint.format == "bmp"


@needs_proc
def test_a_crash_in_the_middle_of_a_picture_is_its_fault(large: bytes, scene: Rgb, save: Save) -> None:
    with Decoders() as decoders:
        with decoding(decoders, large) as outcome:
            os.kill(pid(decoders), signal.SIGSEGV)
        assert str(outcome[0]) == "expected pixels, got the end of the decoder (SIGSEGV)"
        assert outcome[0].details == {"why": "crashed", "sha256": hashlib.sha256(large).hexdigest()}
        assert decoders.examine(save(scene, "PNG")).examined.fingerprint.width == 300


@needs_proc
def test_one_that_somebody_kills_is_replaced_once_and_then_the_picture_is_blamed(large: bytes) -> None:
    with Decoders() as decoders:
        with decoding(decoders, large) as outcome:
            first = pid(decoders)
            os.kill(first, signal.SIGKILL)
        assert outcome[0].examined.fingerprint.width == 6000
    with Decoders() as decoders:
        with decoding(decoders, large) as outcome:
            second = pid(decoders)
            os.kill(second, signal.SIGKILL)
            until(lambda: decoders._alive and pid(decoders) != second and busy(pid(decoders)))
            os.kill(pid(decoders), signal.SIGKILL)
        assert outcome[0].details["why"] == "crashed"


@needs_proc
def test_memory_beyond_what_a_picture_of_its_size_takes_is_refused(scene: Rgb, save: Save) -> None:
    with Decoders(beside=GUESTS + "hungry") as decoders:
        assert why(decoders, save(scene, "PNG")) == "too-much-memory"
        assert not decoders._alive, "what ran out of memory is not used again"


def test_a_picture_of_few_bytes_and_many_pixels_is_decoded_within_the_limits(save: Save) -> None:
    side = 5000
    bomb = save(Image.new("RGB", (side, side), (10, 200, 30)), "WEBP", lossless=True)
    assert len(bomb) < 2000
    with Decoders(PictureLimits(max_pixels=side * side)) as decoders:
        assert decoders.examine(bomb).examined.fingerprint.height == side


def test_a_decoder_that_says_what_none_says_is_believed_nothing(scene: Rgb, save: Save) -> None:
    with Decoders(beside=GUESTS + "talkative") as decoders:
        assert why(decoders, save(scene, "PNG")) == "crashed"


@pytest.mark.parametrize("guest", ["mistaken", "shapeless", "senseless"])
def test_an_answer_that_is_another_pictures_is_nobodys(guest: str, scene: Rgb, save: Save) -> None:
    data = save(scene, "PNG")
    with Decoders(beside=GUESTS + guest) as decoders:
        with pytest.raises(PictureError) as caught:
            decoders.examine(data)
        assert caught.value.details == {"why": "crashed", "sha256": hashlib.sha256(data).hexdigest()}
        assert not decoders._alive, "what it says next is believed no more"


@needs_proc
def test_who_takes_a_decoder_over_can_reach_nothing(scene: Rgb, save: Save) -> None:
    with Decoders(beside=GUESTS + "escape") as decoders:
        done = json.loads(decoders.examine(save(scene, "PNG")).beside)
        (decoder,) = decoders._alive
        assert {"memory", "limits", "no-new-privileges"} <= set(decoder.holds)
        assert ("user" in decoder.holds) == (os.geteuid() == 0)
        # Without libseccomp calls that take a path or another process's number are still made: with few rights.
        allowed = set() if "system-calls" in decoder.holds else {"remove a file", "stop its parent", "be somebody else"}
        assert set(done) <= allowed


def test_decoders_are_replaced_after_many_pictures(scene: Rgb, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_PICTURES", 2)
    with Decoders() as decoders:
        decoders.examine(save(scene, "PNG"))
        first = pid(decoders)
        decoders.examine(save(scene, "BMP"))
        assert gone(first)
        assert not decoders._alive
        decoders.examine(save(scene, "WEBP"))
        assert pid(decoders) != first


@needs_proc
def test_closing_ends_what_is_being_decoded_and_the_next_picture_starts_anew(
    large: bytes, scene: Rgb, save: Save
) -> None:
    with Decoders() as decoders:
        with decoding(decoders, large) as outcome:
            ended = pid(decoders)
            decoders.close()
        assert isinstance(outcome[0], LicetError)
        assert not isinstance(outcome[0], PictureError)
        assert gone(ended)
        assert decoders.examine(save(scene, "PNG")).examined.fingerprint.width == 300


def test_beginning_waits_for_nothing_and_starts_one(scene: Rgb, save: Save) -> None:
    with Decoders(most=2) as decoders:
        decoders.begin()
        decoders.begin()
        started = pid(decoders)
        decoders.examine(save(scene, "PNG"))
        assert pid(decoders) == started


def test_one_that_cannot_be_started_says_how_to_do_without(
    monkeypatch: pytest.MonkeyPatch, scene: Rgb, save: Save
) -> None:
    for command in ("/nowhere/python", "/bin/false"):
        monkeypatch.setattr("sys.executable", command)
        with Decoders() as decoders, pytest.raises(LicetError, match=r"expected to start .*LICET_DECODERS=0") as caught:
            decoders.examine(save(scene, "PNG"))
        assert not isinstance(caught.value, InputError)


def test_the_environment_says_how_many(monkeypatch: pytest.MonkeyPatch, scene: Rgb, save: Save) -> None:
    limits = PictureLimits(max_seconds=29)
    for said, most in (("3", 3), (" 0 ", 0), ("", min(os.cpu_count() or 1, 16))):
        monkeypatch.setenv("LICET_DECODERS", said)
        assert bounded.wanted_processes() == most
    for said in ("many", "-1", "²", "1025"):
        monkeypatch.setenv("LICET_DECODERS", said)
        with pytest.raises(InputError, match=r"LICET_DECODERS: expected how many"):
            bounded.decoders(limits)
    monkeypatch.setenv("LICET_DECODERS", "0")
    found: Any = bounded.decoders(limits)
    try:
        assert (
            bounded.examine_bytes(save(scene, "PNG"), limits).fingerprint
            == examine_bytes(save(scene, "PNG")).fingerprint
        )
        assert not found._alive
    finally:
        bounded._shared.pop((limits, False, None))


def test_time_is_counted_from_the_picture_on(scene: Rgb, save: Save) -> None:
    with Decoders(PictureLimits(max_seconds=0.5)) as decoders:
        for _ in range(3):
            decoders.examine(save(scene, "PNG"))
            time.sleep(0.3)
        first = pid(decoders)
        wide = save(Image.fromarray(scene).resize((1500, 1000)), "PNG", compress_level=1)
        for _ in range(12):  # together more than half a second
            decoders.examine(wide)
        assert pid(decoders) == first
