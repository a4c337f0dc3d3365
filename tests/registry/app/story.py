"""One artist and one organisation meet on a real service; what they say to it is kept as examples, masked.

``LICET_WRITE_EXAMPLES=1 pytest tests/registry/app/test_examples.py`` writes ``openapi/examples.json`` anew.
"""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx
import msgspec
import numpy as np

from licet import identifiers, times
from licet.derivative.asking import packed
from licet.derivative.extracting import asked_bytes
from licet.statements import envelope as envelopes
from licet.statements.keys import SigningKey
from licet.statements.kinds import AuditFinding, FoundRow, PublicKey
from licet.terms import Price, preset
from licet.wire.usage import StatementOnly
from registry import ledger, translog
from registry.accounts.operators import invite
from registry.closing.steps import SOONEST, close_due
from registry.derivatives.building import build
from registry.ledger import Entry, Transfer
from registry.openapi.examples import Example
from registry.publishing.documents import JSON, NAMES
from registry.settlement.banking import record_by_hand
from registry.settlement.billing import issue
from registry.snapshots.publisher import publish
from tests.registry import keymaking as make
from tests.registry.agreements.revenue import report
from tests.registry.agreements.talks import NEGOTIATED, agree, ask, offer, says, word
from tests.registry.auditing.month import PER_RUN
from tests.registry.catalogue import NO_AI, PAID, RESEARCH, artist, drawn, picture
from tests.registry.claims.internet import Internet
from tests.registry.disputes.parties import dispute, step
from tests.registry.duties.talks import done, offered, revocable_terms, revoke
from tests.registry.harness import Running, new_key
from tests.registry.market import Trainer, shelf, trainer
from tests.registry.settlement.books import remitted
from tests.registry.splits.owners import agreed

_ID = "(?:" + "|".join(identifiers.KINDS) + ")_[0-7][0-9a-hjkmnp-tv-z]{25}"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
_MASKED = re.compile(
    rf"(?P<id>{_ID})|(?P<time>{_TIME})|(?P<token>lc[tl]_[0-9A-Za-z]{{36}})|(?P<req>req_[0-9a-f]{{32}})"
    r"|(?P<hex>\b[0-9a-f]{32,}\b)|(?P<text>[A-Za-z0-9+/_-]{40,}={0,2})|(?P<tag>\+[0-9a-f]{8}\+)"
)
_MOMENT = 1_790_000_000_000
SHARED = preset("paid", Price(model="revenue-share", share_bps=3000, currency="USD", minimum="50"))


