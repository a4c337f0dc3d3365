"""What processes of our own spare: modules that nobody there needs, and memory that is given back only to be asked for
again."""

from __future__ import annotations

import os
import sys


class _WithoutPandas:
    """Says that there is no pandas to whoever wants to import it."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is not loaded in processes of licet's own", name=name)


def spare() -> None:
    """Have this process do without what ours do not need; to be said before Arrow is loaded."""
    without_pandas()
    with_one_allocator()


def with_one_allocator() -> None:
    """Have Arrow take its memory where Python does, from the C library, unless the environment says otherwise.

    Arrow's own allocator gives memory back between two batches, and the system clears it anew for the next one: sixty
    pages for a thousand addresses, a tenth of the time. glibc keeps what is asked for again and again.
    """
    if "CS_GNU_LIBC_VERSION" in getattr(os, "confstr_names", ()):
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def without_pandas() -> None:
    """Have this process do without pandas: Arrow finds none, and does not look whether it is given data of it.

    Where pandas is installed, Arrow imports it for that with the first column it makes, which takes more than a second
    of a processor. For processes in which nobody's code runs but ours; where pandas is loaded already it stays.
    """
    sys.meta_path.insert(0, _WithoutPandas)
