"""What google/robotstxt expects of a parser (robots_test.cc at 22b355f, Apache-2.0), restated as data.

Each case: a file (lines joined by ``|``), an agent, then addresses that it may fetch and addresses that it may not.
"""

from __future__ import annotations

SITE = "http://foo.bar"
ALL_BUT = "user-agent: FooBot|disallow: /|allow: "
GROUPS = (
    "allow: /foo/bar/||user-agent: FooBot|disallow: /|allow: /x/|user-agent: BarBot|disallow: /|allow: /y/|||"
    "allow: /w/|user-agent: BazBot||user-agent: FooBot|allow: /z/|disallow: /"
)
SPECIFIC = "user-agent: FooBot|allow: /|user-agent: BarBot|disallow: /|user-agent: BazBot|disallow: /"
GLOBAL = "user-agent: *|allow: /|user-agent: FooBot|disallow: /"
SPACED = "User-Agent: *|Disallow: /|User-Agent: Foo Bar|Allow: /x/|Disallow: /"
INDEX = "User-Agent: *|Allow: /allowed-slash/index.html|Disallow: /"
FISH = ["/fish", "/fish.html", "/fish/salmon.html", "/fishheads", "/fishheads/yummy.html", "/fish.html?id=anything"]
PHP = ["/filename.php", "/folder/filename.php"]

#: (file, agent, may, may not); what is no whole address is a path of ``SITE``, "" an empty address.
CASES: list[tuple[str, str, list[str], list[str]]] = [
    # The system: nothing to match, and nothing to be matched by.
    ("", "FooBot", ["<empty>"], []),
    ("user-agent: FooBot|disallow: /", "", ["<empty>"], []),
    ("user-agent: FooBot|disallow: /", "FooBot", [], ["<empty>"]),
    ("", "", ["<empty>"], []),
    # Lines: a name, a colon, a value; the colon may be missing.
    ("user-agent: FooBot|disallow: /", "FooBot", [], ["/x/y"]),
    ("foo: FooBot|bar: /", "FooBot", ["/x/y"], []),
    ("user-agent FooBot|disallow /", "FooBot", [], ["/x/y"]),
    # Groups: several of one agent are one, rules outside of all are none.
    (GROUPS, "FooBot", ["/x/b", "/z/d"], ["/y/c", "/foo/bar/"]),
    (GROUPS, "BarBot", ["/y/c", "/w/a"], ["/z/d", "/foo/bar/"]),
    (GROUPS, "BazBot", ["/z/d"], ["/foo/bar/"]),
    # Other lines do not close a group.
    *(
        (f"User-agent: {name}|{line}|User-agent: *|Disallow: /", agent, [], ["/"])
        for name, line in [("BarBot", "Sitemap: https://foo.bar/sitemap"), ("FooBot", "Invalid-Unknown-Line: unknown")]
        for agent in ("FooBot", "BarBot")
    ),
    # Names of lines in any case.
    *(
        (f"{agent}: FooBot|{allow}: /x/|{disallow}: /", "FooBot", ["/x/y"], ["/a/b"])
        for agent, allow, disallow in [
            ("USER-AGENT", "ALLOW", "DISALLOW"), ("user-agent", "allow", "disallow"),
            ("uSeR-aGeNt", "AlLoW", "dIsAlLoW"),
        ]
    ),
    # Names of agents in any case, and up to the first space.
    *(
        (f"User-Agent: {written}|Allow: /x/|Disallow: /", agent, ["/x/y"], ["/a/b"])
        for written in ("FOO BAR", "foo bar", "FoO bAr")
        for agent in ("Foo", "foo")
    ),
    (SPACED, "Foo", ["/x/y"], []),
    (SPACED, "Foo Bar", [], ["/x/y"]),
    # Everybody's group is for whom no other is.
    ("", "FooBot", ["/x/y"], []),
    (GLOBAL, "FooBot", [], ["/x/y"]),
    (GLOBAL, "BarBot", ["/x/y"], []),
    (SPECIFIC, "QuxBot", ["/x/y"], []),
    # Values are compared with their case.
    ("user-agent: FooBot|disallow: /x/", "FooBot", [], ["/x/y"]),
    ("user-agent: FooBot|disallow: /X/", "FooBot", ["/x/y"], []),
    # The longest match decides; of equal ones the one that allows.
    ("user-agent: FooBot|disallow: /x/page.html|allow: /x/", "FooBot", [], ["/x/page.html"]),
    ("user-agent: FooBot|allow: /x/page.html|disallow: /x/", "FooBot", ["/x/page.html"], ["/x/"]),
    ("user-agent: FooBot|disallow: |allow: ", "FooBot", ["/x/page.html"], []),
    ("user-agent: FooBot|disallow: /|allow: /", "FooBot", ["/x/page.html"], []),
    ("user-agent: FooBot|disallow: /x|allow: /x/", "FooBot", ["/x/"], ["/x"]),
    ("user-agent: FooBot|disallow: /x/page.html|allow: /x/page.html", "FooBot", ["/x/page.html"], []),
    ("user-agent: FooBot|allow: /page|disallow: /*.html", "FooBot", ["/page"], ["/page.html"]),
    ("user-agent: FooBot|allow: /x/page.|disallow: /*.html", "FooBot", ["/x/page.html"], ["/x/y.html"]),
    ("User-agent: *|Disallow: /x/|User-agent: FooBot|Disallow: /y/", "FooBot", ["/x/page"], ["/y/page"]),
    # Escapes.
    (
        "User-agent: FooBot|Disallow: /|Allow: /foo/bar?qux=taz&baz=http://foo.bar?tar&par", "FooBot",
        ["/foo/bar?qux=taz&baz=http://foo.bar?tar&par"], [],
    ),
    ("User-agent: FooBot|Disallow: /|Allow: /foo/bar/ツ", "FooBot", ["/foo/bar/%E3%83%84"], ["/foo/bar/ツ"]),
    ("User-agent: FooBot|Disallow: /|Allow: /foo/bar/%E3%83%84", "FooBot", ["/foo/bar/%E3%83%84"], ["/foo/bar/ツ"]),
    ("User-agent: FooBot|Disallow: /|Allow: /foo/bar/%62%61%7A", "FooBot", ["/foo/bar/%62%61%7A"], ["/foo/bar/baz"]),
    # Special characters.
    (
        "User-agent: FooBot|Disallow: /foo/bar/quz|Allow: /foo/*/qux", "FooBot",
        ["/foo/quz", "/foo//quz", "/foo/bax/quz"], ["/foo/bar/quz"],
    ),
    (
        "User-agent: FooBot|Disallow: /foo/bar$|Allow: /foo/bar/qux", "FooBot",
        ["/foo/bar/qux", "/foo/bar/", "/foo/bar/baz"], ["/foo/bar"],
    ),
    ("User-agent: FooBot|# Disallow: /|Disallow: /foo/quz#qux|Allow: /", "FooBot", ["/foo/bar"], ["/foo/quz"]),
    # index.html is its folder.
    (
        INDEX, "foobot", ["/allowed-slash/", "/allowed-slash/index.html"],
        ["/allowed-slash/index.htm", "/anyother-url"],
    ),
    # The documentation's own examples.
    (ALL_BUT + "/fish", "FooBot", FISH, ["/bar", "/Fish.asp", "/catfish", "/?id=fish"]),
    (ALL_BUT + "/fish*", "FooBot", FISH, ["/bar", "/Fish.bar", "/catfish", "/?id=fish"]),
    (
        ALL_BUT + "/fish/", "FooBot",
        ["/fish/", "/fish/salmon", "/fish/?salmon", "/fish/salmon.html", "/fish/?id=anything"],
        ["/bar", "/fish", "/fish.html", "/Fish/Salmon.html"],
    ),
    (
        ALL_BUT + "/*.php", "FooBot",
        [
            *PHP, "/folder/filename.php?parameters", "//folder/any.php.file.html", "/filename.php/",
            "/index?f=filename.php/",
        ],
        ["/bar", "/php/", "/index?php", "/windows.PHP"],
    ),
    (
        ALL_BUT + "/*.php$", "FooBot", PHP,
        [
            "/bar", "/filename.php?parameters", "/filename.php/", "/filename.php5", "/php/", "/filename?php",
            "/aaaphpaaa", "//windows.PHP",
        ],
    ),
    (
        ALL_BUT + "/fish*.php", "FooBot", ["/fish.php", "/fishheads/catfish.php?parameters"], ["/bar", "/Fish.PHP"],
    ),
    ("user-agent: FooBot|allow: /p|disallow: /", "FooBot", ["http://example.com/page"], []),
    ("user-agent: FooBot|allow: /folder|disallow: /folder", "FooBot", ["http://example.com/folder/page"], []),
    ("user-agent: FooBot|allow: /page|disallow: /*.htm", "FooBot", [], ["http://example.com/page.htm"]),
    (
        "user-agent: FooBot|allow: /$|disallow: /", "FooBot", ["http://example.com/"],
        ["http://example.com/page.html"],
    ),
]  # fmt: skip