class Mask:
    """Stands for what differs from run to run: the same in, the same out, by order of appearance."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        return _MASKED.sub(self._replace, text)

    def _replace(self, match: re.Match[str]) -> str:
        found = match[0]
        if found not in self._known:
            self._known[found] = self._new(match, found, len(self._known) + 1)
        return self._known[found]

    def _new(self, match: re.Match[str], found: str, number: int) -> str:
        digest = sha256(f"licet example {number}".encode()).hexdigest()
        if match["id"]:
            return identifiers.from_uuid(found[:3], UUID(int=(_MOMENT << 80) | (7 << 76) | (2 << 62) | number))
        if match["time"]:
            return "2026-11-30T12:00:00.000Z"
        if match["token"]:
            return "lct_" + "0" * 36
        if match["req"]:
            return f"req_{digest[:32]}"
        if match["tag"]:
            return f"+{digest[:8]}+"
        if match["hex"]:
            return (digest * (len(found) // 64 + 1))[: len(found)]
        end = "=" * found.count("=")
        return ("licet" + digest * (len(found) // 64 + 1))[: len(found) - len(end)] + end


class Recorder:
    """Hears what clients say and what they are told, by operation: the first success counts."""

    def __init__(self, api: dict[str, Any]) -> None:
        self._paths = [
            (re.compile("^" + re.sub(r"\{(\w+)\}", self._part, path) + "$"), path, item)
            for path, item in sorted(api["paths"].items(), key=lambda each: each[0].count("{"))
        ]
        self.heard: dict[str, Example] = {}

    @staticmethod
    def _part(match: re.Match[str]) -> str:
        return f"(?P<{match[1]}>.+)" if match[1] == "path" else f"(?P<{match[1]}>[^/]+)"

    def listen(self, http: httpx.AsyncClient) -> None:
        """Hear everything that ``http`` says from now on."""
        http.event_hooks["response"].append(self._hear)

    async def _hear(self, answer: httpx.Response) -> None:
        await answer.aread()
        request = answer.request
        for pattern, _, item in self._paths:
            match = pattern.match(request.url.path)
            operation = item.get(request.method.lower()) if match else None
            if match and operation:
                if answer.status_code < 300:
                    self._keep(operation, match.groupdict(), request, answer)
                return

    def _keep(self, operation: dict[str, Any], path: dict[str, str], request: httpx.Request, answer: Any) -> None:
        query: dict[str, Any] = {}
        for name, value in request.url.params.multi_items():
            query[name] = [*query[name], value] if name in query else [value]
        parameters = {**path, **{name: values[0] if len(values) == 1 else values for name, values in query.items()}}
        kind = answer.headers.get("content-type", "")
        body = _json(answer.content) if "json" in kind else answer.text if kind.startswith("text/") else None
        if operation["operationId"] == "getMetrics":
            body = (
                "# HELP licet_log_size Entries of the published log.\n# TYPE licet_log_size gauge\nlicet_log_size 9.0\n"
            )
        if operation["operationId"] == "getDescription":
            body = {"openapi": "3.1.0"}
        sent = _json(request.content) if "json" in request.headers.get("content-type", "application/json") else None
        self.heard.setdefault(
            operation["operationId"],
            Example(operation["operationId"], answer.status_code, parameters, sent or None, body),
        )

    def examples(self) -> list[Example]:
        """Return what was heard, masked, in the order of the story."""
        masked = _masked(msgspec.to_builtins(list(self.heard.values())), Mask())
        return msgspec.convert(masked, type=list[Example])


def _masked(value: Any, mask: Mask) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {name: _masked(part, mask) for name, part in value.items()}
    return [_masked(part, mask) for part in value] if isinstance(value, list) else value


def _json(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


async def keys_come_and_go(site: Running, recorder: Recorder) -> None:
    """An artist adds keys, replaces and revokes them, delegates, and comes back with a recovery code."""
    lin = await artist(site, "Lin Wei")
    recorder.listen(lin.http)
    account, second, third, agency = lin.account, *(SigningKey.generate() for _ in range(3))
    await make.add(site, account, second)
    rotation = make.rotation(site, account, second.keyid, third)
    await make.send(site, account, f"/v1/keys/{second.keyid}/rotate", rotation, third, account.key)
    revocation = make.revocation(site, account, third.keyid)
    await make.send(site, account, f"/v1/keys/{third.keyid}/revoke", revocation, account.key)
    await make.add(site, account, agency, "delegate")
    delegation = make.delegation(site, account, agency.keyid, "consent", "work-update", works=1000)
    await make.send(site, account, "/v1/delegations", delegation, account.key)
    await lin.http.get("/v1/delegations?limit=1")
    code = "7kq2-m9xd-04tw-hb6r-zz1p-c8sv"
    await make.send(site, account, "/v1/recovery-codes", make.codes(site, account, code), account.key)
    works = [(await lin.picture(picture(8, side=96))).work]
    drafted = await lin.draft(works, NO_AI)
    unsigned = {"payload": drafted.payload, "payloadType": drafted.payload_type, "signatures": []}
    await site.post("/v1/statements/attest", {"envelope": unsigned, "works": works}, http=lin.http)
    new = SigningKey.generate()
    envelope = make.signed(site, make.registration(site, account, new, "recovered"), new)
    body = {"account": lin.id, "code": code, "envelope": msgspec.to_builtins(envelope)}
    await site.post("/v1/recoveries", body)
    await lin.http.get("/v1/events?limit=2")
    await lin.http.put("/v1/me/alerts", json={"off": ["claims"]})
    await lin.http.get("/v1/me/alerts")
    hers = make.passkey(site)
    await make.made(site, hers, "Lin Wei", lin.http)
    await make.add(site, account, hers)
    browser = await make.signed_in(site, hers)
    recorder.listen(browser)
    assert (await make.stepped_up(site, hers, browser)).status_code == 201
    await browser.delete("/v1/sessions/current", headers=make.SAME_ORIGIN)
    await site.post("/v1/me/erasure", {"confirm": lin.id, "dry_run": True}, http=lin.http)


async def somebody_joins(site: Running, recorder: Recorder, lab: Trainer) -> None:
    """A lab invites two by a link: one asks and is let in, the other's invitation is taken back."""
    wanted = {"key_class": "root", "expires_in_days": 7, "note": "Jo, data"}
    made = (await site.post("/v1/invitations", wanted, http=lab.http)).json()
    secret, key = made["link"].partition("#")[2], SigningKey.generate()
    await site.post("/v1/invitations/open", {"secret": secret})
    asks = make.signed(site, make.registration(site, lab.account, key, prev=lab.account.genesis), key)
    await site.post("/v1/invitations/ask", {"secret": secret, "envelope": msgspec.to_builtins(asks)})
    await lab.http.get("/v1/invitations?state=asked")
    await make.post(site, lab.account, "/v1/keys", envelopes.countersign(asks, lab.account.key))
    other = (await site.post("/v1/invitations", wanted, http=lab.http)).json()["invitation"]
    await lab.http.delete(f"/v1/invitations/{other['invitation']}")


