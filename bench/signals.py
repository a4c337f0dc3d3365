"""What a million addresses of ten thousand hosts are said to be: every standard here, beside datadiligence's two.

Both start from what has been fetched: headers of each answer, and (here alone) three files of each host. The peer's
evaluators read ``X-Robots-Tag`` and TDMRep's headers.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from functools import cache
from typing import Final

from bench.measuring import BUILD, in_turn, record
from licet.signals import verdicts_of
from licet.signals.many import Site, header_mask, mask_of

ROWS: Final = 1_000_000
HOSTS: Final = 10_000
RUNS: Final = 5
_PLAIN: Final = b"User-agent: *\nDisallow: /admin/\nDisallow: /cart/\nDisallow: /*?sort=\nSitemap: /sitemap.xml\n"
_AGENTS: Final = ("GPTBot", "CCBot", "ClaudeBot", "Google-Extended", "Bytespider", "PerplexityBot", "anthropic-ai")
#: Kinds of robots.txt, and how often each is met in a hundred; ``%d`` makes each host's its own.
_ROBOTS: Final = {
    b"# host %d\n" + _PLAIN: 40,
    b"# host %d\nUser-agent: *\nAllow: /\n": 20,
    b"# host %d\n" + _PLAIN + b"".join(b"\nUser-agent: %s\nDisallow: /\n" % name.encode() for name in _AGENTS): 20,
    b"# host %d\nUser-agent: *\nContent-Signal: search=yes,ai-train=no\n\nUser-agent: GPTBot\nDisallow: /\n": 8,
    b"# host %d\n" + _PLAIN + b"User-agent: CCBot\nDisallow: /works/\nDisallow: /*.png$\nAllow: /works/free/\n": 8,
    b"# host %d\nUser-agent: *\nContent-Usage: train-ai=n\nAllow: /\nLicense: /rsl.xml\n": 3,
    b"# host %d\nUser-agent: *\nContent-Usage: /works/ train-ai=n\nAllow: /\n": 1,
}
_TDMREP: Final = b'[{"location": "/works/", "tdm-reservation": 1, "tdm-policy": "/policy.json"}]'
_AI_TXT: Final = b"User-Agent: *\nDisallow: *.png\nAllow: /\n"
_SAID: Final = (
    *[[]] * 16,
    [("X-Robots-Tag", "noai, noimageai")],
    [("x-robots-tag", "noindex")],
    [("TDM-Reservation", "1"), ("TDM-Policy", "https://policies.example/1")],
    [("Content-Usage", "train-ai=n, search=y"), ("Content-Signal", "ai-train=no")],
)


@cache
def hosts() -> list[tuple[bytes, bytes | None, bytes | None]]:
    """Return the files of each host."""
    chance = random.Random(8)
    kinds = [kind for kind, often in _ROBOTS.items() for _ in range(often)]
    return [
        (
            chance.choice(kinds) % host,
            _TDMREP if chance.random() < 0.03 else None,
            _AI_TXT if chance.random() < 0.02 else None,
        )
        for host in range(HOSTS)
    ]


@cache
def rows() -> list[tuple[int, str, list[tuple[str, str]]]]:
    """Return each row's host, path and headers, ten of which say nothing."""
    chance = random.Random(9)
    made = []
    for row in range(ROWS):
        plain = [
            ("Date", "Sun, 29 Nov 2026 00:00:00 GMT"), ("Content-Type", "image/png"), ("Content-Length", str(row)),
            ("ETag", f'"{row:x}"'), ("Server", "nginx"), ("Cache-Control", "max-age=600"), ("Connection", "keep-alive"),
            ("Vary", "Accept-Encoding"), ("Age", "7"), ("Accept-Ranges", "bytes"),
        ]  # fmt: skip
        host = chance.randrange(HOSTS)
        made.append((host, f"/works/{row}.png", plain + chance.choice(_SAID)))
    return made


def main() -> None:
    """Measure them in turn and record them."""
    from datadiligence.evaluators import HttpEvaluator

    peer = HttpEvaluator()
    dictionaries = [dict(headers) for _, _, headers in rows()]
    sites = [Site(*files) for files in hosts()]
    outcome: Counter[str] = Counter()

    def ours() -> None:
        header_mask.cache_clear()
        outcome.clear()
        outcome.update(
            verdicts_of(found)["train-gen"]
            for found in [mask_of(sites[host], path, headers) for host, path, headers in rows()]
        )

    def files_too() -> None:
        sites[:] = [Site(*files) for files in hosts()]
        ours()

    def theirs() -> None:
        for headers in dictionaries:
            peer.is_allowed(headers=headers)

    figures = in_turn(
        {"licet.signals": ours, "with every file parsed": files_too, "datadiligence": theirs},
        ROWS,
        RUNS,
        time.process_time,
    )
    record("signals", "rows", figures, rows=ROWS, hosts=HOSTS, **outcome)


if __name__ == "__main__":
    BUILD.mkdir(parents=True, exist_ok=True)
    main()
