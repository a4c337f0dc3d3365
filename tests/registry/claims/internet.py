"""An internet of one's own on loopback: a DNS server and an HTTPS server that say what a test tells them to."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from registry.claims.domains import FILE, record_of

NAMES = ("ada.example", "eve.example", "www.ada.example", "xn--bcher-kva.example")


@dataclass
class Internet:
    """What names hold: records by (name, type), and files by host; ``asked`` is what the web was asked, whole."""

    port: int = 0
    web: int = 0
    authorities: Path = Path()
    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)  # name → servfail, silent, garbage, loop, strays, denied
    files: dict[str, bytes] = field(default_factory=dict)  # host → the whole answer as sent
    stalls: set[str] = field(default_factory=set)
    asked: list[bytes] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a registry that lives on this internet."""
        return {
            "claims_resolver": f"127.0.0.1:{self.port}",
            "claims_loopback_port": self.web,
            "claims_authorities": self.authorities,
        }

    def clear(self) -> None:
        """Let no name be anywhere."""
        for kept in (self.records, self.broken, self.files, self.stalls, self.asked):
            kept.clear()

    def put_record(self, domain: str, *values: str) -> None:
        """Let the TXT record of ``domain`` hold ``values``; none take it away."""
        self.records.pop((record_of(domain), "TXT"), None)
        if values:
            self.records[record_of(domain), "TXT"] = [f'"{value}"' for value in values]

    def put_file(self, domain: str, content: bytes, *, status: str = "200 OK", headers: str = "") -> None:
        """Let ``domain`` be at loopback and answer with ``content``."""
        self.records[domain, "A"] = ["127.0.0.1"]
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n{headers}\r\n"
        self.files[domain] = head.encode() + content

    def answer(self, wire: bytes, *, udp: bool) -> bytes | None:
        """Return what the DNS server answers to one message; None for silence."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        reply = dns.message.make_response(query)
        match self.broken.get(name):
            case "silent":
                return None
            case "garbage":
                return wire[:2] + b"\x81\x80" + b"\xff" * 40
            case "servfail":
                reply.set_rcode(dns.rcode.SERVFAIL)
                return reply.to_wire()
            case "loop":
                reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "CNAME", f"{name}."))
                return reply.to_wire()
            case "strays" | "denied" as how:  # another name's record; or this one's, with the word that there is none
                owner = "_licet.eve.example" if how == "strays" else name
                values = self.records[name, "TXT"]
                reply.answer.append(dns.rrset.from_text(f"{owner}.", 60, "IN", "TXT", *values))
                reply.additional.append(dns.rrset.from_text(question.name, 60, "IN", "TXT", *values))
                reply.set_rcode(dns.rcode.NOERROR if how == "strays" else dns.rcode.NXDOMAIN)
                return reply.to_wire()
        kind = dns.rdatatype.to_text(question.rdtype)
        target = name
        alias = self.records.get((name, "CNAME"))
        if alias:
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "CNAME", f"{alias[0]}."))
            target = alias[0]
        found = self.records.get((target, kind))
        if found:
            reply.answer.append(dns.rrset.from_text(f"{target}.", 60, "IN", kind, *found))
        elif not any(known == target for known, _ in self.records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        sent = reply.to_wire(max_size=65_535)
        if udp and len(sent) > 512:
            short = dns.message.make_response(query)
            short.flags |= dns.flags.TC
            return short.to_wire()
        return sent


@contextlib.asynccontextmanager
async def internet(folder: Path) -> AsyncIterator[Internet]:
    """Yield an internet whose names are nowhere yet."""
    net = Internet(authorities=folder / "authorities.pem")
    context = _certified(folder, net.authorities)
    web = await asyncio.start_server(lambda r, w: _serve(net, r, w), "127.0.0.1", 0, ssl=context)
    over_tcp = await asyncio.start_server(lambda r, w: _over_tcp(net, r, w), "127.0.0.1", 0)
    net.web, net.port = (server.sockets[0].getsockname()[1] for server in (web, over_tcp))
    loop = asyncio.get_running_loop()
    over_udp, _ = await loop.create_datagram_endpoint(lambda: _OverUdp(net), local_addr=("127.0.0.1", net.port))
    try:
        yield net
    finally:
        over_udp.close()
        for server in (web, over_tcp):
            server.close()
        net.stalls.clear()
        for server in (web, over_tcp):
            await server.wait_closed()


class _OverUdp(asyncio.DatagramProtocol):
    def __init__(self, net: Internet) -> None:
        self.net = net

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        answer = self.net.answer(data, udp=True)
        if answer is not None:
            self.transport.sendto(answer, addr)


async def _over_tcp(net: Internet, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        size = int.from_bytes(await reader.readexactly(2), "big")
        answer = net.answer(await reader.readexactly(size), udp=False)
        if answer is not None:
            writer.write(len(answer).to_bytes(2, "big") + answer)
            await writer.drain()
    writer.close()


async def _serve(net: Internet, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        asked = await reader.readuntil(b"\r\n\r\n")
        net.asked.append(asked)
        host = next(line[6:].decode() for line in asked.split(b"\r\n") if line.lower().startswith(b"host: "))
        writer.write(net.files.get(host, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
        await writer.drain()
        while host in net.stalls:
            await asyncio.sleep(0.02)
    writer.close()


def _certified(folder: Path, authorities: Path) -> ssl.SSLContext:
    """Return the server's side of TLS, with a certificate for `NAMES` by an authority that is written down."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "licet tests")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in NAMES]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    authorities.write_bytes(pem)
    both = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both.write_bytes(pem + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context


__all__ = ["FILE", "Internet", "internet"]
