"""An artist's terms as a kit for her own site: every file that crawlers ask a site for, and how to put them up.

The files speak of the whole site, so the terms are those that hold for everything on it. With the site's address they
point to each other; without one they do not, and what would need pointing is said more strictly.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import Final
from urllib.parse import urlsplit

import msgspec

from licet.errors import InputError
from licet.signals.writers.lines import response_headers
from licet.signals.writers.written import Subject, Written

#: Dialect → where it lies in the kit, as on the site.
PLACES: Final = {
    "robots": "robots.txt",
    "ai.txt": "ai.txt",
    "tdmrep.json": ".well-known/tdmrep.json",
    "rsl": "licet/rsl.xml",
    "tdmrep": "licet/tdm-policy.json",
    "odrl": "licet/odrl.json",
    "json": "licet/terms.json",
    "page": "licet/terms.html",
    "html": "for-your-pages.html",
}
SERVERS: Final = ("servers/nginx.conf", "servers/apache.conf", "servers/_headers")
README: Final = "README.txt"
_POINTED_TO: Final = ("rsl", "tdmrep", "odrl")
_LONGEST: Final = 300
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?", re.ASCII)
_MADE: Final = (1980, 1, 1, 0, 0, 0)  # the same terms make the same archive

_TOLD: Final = """\
Your terms, for your own site
=============================

Unpack everything into the folder that your site is served from, then:

1. robots.txt: if your site has one, add these lines to it; else use it as it is.
2. ai.txt, .well-known/ and licet/: leave them where they are.
3. for-your-pages.html: copy its lines between <head> and </head> of every page that shows your pictures.
4. servers/: if you can, let your server say it with every picture. nginx.conf goes into a server block, apache.conf
   into .htaccess (mod_headers), _headers beside your pages at Netlify and Cloudflare Pages.

The files hold for the whole site. When you change your terms, fetch a new kit.
They state a reservation of rights. Exceptions in law may still apply.

给自己网站用的条件
==================

全部解压到网站的根目录，然后：

1. robots.txt：网站已经有这个文件的话，把这里的几行加进去；没有就直接用。
2. ai.txt、.well-known/ 和 licet/：放着别动。
3. for-your-pages.html：把里面几行抄进每个放画的网页，<head> 和 </head> 之间。
4. servers/：能改服务器的话，让它随每张图把话说清楚。nginx.conf 放进 server 块，apache.conf 放进 .htaccess
   （要有 mod_headers），_headers 放在 Netlify 或 Cloudflare Pages 的网页旁边。

这些文件管整个网站。条件改了，就重新下载一份。
它们声明权利保留；法律规定的例外情形仍可能适用。
"""


def site_of(text: str) -> str:
    """Return the origin of a site, such as ``https://ada.example``; raises ``InputError`` for anything else."""
    expected = "the address of a site, such as https://ada.example"
    try:
        parts = urlsplit(text.strip())
        host = (parts.hostname or "").encode("idna").decode().lower() + (f":{parts.port}" if parts.port else "")
    except (ValueError, UnicodeError):
        raise InputError.field("at", expected, text[:_LONGEST]) from None
    rest = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in ("http", "https") or rest or len(text) > _LONGEST or not _HOST.fullmatch(host):
        raise InputError.field("at", expected, text[:_LONGEST])
    return f"{parts.scheme}://{host}"


def of_site(subject: Subject, site: str | None) -> Subject:
    """Return ``subject`` as a whole site says it: for every path, and with the addresses that its files will have."""
    if site is None:
        return msgspec.structs.replace(subject, url="/", address=None, machine={})
    machine = {dialect: f"{site}/{PLACES[dialect]}" for dialect in _POINTED_TO}
    return msgspec.structs.replace(subject, url="/", address=f"{site}/{PLACES['page']}", machine=machine)


def documents(subject: Subject) -> dict[str, Written]:
    """Return the documents of the kit for `of_site`'s subject, by their place in it."""
    from licet.signals.writers import write

    return {place: write(dialect, subject) for dialect, place in PLACES.items()}


def kit(subject: Subject, site: str | None = None) -> dict[str, bytes]:
    """Return every file of the kit by its place; ``site`` is what `site_of` returns, None where it is not known."""
    whole = of_site(subject, site)
    headers, _ = response_headers(whole)
    files = {place: written.body for place, written in documents(whole).items()}
    nginx = "".join(f"add_header {name} '{_plain(value)}' always;\n" for name, value in headers)
    apache = "".join(f'Header always set {name} "{_apache(value)}"\n' for name, value in headers)
    netlify = "/*\n" + "".join(f"  {name}: {_plain(value)}\n" for name, value in headers)
    files |= dict(zip(SERVERS, (nginx.encode(), apache.encode(), netlify.encode()), strict=True))
    return {README: _TOLD.encode(), **files}


def archive(files: dict[str, bytes]) -> bytes:
    """Return ``files`` as a zip archive: the same bytes for the same files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for place, content in files.items():
            entry = zipfile.ZipInfo(place, _MADE)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            made.writestr(entry, content)
    return out.getvalue()


def _plain(value: str) -> str:
    """Return a header's value, which holds nothing that nginx takes for a variable or the end of a text."""
    if set(value) & set("'$\\\n\r"):
        raise ValueError(value)  # addresses come from `site_of`, all else from tables of ours
    return value


def _apache(value: str) -> str:
    return _plain(value).replace("%", "%%").replace('"', '\\"')
