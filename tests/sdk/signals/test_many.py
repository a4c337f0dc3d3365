"""For many addresses it comes to the same as the readers do for each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from licet.signals import combined_mask
from licet.signals.many import Site, mask_of
from licet.signals.readers.ai_txt import read_ai_txt
from licet.signals.readers.headers import read_headers
from licet.signals.readers.robots_txt import read_robots
from licet.signals.readers.tdmrep import read_tdmrep

AGENTS = st.sampled_from(["*", "GPTBot", "CCBot", "chatgpt-user", "Other", ""])
PATTERNS = st.sampled_from(["", "/", "/a", "/a/", "/*.png", "/*b$", "/a*b", "/a/index.html", "/%61", "/a$", "*", "b"])
LINES = st.one_of(
    st.tuples(st.just("User-agent"), AGENTS),
    st.tuples(st.sampled_from(["Allow", "Disallow"]), PATTERNS),
    st.tuples(st.just("Content-Usage"), st.sampled_from(["train-ai=n", "/a search=n", "train-ai=y", "X"])),
    st.tuples(st.just("Content-Signal"), st.sampled_from(["ai-train=no", "/a ai-input=no,search=yes", "use=x"])),
    st.tuples(st.just("License"), st.sampled_from(["/rsl.xml", "http://["])),
)
ROBOTS = st.none() | st.lists(LINES, max_size=10).map(
    lambda lines: "\n".join(f"{key}: {value}" for key, value in lines).encode()
)
TDMREP = st.none() | st.sampled_from(
    [b'[{"location": "/a*", "tdm-reservation": 1}]', b'[{"location": "/", "tdm-reservation": 0}]', b"[7]", b"?"]
)
AI_TXT = st.none() | st.sampled_from([b"User-agent: *\nDisallow: *.png", b"User-agent: GPTBot\nDisallow: /", b"\0"])
HEADERS = st.lists(
    st.sampled_from(
        [
            ("TDM-Reservation", "1"), ("tdm-reservation", "0"), ("tdm-reservation", "x"), ("X-Robots-Tag", "noimageai"),
            ("Content-Usage", "search=n"), ("Content-Usage", "!"), ("Date", "today"), ("tdm-policy", "/p"),
            ("Link", "</r>; rel=license; type=application/rsl+xml"),
        ]
    ),
    max_size=4,
)  # fmt: skip
PATHS = st.sampled_from(["/", "/a", "/a/", "/a/x.png", "/ab", "/b?x=.png", "/c/b"])


@given(ROBOTS, TDMREP, AI_TXT, HEADERS, PATHS, st.booleans())
def test_masks_of_many_are_those_of_each(
    robots: bytes | None,
    tdmrep: bytes | None,
    ai_txt: bytes | None,
    headers: list[tuple[str, str]],
    path: str,
    picture: bool,
) -> None:
    url = "https://art.example" + path
    signals = list(read_headers(headers, url, picture=picture))
    signals += read_robots(robots, url) if robots is not None else ()
    signals += read_tdmrep(tdmrep, url) if tdmrep is not None else ()
    signals += read_ai_txt(ai_txt, url) if ai_txt is not None else ()
    assert mask_of(Site(robots, tdmrep, ai_txt), path, headers, picture=picture) == combined_mask(signals)
