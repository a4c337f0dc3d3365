"""XMP: ``plus:DataMining`` with where the conditions stand, and the terms in words."""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from licet.signals.dialects import PLUS_VALUES
from licet.signals.strictness import mask
from licet.signals.writers.written import Subject, Written, nearest
from licet.terms import plain_text

MEDIA_TYPE: Final = "application/rdf+xml"
_VOCABULARY: Final = "http://ns.useplus.org/ldf/vocab/"
#: Narrowest first; the value that says where conditions stand is read as an offer.
_VALUES: Final = (
    "DMI-PROHIBITED-GENAIMLTRAINING",
    "DMI-PROHIBITED-AIMLTRAINING",
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING",
    "DMI-PROHIBITED",
    "DMI-ALLOWED",
)
_CONSTRAINED: Final = "DMI-PROHIBITED-SEECONSTRAINT"
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xmp(subject: Subject) -> Written:
    """Return an XMP packet: a sidecar as it is, and what is embedded into files."""
    value, said = _value(subject)
    words = {"x-default": "en", "en": "en", "zh-Hans": "zh-Hans"}
    lines = [
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">',
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
        '  <rdf:Description rdf:about=""',
        '    xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"',
        '    xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/">',
        f"   <plus:DataMining rdf:resource={quoteattr(_VOCABULARY + value)}/>",
    ]
    if value == _CONSTRAINED:
        where = escape(subject.address or plain_text(subject.terms, "en", unsaid=subject.unsaid))
        lines += ["   <plus:OtherConstraints>", "    <rdf:Alt>"]
        lines.append(f'     <rdf:li xml:lang="x-default">{where}</rdf:li>')
        lines += ["    </rdf:Alt>", "   </plus:OtherConstraints>"]
    if subject.address:
        lines.append(f"   <xmpRights:WebStatement>{escape(subject.address)}</xmpRights:WebStatement>")
    lines += ["   <xmpRights:UsageTerms>", "    <rdf:Alt>"]
    who = subject.artist or ""
    for tag, lang in words.items():
        text = _NOT_XML.sub("", escape(plain_text(subject.terms, lang, who, 1, subject.unsaid)))
        lines.append(f'     <rdf:li xml:lang="{tag}">{text}</rdf:li>')
    lines += ["    </rdf:Alt>", "   </xmpRights:UsageTerms>", "  </rdf:Description>", " </rdf:RDF>", "</x:xmpmeta>", ""]
    return Written("xmp", "terms.xmp", MEDIA_TYPE, "\n".join(lines).encode(), said)


def _value(subject: Subject) -> tuple[str, int]:
    """Return the value of ``plus:DataMining`` by which least is lost; it has one, whatever the terms are."""
    tokens = {name: PLUS_VALUES[name.lower()] for name in _VALUES}
    answers = {name: token.denied() | token.allowed() for name, token in tokens.items()}
    answers[_CONSTRAINED] = mask("license", PLUS_VALUES[_CONSTRAINED.lower()].denies)
    answers["DMI-UNSPECIFIED"] = 0
    names = list(answers)
    (chosen,) = nearest([list(answers.values())], subject)
    return names[chosen], answers[names[chosen]]
