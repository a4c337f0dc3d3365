"""The published files alone, under the pinned root, show a log and the registry's keys: no key is left out, added or
altered, and none is another registry's."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.audit.mirror import Mirror, at_address, in_folder
from licet.audit.whole_log import Verified, examine_log
from licet.errors import InputError, LicetError, ServiceError, VerificationError
from licet.log import note
from licet.statements import envelope as envelopes
from licet.statements import key_list, kinds
from licet.statements.key_list import KeyList, Placed
from licet.statements.trust import Trust
from tests.sdk.statements.world import SIGNED_AT, Account, Registry, key


def grown(name: str = "one") -> Registry:
    """A registry with a second log key, the end of its first licence key, and an account."""
    registry = Registry(name)
    Account(registry, f"Su Tang of {name}")
    registry.name_key("licence", key(f"{name} second licence"))
    registry.end_key(registry.working["licence"].keyid)
    registry.name_key("log", key(f"{name} second log"))
    return registry


REGISTRY = grown()
FILES = REGISTRY.log.published()
LIST = msgspec.json.decode(FILES["keys"], type=list[Placed])


def verified(files: dict[str, bytes], trust: Trust | None = REGISTRY.trust) -> Verified:
    mirror = Mirror(files.get, "mirror")
    listed = mirror.keys(trust)
    return examine_log(mirror.read, listed.log, listed=listed)


def lying(placed: list[Placed]) -> dict[str, bytes]:
    return {**FILES, "keys": key_list.encode(placed)}


def test_files_and_root_are_enough_for_the_log_and_the_registrys_keys() -> None:
    found = verified(FILES)
    assert found.keys is not None
    assert found.keys.anchored
    ended = [(each.purpose, each.keyid, each.ended) for each in found.keys.lines if each.ended is not None]
    assert ended == [("licence", REGISTRY.working["licence"].keyid, 6)]
    assert [each.index for each in found.keys.lines] == [0, 1, 2, 3, 5, 7]
    assert found.keys.licence == key("one second licence").keyid
    unknown = verified(FILES, None)
    assert unknown.keys is not None
    assert not unknown.keys.anchored


def an_addition(place: int, index: int) -> list[Placed]:
    payload = kinds.RegistryKey(
        REGISTRY.ref, "office", kinds.PublicKey(key("an added office").public.hex()), SIGNED_AT, None
    )
    return [*LIST[:place], Placed(index, envelopes.seal(payload, REGISTRY.root)), *LIST[place:]]


def altered() -> list[Placed]:
    payload = kinds.RegistryKeyRevoke(REGISTRY.ref, REGISTRY.working["licence"].keyid, "compromised", SIGNED_AT)
    place = next(at for at, each in enumerate(LIST) if each.index == 6)
    return [*LIST[:place], Placed(6, envelopes.seal(payload, REGISTRY.root)), *LIST[place + 1 :]]


def at(place: int, index: int) -> list[Placed]:
    return [*LIST[:place], Placed(index, LIST[place].envelope), *LIST[place + 1 :]]


def forged() -> list[Placed]:
    body = envelopes.read_as(kinds.RegistryKey, LIST[-1].envelope)
    return [*LIST[:-1], Placed(7, envelopes.seal(body, key("somebody")))]


OTHERS = msgspec.json.decode(grown("two").log.published()["keys"], type=list[Placed])

LIES: dict[str, tuple[Callable[[], list[Placed]], str]] = {
    "the end of a key is left out": (lambda: [each for each in LIST if each.index != 6], "at index 6, which .* leaves"),
    "the newest key is left out": (lambda: LIST[:-1], "registry-key at index 7, which .* leaves out"),
    "a key is added where the log has another statement": (lambda: an_addition(4, 4), "at index 4, where the log has"),
    "the end says another reason": (altered, "another registry-key-revoke at index 6"),
    "a key is listed at another place": (lambda: at(3, 4), "registry-key at index 3, which .* leaves out"),
    "two keys change places": (
        lambda: [*LIST[:1], Placed(1, LIST[2].envelope), Placed(2, LIST[1].envelope), *LIST[3:]],
        "another registry-key at index 1",
    ),
    "the list is out of order": (lambda: [*LIST[:-2], LIST[-1], LIST[-2]], "in log order, got index 6 after 7"),
    "a place comes twice": (lambda: an_addition(4, 3), "in log order, got index 3 after 3"),
    "a key that the root did not sign": (forged, "signatures: expected keys"),
    "one key is another registry's": (lambda: [*LIST[:-1], Placed(7, OTHERS[-1].envelope)], "expected a key of the"),
    "all is another registry's": (lambda: OTHERS, "expected a key of the registry registry.example/one"),
    "a key ends twice": (lambda: [*LIST, Placed(9, LIST[5].envelope)], "of a key that is in force"),
    "nothing is listed": (list, "expected 1 to 1024 registry keys, got 0"),
}


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_about_the_registrys_keys_passes(lie: str) -> None:
    placed, message = LIES[lie]
    with pytest.raises(VerificationError, match=message):
        verified(lying(placed()))


def test_what_is_listed_ahead_of_the_checkpoint_does_not_count_yet() -> None:
    before, later = grown(), grown()
    later.end_key(later.working["log"].keyid, "compromised")
    later.name_key("office", key("a later office"))
    found = verified({**before.log.published(), "keys": later.log.published()["keys"]})
    assert found.keys is not None
    assert found.keys.office == before.working["office"].keyid
    assert all(each.index < 8 and (each.ended or 0) < 8 for each in found.keys.lines)


def test_a_stolen_log_key_signs_no_tree_that_holds_its_end() -> None:
    registry = grown()
    stolen = note.Signer(registry.origin, registry.working["log"].seed)
    registry.end_key(registry.working["log"].keyid, "compromised")
    Account(registry, "later")
    by_thief = registry.log.published(stolen)
    with pytest.raises(VerificationError, match="counts for, from 0 entries to 8, got one of 10"):
        verified(by_thief)
    # A list without the end would let the signature pass: the entries have it.
    hidden = [each for each in msgspec.json.decode(by_thief["keys"], type=list[Placed]) if each.index != 8]
    with pytest.raises(VerificationError, match="registry-key-revoke at index 8, which the published list"):
        verified({**by_thief, "keys": key_list.encode(hidden)})
    newer = note.Signer(registry.origin, key("one second log").seed)
    assert verified(registry.log.published(newer)).newest.size == 10


def test_a_verification_that_goes_on_still_knows_the_keys_in_front_of_it() -> None:
    registry = grown()
    mirror = Mirror(registry.log.published().get, "mirror")
    listed = mirror.keys(registry.trust)
    edge = examine_log(mirror.read, listed.log, listed=listed).edge
    registry.name_key("snapshot", key("one second snapshot"))
    newer = Mirror(registry.log.published().get, "mirror")
    found = examine_log(newer.read, listed.log, listed=newer.keys(registry.trust), start=edge)
    assert found.entries == 1
    assert found.keys is not None
    assert found.keys.snapshot == key("one second snapshot").keyid
    with pytest.raises(VerificationError, match="registry-key at index 8, which"):
        examine_log(newer.read, listed.log, listed=listed, start=edge)
    short = msgspec.structs.replace(edge, keys=edge.keys[1:])
    with pytest.raises(VerificationError, match="has a registry-key at index 0, where the log has none"):
        examine_log(newer.read, listed.log, listed=newer.keys(registry.trust), start=short)


def test_a_log_of_more_keys_than_anybody_reads_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("licet.audit.rebuilt.MAX_KEYS", 6)
    with pytest.raises(VerificationError, match="at most 6 statements about the registry's keys, got 7"):
        verified(FILES)


def test_a_copy_in_a_folder_is_read_like_a_server(tmp_path: Path) -> None:
    for name, content in FILES.items():
        path = tmp_path / "log" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for folder in (tmp_path, tmp_path / "log"):
        mirror = in_folder(folder)
        listed = mirror.keys(REGISTRY.trust)
        assert examine_log(mirror.read, listed.log, listed=listed, readers=2).newest.size == 8
    (tmp_path / "log" / "keys").unlink()
    with pytest.raises(ServiceError, match="log/keys: the published log has no such file"):
        in_folder(tmp_path).keys(REGISTRY.trust)
    with pytest.raises(InputError, match="expected a folder with a published log"):
        in_folder(tmp_path / "elsewhere")


@pytest.mark.parametrize("kind", ["a pipe", "a device", "a folder"])
def test_what_is_no_file_is_neither_waited_for_nor_read_without_end(tmp_path: Path, kind: str) -> None:
    (tmp_path / "checkpoint").write_bytes(FILES["checkpoint"])
    keys = tmp_path / "keys"
    if kind == "a pipe":
        os.mkfifo(keys)
    elif kind == "a device":
        keys.symlink_to("/dev/zero")
    else:
        keys.mkdir()
    with pytest.raises(ServiceError, match="keys: expected a file, got a folder or a device"):
        in_folder(tmp_path).keys(REGISTRY.trust)


def test_a_file_is_read_up_to_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("licet.audit.mirror.MAX_FILE", len(FILES["checkpoint"]))
    (tmp_path / "checkpoint").write_bytes(FILES["checkpoint"])
    assert in_folder(tmp_path).read("checkpoint") == FILES["checkpoint"]
    (tmp_path / "checkpoint").write_bytes(FILES["checkpoint"] + b" ")
    with pytest.raises(ServiceError, match="checkpoint: expected at most"):
        in_folder(tmp_path).read("checkpoint")


def test_a_partial_tile_that_is_gone_is_cut_from_the_full_one() -> None:
    registry = Registry()
    small = registry.log.published()
    for number in range(260):
        registry.end_key(f"{number:064x}", signer=key("nobody"))
    large = registry.log.published()
    mirror = Mirror(large.get, "mirror")
    for name in ("tile/0/000.p/4", "tile/entries/000.p/4"):
        assert name not in large
        assert mirror.read(name) == small[name]
    with pytest.raises(ServiceError, match=r"mirror/tile/0/009.p/4: the published log has no such file"):
        mirror.read("tile/0/009.p/4")


def test_only_what_is_missing_is_looked_for_elsewhere() -> None:
    def get(path: str) -> bytes:
        if path == "/log/checkpoint":
            return b"note"
        raise ServiceError("no", status=404 if "entries" in path else 500)

    mirror = at_address(get, "https://mirror.example/")
    assert mirror.read("checkpoint") == b"note"
    with pytest.raises(ServiceError, match=r"https://mirror.example/log/tile/entries/000: the published log has no"):
        mirror.read("tile/entries/000")
    with pytest.raises(ServiceError, match=r"^no"):
        mirror.read("tile/0/000")


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@given(
    st.binary(max_size=60) | JSON.map(msgspec.json.encode), st.integers(0, len(FILES["keys"]) - 1), st.integers(0, 255)
)
def test_no_bytes_for_a_list_raise_anything_but_our_errors(other: bytes, place: int, byte: int) -> None:
    changed = FILES["keys"][:place] + bytes([byte]) + FILES["keys"][place + 1 :]
    for data in (other, changed, FILES["keys"][:place]):
        if data == FILES["keys"]:
            continue
        with pytest.raises(LicetError):
            verified({**FILES, "keys": data})
    with pytest.raises(LicetError):
        KeyList.parse(other, None)