async def domains_are_proven(site: Running, recorder: Recorder, net: Internet) -> None:
    """An artist proves a domain, and gives it up."""
    ada = await artist(site, "Ada Rossi")
    recorder.listen(ada.http)
    claim = (await site.post("/v1/claims", {"domain": "ada.example"}, http=ada.http)).json()
    net.put_record("ada.example", claim["value"])
    await site.post(f"/v1/claims/{claim['claim']}/check", b"", http=ada.http)
    await ada.http.get("/v1/claims?state=proven")
    await ada.http.get(f"/v1/claims/{claim['claim']}")
    other = (await site.post("/v1/claims", {"domain": "www.ada.example"}, http=ada.http)).json()
    await ada.http.delete(f"/v1/claims/{other['claim']}")


async def works_are_shared(site: Running, recorder: Recorder) -> None:
    """Two artists share what a picture earns."""
    ada, ben = await artist(site, "Ada Rossi"), await artist(site, "Ben Okri")
    recorder.listen(ada.http)
    recorder.listen(ben.http)
    work = (await ada.picture(picture(78), title="Two hands")).work
    await ada.state([work], PAID)
    split = await agreed(ada, [work], [(ada, 6000), (ben, 4000)])
    await ben.http.get("/v1/splits?state=in-force")
    await ben.http.get(f"/v1/splits/{split.split}")


async def an_artist_is_asked(site: Running, recorder: Recorder) -> None:
    """A lab asks an artist for what has no stated price, and accepts what she offers."""
    mei, lab = await artist(site, "Mei Lin"), await trainer(site, "Lantern Labs")
    recorder.listen(mei.http)
    recorder.listen(lab.http)
    await mei.raise_level(2)
    asked_of = await shelf(site, NEGOTIATED, 1, owner=mei)
    asked = await ask(lab, asked_of)
    await mei.http.get("/v1/licence-requests?state=open")
    await offer(mei, asked)
    await says(lab, await word(lab, asked, "A little less?"))
    await offer(mei, asked)
    await agree(lab, asked_of, asked)
    shared = await shelf(site, SHARED, 1, owner=mei)
    licence = (await lab.accept(await lab.quote(shared.wanted(), None, agreement=True))).json()["licence"]
    await lab.http.get("/v1/revenue-reports/awaited")
    month = f"{times.now():%Y-%m}"
    said = await report(lab, licence, month, {"USD": 4000})
    await lab.http.get(f"/v1/revenue-reports?licence={licence}")
    await mei.http.get(f"/v1/revenue-reports/{said.report}")
    await mei.http.get(f"/v1/licences/{licence}/shares?period={month}")


