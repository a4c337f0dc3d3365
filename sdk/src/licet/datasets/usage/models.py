"""Describing a version of a model: what is said of it publicly is a statement that the organisation signs."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from licet import times
from licet.client import Client
from licet.decisions import Request
from licet.errors import InputError, NotAllowedError
from licet.identifiers import new_uuid
from licet.statements import envelope as envelopes
from licet.statements.keys import SigningKey
from licet.statements.kinds import BaseVersion, ModelCard
from licet.wire.register import Card, ModelInfo
from licet.wire.usage import Logged

#: What a description may say; what it leaves out stays as the latest card has it.
SAID: Final = ("status", "listed", "dated", "family", "summary", "card_url", "open_weights", "base")


class Described(NamedTuple):
    """The card that counts for its version from now on, and its place in the log."""

    card: ModelCard
    logged: Logged


def describe_model(client: Client, named: str, **said: Any) -> Described:
    """Return once a card for the version ``named`` (``ORG/NAME@VERSION``) is signed and in the log.

    ``said``: fields of `SAID`; the others stay as the latest card has them. Raises ``InputError`` for a name or a field
    that is none, ``NotAllowedError`` without an organisation's account.
    """
    profile = client.need_account()
    account = profile.account
    assert account is not None
    if account.kind != "organisation":
        raise NotAllowedError(f"expected an organisation's account, got one of kind {account.kind}")
    if unknown := sorted(said.keys() - set(SAID)):
        raise InputError.field("field", f"one of {', '.join(SAID)}", unknown[0])
    model, version = split(named)
    fields = {**_before(client, model, version), **said}
    if fields["status"] is None:
        raise InputError.field("status", "in-training, released or retired in the first card of a version", "none")
    if fields["status"] != "in-training" and "listed" not in said:
        fields["listed"] = True
    card = ModelCard(
        registry=client.registry_ref(),
        organisation=account.account,
        genesis=account.genesis,
        model=model,
        version=version,
        issued_at=times.to_text(times.now()),
        nonce=new_uuid().hex,
        **fields,
    )
    return Described(card, client.describe_model(envelopes.seal(card, SigningKey.load(profile.key_path))))


def split(named: str) -> tuple[str, str]:
    """Return model and version of ``ORG/NAME@VERSION``; raises ``InputError``."""
    Request(uses="train-gen", model=named)
    model, _, version = named.partition("@")
    return model, version


def base_of(text: str, url: str | None) -> BaseVersion:
    """Return the base that ``text`` names: ``ORG/NAME@VERSION of org_…`` in this registry, else any other words."""
    name, of, organisation = text.rpartition(" of ")
    if of and organisation.startswith("org_"):
        model, version = split(name)
        return BaseVersion(model, version, organisation, url)
    model, _, version = text.partition("@")
    return BaseVersion(model, version or None, None, url)


def find(client: Client, given: str, *, public: bool = False) -> ModelInfo:
    """Return the model that ``given`` names: its identifier, or ``ORG/NAME`` where one alone is called so.

    Raises ``InputError`` where none is, or several organisations have one of that name.
    """
    if given.startswith("mdl_"):
        return client.registered_model(given) if public else client.model(given)
    pages = client.registered_models if public else client.models
    found = [each for each in pages(q=given) if each.name == given]
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError.field("model", "a model in the register, by ORG/NAME or mdl_…", given)
    several = ", ".join(f"{each.model} of {each.organisation.name or each.organisation.id}" for each in found[:5])
    raise InputError(f"model: {given} is the name of {len(found)} models: name one of {several}")


def _before(client: Client, model: str, version: str) -> dict[str, Any]:
    card = _latest(client, model, version)
    if card is None:
        return {**dict.fromkeys(SAID), "listed": True}
    fields = {name: getattr(card, name) for name in SAID}
    if card.base is not None:
        fields["base"] = BaseVersion(card.base.model, card.base.version, card.base.organisation, card.base.url)
    return fields


def _latest(client: Client, model: str, version: str) -> Card | None:
    for found in client.models(q=model):
        if found.name == model:
            for each in client.model_versions(found.model, version=version):
                return each.card
    return None
