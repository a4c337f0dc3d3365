"""Every block of the guides is run, in order, by somebody who has worked through the README on the same registry.

The README's are run with the programs that were installed, these with forks of them.
"""

from __future__ import annotations

import pytest

from tests import forking
from tests.whole.reading import ROOT, Read, read, typing
from tests.whole.stage import Service

GUIDES = ("artist", "trainer", "auditor", "operator")


@pytest.fixture(scope="module")
def reader(readme: Read, readers: Service, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the README's reader, in another terminal."""
    return typing(readers, readme.folder, forking.programs(tmp_path_factory.mktemp("programs")))


@pytest.mark.parametrize("guide", GUIDES)
def test_the_guide_works_as_written_after_the_readme(readme: Read, reader: dict[str, str], guide: str) -> None:
    done = read(ROOT / "docs" / "guides" / f"{guide}.md", readme.folder, reader)
    assert done.blocks
    assert done.code == 0, done.said
    assert "Traceback" not in done.err
    if guide == "trainer":  # the artist's pictures are paid for, so the guide shows what it speaks of
        assert "lic_" in done.out
