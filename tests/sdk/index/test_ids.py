"""Identifiers of many works at once, against those made one by one."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError
from licet.identifiers import from_uuid, to_uuid
from licet.index.ids import id_bytes, ids_of, work_texts


def table(values: list[UUID]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.frombuffer(b"".join(value.bytes for value in values), np.uint8).reshape(-1, 16)


@given(st.lists(st.uuids(), max_size=20))
def test_work_texts_are_identifiers_and_are_read_back(values: list[UUID]) -> None:
    ids = table(values)
    assert work_texts(ids) == [from_uuid("wrk", value) for value in values]
    assert ids_of("wrk", id_bytes("wrk", ids)).tobytes() == ids.tobytes()


@given(st.uuids(), st.integers(0, 29), st.integers(0, 255))
def test_what_is_no_identifier_is_none_here_either(value: UUID, place: int, byte: int) -> None:
    text = bytearray(from_uuid("wrk", value).encode())
    text[place] = byte
    given = np.frombuffer(bytes(text), np.uint8).reshape(1, -1)
    try:
        expected = to_uuid(text.decode("latin-1"), "wrk")
    except InputError:
        with pytest.raises(InputError, match="wrk_ and 26 letters and digits"):
            ids_of("wrk", given)
    else:
        assert ids_of("wrk", given).tobytes() == expected.bytes