async def a_licence_is_revoked(site: Running, recorder: Recorder) -> None:
    """An artist revokes a licence whose terms let her, and the lab states what it did then."""
    mei, lab = await artist(site, "Mei Lin"), await trainer(site, "Lantern Labs")
    recorder.listen(mei.http)
    recorder.listen(lab.http)
    await mei.raise_level(2)
    hers = await shelf(site, revocable_terms(0), 1, owner=mei)
    licence = await lab.license(hers.wanted())
    await offered(mei.http, licence.licence)
    duty = await revoke(hers, licence)
    await lab.http.get("/v1/duties?state=overdue")
    await done(lab, duty)


async def somebody_disagrees(site: Running, recorder: Recorder, work: str, lab: Trainer) -> None:
    """A lab disputes what it was charged; an artist says that another one's picture is hers, and takes that back."""
    eva = await artist(site, "Eva Roth")
    recorder.listen(eva.http)
    about = await dispute(eva, work)
    await eva.http.get(f"/v1/disputes/{about.dispute}")
    await step(eva, about, "withdraw")
    charge = (await lab.http.get("/v1/charges")).json()["items"][0]["charge"]
    await dispute(lab, charge)
    await lab.http.get("/v1/disputes?state=open")


async def a_month_closes(site: Running, earner: str, payer: str) -> str:
    """Post a use of last month, which nobody has closed, and close that; return its name."""
    now = times.now()
    at = now.replace(day=1, hour=12) - timedelta(days=1)
    sides = (("receivable:" + payer, 50_000), ("payable:" + earner, -45_000), ("fee:registry", -5_000))
    entries = tuple(Entry(account, "USD", amount) for account, amount in sides)
    async with site.services.database.transaction() as conn:
        await ledger.post(conn, [Transfer("before", "usage", at, "lic_before", entries)])
    done = await close_due(site.services, now + SOONEST, SOONEST)
    assert done is not None
    await translog.wait(site.services.database, done[1])
    return done[0]


async def an_auditor_finds(site: Running, recorder: Recorder, concerns: str, dataset: str) -> None:
    """A row of twelve does not hold; the auditor says so."""
    number, token = await invite(site.services.database, "auditor", name="Ada Okafor")
    http = site.client(token.token)
    recorder.listen(http)
    key, now = SigningKey.from_seed(bytes(32)), times.now()
    finding = AuditFinding(
        registry=site.services.keys.ref,
        finding=identifiers.new_id("fnd"),
        auditor=number,
        key=PublicKey(key.public.hex()),
        concerns=concerns,
        period=times.to_text(now)[:7],
        check="sample",
        about=dataset,
        document=None,
        examined=12,
        failed=1,
        rows=[FoundRow("part-0.parquet", 7, "allow", "deny", "the work is denied since yesterday")],
        shown_by=None,
        summary="one of twelve rows was kept although its work is denied",
        issued_at=times.to_text(now),
        nonce=identifiers.new_uuid().hex,
    )
    answer = await site.post("/v1/audit/findings", StatementOnly(envelopes.seal(finding, key)), http=http)
    assert answer.status_code == 201, answer.text
    await http.get("/v1/audit/findings?limit=1")
    await http.get(f"/v1/audit/findings/{finding.finding}")


async def licence_tokens(site: Running, lab: Trainer, work: str) -> None:
    """A crawler of the organisation shows its right to search for a work."""
    form = {
        "grant_type": "client_credentials",
        "resource": f"{site.services.settings.url}/works/{work}",
        "scope": "search",
    }
    given = await lab.http.post("/token", data=form)
    assert given.status_code == 200, given.text
    await lab.http.post("/introspect", data={"token": given.json()["access_token"]})


