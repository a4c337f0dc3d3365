"""XMP packets: PLUS data mining, TDMRep's reservation, RSL written into them, and where licences lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from licet.errors import MalformedError
from licet.signals.dialects import PLUS, PLUS_VALUES, XMP
from licet.signals.documents import local, namespace, parse_xml, why
from licet.signals.readers.rsl import read_rsl, read_rsl_element
from licet.signals.readers.tdmrep import reservation
from licet.signals.strictness import UNSET, mask
from licet.signals.types import Carrier, Signal

_PLUS: Final = "ns.useplus.org/ldf/xmp"
_TDM: Final = "www.w3.org/ns/tdmrep"
_RIGHTS: Final = "ns.adobe.com/xap/1.0/rights"
_RSL: Final = "rslstandard.org/rsl"
#: Of PLUS: where conditions stand, by the value that refers to them.
_CONDITIONS: Final = {
    "dmi-prohibited-seeconstraint": ("otherconstraints", "termsandconditionsurl", "termsandconditionstext"),
    "dmi-prohibited-seeembeddedrightsexpr": ("embdencrightsexpr",),
    "dmi-prohibited-seelinkedrightsexpr": ("linkedencrightsexpr", "linkedencodedrightsexpr"),
}


def read_xmp(packet: bytes, *, carrier: Carrier = "xmp", place: str = "XMP") -> tuple[Signal, ...]:
    """Return what an XMP packet says of the file that it stands in."""
    try:
        root = parse_xml(packet.strip(b"\0 \t\r\n"), "XMP")
    except MalformedError as error:
        return (XMP.unreadable(carrier, place, error.message, why(error)),)
    return tuple(_signals(root, carrier, place))


def _signals(root: Any, carrier: Carrier, place: str) -> Iterator[Signal]:
    properties: dict[tuple[str, str], list[str]] = {}
    for space, name, value in _properties(root):
        properties.setdefault((space, name), []).append(value)
    plus = {name: values for (space, name), values in properties.items() if space == "plus"}
    for value in plus.get("datamining", ()):
        yield _data_mining(value, plus, carrier, place)
    policies = properties.get(("tdm", "policy"), [])
    for value in properties.get(("tdm", "reservation"), ()):
        yield from reservation(value, next(iter(policies), None), carrier, f"{place} tdm:reservation", "")
    for (space, name), values in properties.items():
        if space == "rights" and name == "webstatement":
            for value in values:
                yield XMP.signal(carrier, place, f"WebStatement: {value}", UNSET, "licence-named", terms=value)
    for element in root.iter():
        if local(element.tag) == "rsl" and _RSL in namespace(element.tag):
            yield from read_rsl_element(element, None, at=place, carrier=carrier, asset=True)
    for values in plus.values():
        for value in values:
            if "<rsl" in value and _RSL in value:
                yield from read_rsl(value.encode(), None, at=place, carrier=carrier, asset=True)


def _data_mining(value: str, plus: dict[str, list[str]], carrier: Carrier, place: str) -> Signal:
    name = value.rstrip("/#").rpartition("/")[2].rpartition("#")[2].strip().lower()
    said, where = f"plus:DataMining {name.upper()}", f"{place} plus:DataMining"
    token = PLUS_VALUES.get(name)
    if token is None:
        return PLUS.unreadable(carrier, where, f"plus:DataMining {value}", "unknown-value")
    conditions = [text for key in _CONDITIONS.get(name, ()) for text in plus.get(key, ()) if text.strip()]
    if conditions:
        terms = next((text for text in conditions if text.startswith(("https://", "http://"))), None)
        said = f"{said}: {conditions[0]}"
        return PLUS.signal(carrier, where, said, mask("license", token.denies), "constrained", terms=terms)
    reason = "denied" if token.denies else "allowed" if token.allows else "unspecified"
    return PLUS.signal(carrier, where, said, token.denied() | token.allowed(), reason)


def _properties(root: Any) -> Iterator[tuple[str, str, str]]:
    """Yield (family, name in lower case, value) of properties that may say something, as attribute or as element."""
    for element in root.iter():
        for key, value in element.attrib.items():
            if family := _family(namespace(key)):
                yield family, local(key).lower(), value.strip()
        if family := _family(namespace(element.tag)):
            resource = next((value for key, value in element.attrib.items() if local(key) == "resource"), None)
            text = resource if resource is not None else " ".join("".join(element.itertext()).split())
            if text:
                yield family, local(element.tag).lower(), text.strip()


def _family(space: str) -> str | None:
    for part, family in ((_PLUS, "plus"), (_TDM, "tdm"), (_RIGHTS, "rights")):
        if part in space:
            return family
    return None