#: Lines of a file that are understood, with every kind of line end and of byte order mark: (file, how many).
COUNTED: list[tuple[bytes, int]] = [
    *(
        (b"User-Agent: foo%bAllow: /some/path%bUser-Agent: bar%b%b%bDisallow: /%b" % ends, 4)
        for ends in [
            (b"\n",) * 6, (b"\r\n",) * 6, (b"\r",) * 6, (*(b"\n",) * 5, b""),
            (b"\n", b"\r\n", b"\n", b"\r\n", b"\n", b""),
        ]
    ),
    *((mark + b"User-Agent: foo\nAllow: /AnyValue\n", 2) for mark in (b"\xef\xbb\xbf", b"\xef\xbb", b"\xef")),
    (b"\xef\x11\xbfUser-Agent: foo\nAllow: /AnyValue\n", 1),
    (b"User-Agent: foo\n\xef\xbb\xbfAllow: /AnyValue\n", 1),
]  # fmt: skip

#: Addresses and the path that rules are matched with.
PATHS = {
    "": "/", "http://www.example.com": "/", "http://www.example.com/": "/", "http://www.example.com/a": "/a",
    "http://www.example.com/a/": "/a/", "http://www.example.com/a/b?c=http://d.e/": "/a/b?c=http://d.e/",
    "http://www.example.com/a/b?c=d&e=f#fragment": "/a/b?c=d&e=f", "example.com": "/", "example.com/": "/",
    "example.com/a": "/a", "example.com/a/": "/a/", "example.com/a/b?c=d&e=f#fragment": "/a/b?c=d&e=f", "a": "/",
    "a/": "/", "/a": "/a", "a/b": "/b", "example.com?a": "/?a", "example.com/a;b#c": "/a;b", "//a/b/c": "/b/c",
}  # fmt: skip
ESCAPES = {"http://www.example.com": "http://www.example.com", "/a/b/c": "/a/b/c", "á": "%C3%A1", "%aa": "%AA"}
#: Which names of agents are product tokens, and which are not; the parser takes digits beside.
TOKENS = {"Foobot", "Foobot-Bar", "Foo_Bar"}
NO_TOKENS = {"", "ツ", "Foobot*", " Foobot ", "Foobot/2.1", "Foobot Bar"}
