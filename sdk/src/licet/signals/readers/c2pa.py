"""C2PA manifests: what their training and data mining assertion says, and whether the manifest can be believed.

A manifest whose signature, claim or data do not hold may still deny: whoever damaged it has nothing to win by that. But
it permits nothing, and what it may have said before is for somebody to look at. An unknown signer is no damage.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any, Final

from licet.errors import MalformedError
from licet.signals.dialects import C2PA, CAWG, CAWG_KEYS
from licet.signals.strictness import mask
from licet.signals.types import Signal

LABELS: Final = ("cawg.training-mining", "c2pa.training-mining")
MAX_BYTES: Final = 256 << 20
MAX_ENTRIES: Final = 200
_INFO: Final = ("constraint_info", "constraints_info", "constraint-info")
#: How a manifest store begins wherever it is embedded: the label of its box.
_MARKS: Final = (b"jumb", b"c2pa")


def read_c2pa(data: bytes, media_type: str, manifest: bytes | None = None) -> tuple[Signal, ...]:
    """Return what the manifest in a file of ``media_type`` says; nothing for a file without one.

    With ``manifest`` that one is read, which lies beside the file. Nothing is fetched: a manifest that lies elsewhere
    is for somebody to look at, as is one that cannot be read.
    """
    if manifest is None and not has_manifest(data):
        return ()
    if len(data) > MAX_BYTES:
        return (C2PA.unreadable("c2pa", "manifest", f"{len(data):,} bytes", "too-long"),)
    from licet.signals.confined import run
    from licet.signals.confined.jobs import Manifest, Signals

    try:
        told = run(Manifest(media_type, manifest), data)
    except MalformedError as error:
        return (C2PA.unreadable("c2pa", "manifest", error.message, str(error.details["why"])),)
    assert isinstance(told, Signals)
    return told.signals


def parsed(data: bytes, media_type: str, manifest: bytes | None = None) -> tuple[Signal, ...]:
    """Return what `read_c2pa` does, read in this process: native code, and much of it."""
    try:
        from c2pa import C2paError, Context, Reader, Settings
    except ImportError as error:
        return (C2PA.unreadable("c2pa", "manifest", f"there is one, and no reader for it: {error}", "no-reader"),)
    settings = Settings.from_dict({"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}})
    try:
        with Context(settings) as context, Reader(media_type, io.BytesIO(data), manifest, context=context) as reader:
            store = json.loads(reader.json())
    except C2paError as error:
        if type(error).__name__.endswith("ManifestNotFound"):
            return ()
        return (C2PA.unreadable("c2pa", "manifest", str(error)),)
    except (ValueError, RecursionError, OSError) as error:
        return (C2PA.unreadable("c2pa", "manifest", str(error)),)
    return tuple(manifest_signals(store))


def has_manifest(data: bytes) -> bool:
    """Return whether a file may hold a manifest, or name one that lies elsewhere."""
    return all(mark in data for mark in _MARKS) or b"dcterms:provenance" in data


def manifest_signals(store: Any) -> Iterator[Signal]:
    """Yield what a manifest store, as ``c2pa`` reports it in JSON, says: the active one, and its ingredients."""
    manifests = store.get("manifests") if isinstance(store, dict) else None
    active = manifests.get(store.get("active_manifest")) if isinstance(manifests, dict) else None
    if not isinstance(manifests, dict) or not isinstance(active, dict):
        yield C2PA.unreadable("c2pa", "manifest", "no active manifest")
        return
    state = store.get("validation_state")
    intact = state in ("Valid", "Trusted")
    if not intact:
        codes = [str(each.get("code")) for each in store.get("validation_status") or () if isinstance(each, dict)]
        failed = [code for code in codes if code != "signingCredential.untrusted"]
        yield C2PA.unreadable("c2pa", "manifest", ", ".join(failed or [str(state)]), "tampered")
    for manifest in manifests.values():
        for assertion in (manifest.get("assertions") if isinstance(manifest, dict) else None) or ():
            label = str(assertion.get("label")) if isinstance(assertion, dict) else ""
            if label.partition("__")[0] not in LABELS:
                continue
            found = training_mining(assertion.get("data"), label, intact=intact)
            # What it was made of goes on denying; what its makers permitted is not for those to take who changed it.
            yield from found if manifest is active else (each for each in found if each.reason != "allowed")


def training_mining(data: Any, label: str, *, intact: bool = True) -> Iterator[Signal]:
    """Yield what the entries of a training and data mining assertion say.

    ``constrained`` is an offer where information stands beside it, and a denial where none does. A use that is none of
    the three, and a denial under a key that is not known, are for somebody to look at.
    """
    entries = data.get("entries") if isinstance(data, dict) else None
    if not isinstance(entries, dict) or len(entries) > MAX_ENTRIES:
        yield CAWG.unreadable("c2pa", label, "no entries")
        return
    for key, entry in entries.items():
        use = entry.get("use") if isinstance(entry, dict) else entry
        token = CAWG_KEYS.get(key.partition(".")[2]) if key.startswith(("cawg.", "c2pa.")) else None
        info = next((entry[name] for name in _INFO if entry.get(name)), None) if isinstance(entry, dict) else None
        said = f"{key}: {use}"
        if token is None:
            if use != "allowed":
                yield CAWG.unreadable("c2pa", label, said, "unknown-value")
        elif use == "notAllowed":
            yield CAWG.signal("c2pa", label, said, token.denied(), "denied")
        elif use == "allowed":
            if intact:
                yield CAWG.signal("c2pa", label, said, token.allowed(), "allowed")
        elif use == "constrained" and info and intact:
            text = str(info)
            terms = text if text.startswith(("https://", "http://")) else None
            said = f"{said}: {text}"
            yield CAWG.signal("c2pa", label, said, mask("license", token.denies), "constrained", terms=terms)
        elif use == "constrained":
            yield CAWG.signal("c2pa", label, said, token.denied(), "constrained-without-information")
        else:
            yield CAWG.signal("c2pa", label, said, token.denied(), "unknown-use")
