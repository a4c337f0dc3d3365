"""What people wrote, held to the vocabulary: every complaint names its field, what was expected and what came."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError

from licet import money, times
from licet.errors import InputError
from licet.terms import countries, durations
from licet.terms.atoms import AUDIENCES

MAX_LIST: Final = 300
MAX_LINE: Final = 500

T = TypeVar("T")

_EXPECTED: Final = {
    "missing": "a value",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "string_type": "text",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_BOUNDS: Final = {"greater_than_equal": ("at least", "ge"), "less_than_equal": ("at most", "le")}


class Written(BaseModel):
    """A part of terms. Building one from something wrong raises ``InputError`` that names the field."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise input_error(error, type(self)) from None

    # Says to pydantic that nested parts are built without this constructor: the outermost one knows the whole path.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def to_json(self) -> dict[str, Any]:
        """Return the canonical JSON form: no nulls, lists sorted and unique, shortest decimals."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def wrong(expected: str, field: str = "", got: object = None) -> PydanticCustomError:
    """Return the complaint that a validator raises; ``field`` is added to the path of what it validates."""
    context: dict[str, Any] = {"expected": expected, "field": field}
    if field:
        context["got"] = got
    return PydanticCustomError("licet", "expected {expected}", context)


def input_error(error: ValidationError, model: type[BaseModel], prefix: str = "") -> InputError:
    """Return the first complaint of ``error`` as this package's error: ``train-gen.price.amount: expected …``."""
    details = error.errors(include_url=False)[0]
    context = details.get("ctx", {})
    path = [prefix, *(str(part) for part in details["loc"]), str(context.get("field", ""))]
    field = ".".join(part for part in path if part)
    kind = details["type"]
    got: object = "nothing" if kind == "missing" else context.get("got", details["input"])
    return InputError.field(field or "terms", _expected(details, context, model), got)


def _expected(details: ErrorDetails, context: dict[str, Any], model: type[BaseModel]) -> str:
    kind = details["type"]
    if kind in {"licet", "literal_error"}:
        return str(context["expected"])
    if kind == "extra_forbidden":
        return f"one of the fields {', '.join(_fields(model, details['loc'][:-1]))}"
    if kind in _BOUNDS:
        bound, name = _BOUNDS[kind]
        return f"{bound} {context[name]}"
    return _EXPECTED.get(kind) or details["msg"].lower()


def _fields(model: type[BaseModel], path: Iterable[int | str]) -> list[str]:
    for part in path:
        found = [field for name, field in model.model_fields.items() if part in (name, field.alias)]
        kinds = [*getattr(found[0].annotation, "__args__", ()), found[0].annotation] if found else []
        inner = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if not inner:
            return []
        model = inner[0]
    return [field.alias or name for name, field in model.model_fields.items()]


def _ours(read: Callable[[Any], T]) -> Callable[[Any], T]:
    def validate(value: Any) -> T:
        try:
            return read(value)
        except InputError as error:
            raise wrong(str(error.details.get("expected", error.message))) from None

    return validate


def _amount(value: Any) -> str:
    if isinstance(value, Decimal) and value.is_finite():
        value = f"{value:f}"
    elif isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    micro = money.to_micro(value)
    if not micro:
        raise InputError.field("amount", "more than zero (for nothing, use model free)", value)
    return money.to_decimal(micro)


def _moment(value: Any) -> str:
    expected = "a date such as 2027-06-30 or a time such as 2027-06-30T12:00:00.000Z"
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
        except ValueError:
            raise InputError.field("time", expected, value) from None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InputError.field("time", f"{expected}, with its time zone", value)
        try:
            return times.to_text(value)
        except OverflowError:
            raise InputError.field("time", expected, value) from None
    if isinstance(value, date):
        return times.to_text(datetime(value.year, value.month, value.day, tzinfo=UTC))
    raise InputError.field("time", expected, value)


def _codes(value: Any) -> tuple[str, ...]:
    return several(value, countries.CODES, "ISO 3166-1 alpha-2 codes such as DE or JP, or EU")


def _line(value: Any) -> str:
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= MAX_LINE
        or not value.isprintable()
        or value != value.strip()
    ):
        raise InputError.field("text", f"one line of 1 to {MAX_LINE} printable characters", value)
    return value


def _audience(value: Any) -> tuple[str, ...]:
    return several(value, AUDIENCES, f"any of {', '.join(AUDIENCES)}")


def several(value: Any, known: Iterable[str], expected: str) -> tuple[str, ...]:
    """Return one or more of ``known``, sorted and unique; a single text stands for a list of itself."""
    if isinstance(value, str):
        value = [value]
    known = frozenset(known)
    if (
        not isinstance(value, (list, tuple, set, frozenset))
        or not 0 < len(value) <= MAX_LIST
        or not all(isinstance(item, str) and item in known for item in value)
    ):
        raise InputError.field("list", expected, value)
    return tuple(sorted(set(value)))


def set_schema(known: Iterable[str]) -> dict[str, Any]:
    """Return the JSON Schema of one or more of ``known``, each once."""
    return {"type": "array", "items": {"enum": sorted(known)}, "minItems": 1, "uniqueItems": True}


def _address(value: Any) -> str:
    if (
        not isinstance(value, str)
        or not value.startswith(("https://", "http://"))
        or len(value) > MAX_LINE
        or not value.isprintable()
        or any(character in value for character in ' "<>\\^`{|}')
        or not value.split("/", 3)[2]
    ):
        raise InputError.field("url", "an address that begins with https:// or http://", value)
    return value


read_amount = _ours(_amount)
read_currency = _ours(money.currency)
read_duration = _ours(lambda value: str(durations.parse(value)))
read_moment = _ours(_moment)
Duration = Annotated[str, BeforeValidator(read_duration), WithJsonSchema({"type": "string", "format": "duration"})]
read_codes = _ours(_codes)
read_audience = _ours(_audience)
read_line = _ours(_line)
read_address = _ours(_address)
moment = _moment
codes = _codes
audience = _audience
