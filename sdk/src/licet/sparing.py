"""What processes of our own need not load."""

from __future__ import annotations

import sys


class _WithoutPandas:
    """Says that there is no pandas to whoever wants to import it."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is not loaded in processes of licet's own", name=name)


def without_pandas() -> None:
    """Have this process do without pandas: Arrow finds none, and does not look whether it is given data of it.

    Where pandas is installed, Arrow imports it for that with the first column it makes, which takes more than a second
    of a processor. For processes in which nobody's code runs but ours; where pandas is loaded already it stays.
    """
    sys.meta_path.insert(0, _WithoutPandas)