async def tell(site: Running, recorder: Recorder, net: Internet) -> None:
    """Everything happens once that an operation exists for."""
    http = recorder.listen
    http(site.http)
    mei = await artist(site, "Mei Lin")
    http(mei.http)
    await mei.raise_level(2)
    goldfish = await mei.picture(picture(7, side=96), title="Goldfish", creator="Mei Lin", tags=["fish"])
    works = [goldfish.work]
    await mei.state(works, PAID)
    change = {"work": works[0], "tags": ["fish", "gold"]}
    await site.post("/v1/works/changes", {"changes": [change]}, http=mei.http)
    await mei.http.patch(f"/v1/works/{works[0]}", json={"title": "The goldfish"})
    await mei.http.post("/v1/works/find", json={"external_ids": ["inv-1"]})
    lab = await trainer(site, "Lantern Labs")
    http(lab.http)
    works_of = await shelf(site, PER_RUN, 1, owner=mei)
    quote = await lab.quote(works_of.wanted())
    await lab.http.get(f"/v1/quotes/{quote.quote}")
    licence = await lab.license(works_of.wanted())
    await publish(site.services)
    await site.http.get("/snapshots/latest")
    await site.http.get("/snapshots/latest/states", params={"work": works[0]})
    async with site.services.database.acquire() as conn:
        row = await conn.fetchrow("select digest from snapshots order by sequence desc limit 1")
        segment = await conn.fetchrow("select digest from snapshot_segments where tier = 'exact' limit 1")
        head = await conn.fetchval("select published_size from log_head")
    assert row is not None
    manifest = lab.manifest(row["digest"].hex())
    logged = await lab.log("/v1/datasets", manifest)
    await lab.log("/v1/runs", lab.run(logged.json()["id"], manifest.payload_digest, row["digest"].hex()))
    described = await lab.log("/v1/models", lab.card())
    model = (await lab.http.get("/v1/models?limit=1")).json()["items"][0]["model"]
    dataset = logged.json()["id"]
    await lab.report(licence, "2")
    (invoice,) = await issue(site.services, times.to_text(times.now())[:7], small=True)
    bill = identifiers.from_uuid("inv", invoice.id)
    await record_by_hand(
        site.services, lab.id, invoice.due, "USD", reference="wire 4711", reason="the bank sends no statements yet"
    )
    payee = await make.granted(site, mei.account, make.wish(site, mei.account, "payout"))
    hers = site.client(payee.json()["token"])
    http(hers)
    local = {"country": "CN", "number": "6222021205001234567", "bic": "BKCHCNBJ", "clearing": "104100000004"}
    await hers.put(
        "/v1/me/payout",
        json={"name": "林美", "country": "CN", "account": local},
        headers={"Idempotency-Key": new_key()},
    )
    await mei.http.get("/v1/me/payout")
    for number, *_ in (await remitted(site.services)).paid:
        name = identifiers.from_uuid("rem", number)
        await mei.http.get(f"/v1/remittances/{name}/lines")
    await mei.http.get("/v1/remittances")
    for path in ("/v1/invoices?state=paid", f"/v1/invoices/{bill}", f"/v1/invoices/{bill}/lines"):
        await lab.http.get(path)
    made = await lab.site.post(
        "/v1/tokens",
        {"scopes": ["license", "usage"], "expires_in_days": 30, "spend_limit": {"amount": "500", "currency": "USD"}},
        http=lab.http,
    )
    await lab.http.delete(f"/v1/tokens/{made.json()['id']}")
    rows = [{"sha256": "00" * 32}, {"url": "https://x.example/b.jpg"}]
    await lab.http.post(
        "/v1/licensing/query", json={"request": {"uses": ["train-gen"], "purpose": ["commercial"]}, "rows": rows}
    )
    await lab.http.post(
        "/v1/licensing/lookup?use=train-gen", content=bytes(32), headers={"Content-Type": "application/octet-stream"}
    )
    await lab.http.post(
        "/api/v2/query/urls", content=b"https://x.example/b.jpg\n", headers={"Content-Type": "text/plain"}
    )
    await licence_tokens(site, lab, works[0])
    await build(site.services)
    await lab.http.post(
        "/v1/licensing/parts?use=train-gen",
        content=packed([asked_bytes(np.asarray(drawn(7, side=96)))]),
        headers={"Content-Type": "application/octet-stream"},
    )
    await lab.http.get("/v1/licensing/ranges")
    await lab.http.get("/v1/licensing/ranges/all")
    await keys_come_and_go(site, recorder)
    await somebody_joins(site, recorder, lab)
    await domains_are_proven(site, recorder, net)
    await works_are_shared(site, recorder)
    await an_artist_is_asked(site, recorder)
    await a_licence_is_revoked(site, recorder)
    await somebody_disagrees(site, recorder, works_of.works[0], lab)
    closed = await a_month_closes(site, mei.id, lab.id)
    leaving = await artist(site, "Noor")
    await leaving.state([(await leaving.picture(picture(77))).work], RESEARCH)
    eraser = await make.eraser(site, leaving.account)
    recorder.listen(eraser)
    await site.post("/v1/me/erasure", {"confirm": leaving.id}, http=eraser)
    period = times.to_text(times.now())[:7]
    await an_auditor_finds(site, recorder, lab.id, dataset)
    for who, path in (
        *((site.http, path) for path in ("/", "/health/live", "/health/ready", "/metrics", "/openapi.json")),
        *((site.http, f"/log/{name}") for name in ("checkpoint", "keys", "vkey", f"tile/0/000.p/{head}")),
        (site.http, "/v1/registry"),
        *((site.http, f"/works/{works[0]}/{name}") for name in (JSON, *NAMES)),
        *((site.http, path) for path in ("/robots.txt", "/ai.txt", "/.well-known/tdmrep.json")),
        *(
            (mei.http, path)
            for path in ("/v1/me", "/v1/me/export", "/v1/works?limit=1", f"/v1/works/{works[0]}", "/v1/statements")
        ),
        (mei.http, f"/v1/works/{works[0]}/thumbnail"),
        *((mei.http, f"/v1/statements/{mei.id}{each}") for each in ("", "/receipt.cose")),
        *((lab.http, path) for path in ("/v1/keys", "/v1/tokens?limit=1", "/v1/quotes", "/v1/licences?active=true")),
        (lab.http, f"/v1/licences/{licence.licence}"),
        *((lab.http, path) for path in ("/v1/datasets?q=lantern", "/v1/runs", "/v1/usage/batches")),
        *((mei.http, path) for path in ("/v1/ledger/balance", "/v1/ledger/entries?sort=-at")),
        *(
            (lab.http, path)
            for path in (f"/v1/models/{model}", f"/v1/models/{model}/versions", f"/v1/datasets/{dataset}")
        ),
        *(
            (site.http, f"/v1/register/{path}")
            for path in (
                *("models?q=lantern", f"models/{model}", f"models/{model}/versions", "datasets?limit=1"),
                *(f"datasets/{dataset}", f"runs?model={model}", f"statements/{described.json()['id']}"),
            )
        ),
        (lab.http, f"/v1/audit/bundle?period={period}"),
        (site.http, "/v1/periods?sort=period&limit=1"),
        (mei.http, f"/v1/periods/{closed}/line"),
        (lab.http, f"/v1/periods/{closed}/batches"),
        (lab.http, f"/v1/audit/export?period={period}&table=events&format=csv"),
        *(() if segment is None else ((site.http, f"/snapshots/segments/{segment['digest'].hex()}"),)),
    ):
        answer = await who.get(path)
        assert answer.status_code == 200, (path, answer.text)
