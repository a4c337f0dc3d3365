"""The lines of a closed month, kept where they lie in their trees, and the proof of each from a few hundred rows.

Trees are joined 256 lines at a time; what is above those is kept whole, so a proof reads the lines beside its own and
nothing else, however many payees there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from licet.log.sums import COLUMNS, SumLine, SumNode, SumTree, line_node
from licet.statements.kinds import PeriodTree
from licet.statements.periods import Moved, Side, chunked, lines_of, packed, placed, salt_of, stated, unpacked
from registry.closing import queries
from registry.database import Connection, Row

CHUNK: Final = 256


class Tree(NamedTuple):
    """One sum tree as it is kept: the rows of its lines, and what is above each 256 of them."""

    stated: PeriodTree
    root: SumNode
    nodes: bytes
    lines: list[SumLine]


def trees_of(accounts: Iterable[Moved], secret: bytes) -> list[Tree]:
    """Return every tree over ``accounts``, by side and currency."""
    found = []
    for (side, currency), lines in lines_of(accounts).items():
        lying = placed(side, lines, secret)
        above = list(chunked([each.node for each in lying], CHUNK))
        root = SumTree(above).root
        found.append(Tree(stated(side, currency, root), root, packed(above), [each.line for each in lying]))
    return found


async def keep(conn: Connection, period: str, trees: Sequence[Tree]) -> None:
    """The trees and their lines are kept."""
    await conn.copy_records_to_table(
        "period_trees",
        records=[
            (period, at.side, at.currency, at.lines, each.root.hash, each.root.sums[1:], each.nodes)
            for each in trees
            for at in (each.stated,)
        ],
        columns=queries.TREES_COLUMNS,
    )
    for tree in trees:
        side = tree.stated.side
        await conn.copy_records_to_table(
            "period_lines",
            records=(
                (period, line.payee, side, line.currency, place, line.sums) for place, line in enumerate(tree.lines)
            ),
            columns=queries.LINES_COLUMNS,
        )


async def kept(conn: Connection, period: str) -> list[PeriodTree]:
    """Return the trees of ``period`` as its close states them."""
    return [tree_of(row) for row in await conn.fetch(queries.TREES, [period])]


async def proof(conn: Connection, period: str, secret: bytes, row: Row) -> list[SumNode]:
    """Return what proves the line of ``row`` (`queries.OWN_LINES`) in its tree."""
    side: Side = row["side"]
    first = row["place"] // CHUNK * CHUNK
    beside = await conn.fetch(queries.NEIGHBOURS, period, side, row["currency"], first, first + CHUNK)
    lines = [line_of(each) for each in beside]
    leaves = [line_node(line, salt_of(secret, side, line.payee, line.currency)) for line in lines]
    above = SumTree(unpacked(row["nodes"]))
    return [*SumTree(leaves).proof(row["place"] - first), *above.proof(row["place"] // CHUNK)]


def line_of(row: Row) -> SumLine:
    """Return the line of a row."""
    return SumLine(row["payee"], row["currency"], *row["sums"])


def tree_of(row: Row) -> PeriodTree:
    """Return the tree of a row of `queries.TREES`, as a close states it."""
    return stated(row["side"], row["currency"], SumNode(row["root"], (row["lines"], *row["sums"])))


def salted(rows: Iterable[Row], secret: bytes) -> Iterator[tuple[Side, SumLine, bytes]]:
    """Yield the side, line and salt of each of ``rows`` (`queries.ALL_LINES`)."""
    for row in rows:
        line = line_of(row)
        yield row["side"], line, salt_of(secret, row["side"], line.payee, line.currency)


assert len(COLUMNS) == 7  # as migration 0037 has them
