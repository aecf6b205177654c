"""The types a fact's fields can have: one declaration for every use of a field.

A field of a kind is declared as ``Annotated[python type, FieldType(...)]``. The same object
checks a value given in Python, reads a cell of a file or an option of the command line, writes
and strictly reads the stored JSON, and says how a replay reads it in columns.
"""

from __future__ import annotations

import functools
import re
from abc import ABC, abstractmethod
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from .amounts import WHOLE_SHARE, format_amount, to_units
from .periods import period_days

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "Amount",
    "Choice",
    "Code",
    "Codes",
    "Day",
    "FieldType",
    "Hours",
    "Label",
    "People",
    "PeriodCode",
    "Person",
    "Points",
    "Reference",
    "Share",
    "Shares",
    "Text",
    "Unit",
    "Units",
    "Whole",
    "equal_shares",
    "parse_date",
    "shares",
]

CODE_LENGTH_MAX = 64
PEOPLE_MAX = 10_000
_CODE = re.compile(r"[0-9A-Za-z가-힣][0-9A-Za-z가-힣._-]{0,63}")
# Control characters (NUL among them) have no business in a record; line breaks and tabs may.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\ud800-\udfff]")
_WHOLE = re.compile(r"[0-9]{1,15}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@attrs.frozen
class Label:
    """What people read, in Korean and English."""

    ko: str
    en: str


@attrs.frozen
class Share:
    """One person's part of something done together.

    Attributes:
        person: Opaque id of the person.
        percent: Part of the whole in percent, more than 0, at most four decimal places.
    """

    person: str
    percent: Decimal


def equal_shares(people: Iterable[str]) -> tuple[Share, ...]:
    """Divide 100 % equally; what does not divide goes to the first named, 0.0001 % each."""
    persons = tuple(people)
    if not persons:
        return ()
    part, rest = divmod(WHOLE_SHARE, len(persons))
    return tuple(
        Share(person, _percent(part + (1 if index < rest else 0)))
        for index, person in enumerate(persons)
    )


def shares(parts: Mapping[str, Decimal | int | str]) -> tuple[Share, ...]:
    """Make shares of a mapping from person to percent, e.g. ``{"P1": 60, "P2": "40"}``."""
    return tuple(Share(person, _percent(to_units(part))) for person, part in parts.items())


@functools.lru_cache(maxsize=4_096)  # many facts fall on few days
def parse_date(text: str) -> date:
    """Read a civil date, ``YYYY-MM-DD`` and nothing else.

    Raises:
        ValueError: Another shape, or a day the calendar does not have.
    """
    if not _DATE.fullmatch(text):
        msg = "not a date of the form YYYY-MM-DD"
        raise ValueError(msg)
    try:
        return date.fromisoformat(text)
    except ValueError:
        msg = f"{text} does not exist in the calendar"
        raise ValueError(msg) from None


def _percent(units: int) -> Decimal:
    return Decimal(format_amount(units))


@attrs.frozen
class FieldType(ABC):
    """Base of the field types.

    Attributes:
        ko: Korean label.
        en: English label.
        optional: Whether the field may be absent (``None``).
    """

    ko: str
    en: str
    optional: bool = attrs.field(default=False, kw_only=True)

    column: ClassVar[str] = '"VARCHAR"'
    """How the stored JSON is read in columns, in DuckDB's JSON structure notation."""
    refers_to: ClassVar[tuple[str, ...]] = ()
    """The categories of streams whose ids the field holds (``member``, ``unit``), if any."""

    @property
    def label(self) -> Label:
        """The field's label in both languages."""
        return Label(self.ko, self.en)

    @abstractmethod
    def check(self, value: Any) -> None:
        """Check a value given in Python.

        Raises:
            ValueError: The value is unfit; the text says why.
        """

    @abstractmethod
    def parse(self, text: str) -> Any:
        """Read a cell or an option; ``check`` follows.

        Raises:
            ValueError: The text cannot be read.
        """

    def read(self, value: Any) -> Any:
        """Read a value of a JSON Lines file: a text as ``parse`` does, or a JSON form of its own.

        Raises:
            ValueError: The value cannot be read.
        """
        return self.parse(_string(value))

    def dump(self, value: Any) -> Any:
        """Turn a checked value into its JSON form."""
        return value

    def load(self, stored: Any) -> Any:
        """Turn the JSON form back into a value, strictly; ``check`` follows."""
        return stored

    def show(self, value: Any) -> str:
        """Write the value as the text that ``parse`` reads."""
        return str(value)

    def describe(self, value: Any) -> Label:
        """Write the value for people, in Korean and English."""
        text = self.show(value)
        return Label(text, text)

    def ids(self, value: Any) -> tuple[str, ...]:
        """Ids of the things the value refers to, in order."""
        return (value,) if self.refers_to else ()

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the import form (JSON Lines)."""
        return {"type": "string"}


@attrs.frozen
class Text(FieldType):
    """Free text without control characters; line breaks and tabs are kept."""

    length_max: int = attrs.field(default=1_000, kw_only=True)

    def check(self, value: Any) -> None:
        _check_text(value, self.length_max)

    def parse(self, text: str) -> str:
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": self.length_max}


@attrs.frozen
class Code(FieldType):
    """A short id or code: letters (Latin, Hangul), digits, ``-``, ``_``, ``.``."""

    def check(self, value: Any) -> None:
        _check_code(value)

    def parse(self, text: str) -> str:
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_CODE.pattern}$"}


@attrs.frozen
class PeriodCode(Code):
    """A year ``2005``, half ``2005-H1``, quarter ``2005-Q3`` or month ``2005-03``."""

    def check(self, value: Any) -> None:
        _check_code(value)
        period_days(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]{4}(-(H[12]|Q[1-4]|0[1-9]|1[0-2]))?$"}


@attrs.frozen
class Person(Code):
    """The opaque id of a person who has joined.

    Attributes:
        serving: Whether the person must serve on the day of the fact; if not, one who has left
            will do.
    """

    serving: bool = attrs.field(default=True, kw_only=True)

    refers_to = ("member",)


@attrs.frozen
class Unit(Code):
    """The code of an established unit.

    Attributes:
        ended: Whether it may also be a unit that ended before the day of the fact.
    """

    refers_to = ("unit",)
    ended: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class Reference(Code):
    """The id of another thing that must have begun: of one of the categories ``of``.

    Attributes:
        of: Categories of streams whose ids the field may hold, e.g. ``("learning_club",)``; the
            id is the whole part of a stream's name behind the colon, so a thing whose id is made
            of several fields cannot be referred to by one.
    """

    of: tuple[str, ...] = attrs.field(kw_only=True)

    @property
    def refers_to(self) -> tuple[str, ...]:  # type: ignore[override]
        """The categories of streams whose ids the field holds."""
        return self.of


@attrs.frozen
class Choice(FieldType):
    """One of a few words, each with what people read for it in Korean and English."""

    words: Mapping[str, Label] = attrs.field(kw_only=True)

    def check(self, value: Any) -> None:
        if value not in self.words:
            msg = f"must be one of: {', '.join(self.words)}"
            raise ValueError(msg)

    def parse(self, text: str) -> str:
        return text

    def describe(self, value: str) -> Label:
        return self.words[value]

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}


@attrs.frozen
class Day(FieldType):
    """A civil date in the ledger's time zone."""

    def check(self, value: Any) -> None:
        if type(value) is not date:
            msg = "must be a date"
            raise ValueError(msg)

    def parse(self, text: str) -> date:
        return parse_date(text)

    def dump(self, value: date) -> str:
        return value.isoformat()

    def load(self, stored: Any) -> date:
        return parse_date(_string(stored))

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


@attrs.frozen
class Amount(FieldType):
    """A decimal number from ``least`` to ``most``, to four decimal places: a score, a rate."""

    column = '"BIGINT"'
    least: int = attrs.field(default=0, kw_only=True)
    most: int = attrs.field(default=1_000_000_000, kw_only=True)

    @property
    def units(self) -> tuple[int, int]:
        """The least and the most in 1/10,000."""
        return to_units(self.least), to_units(self.most)

    @property
    def limits(self) -> str:
        """What the value must be, in words."""
        return f"from {self.least:,} to {self.most:,}"

    def check(self, value: Any) -> None:
        if type(value) is not Decimal:
            msg = "must be a Decimal"
            raise ValueError(msg)
        least, most = self.units
        if not least <= to_units(value) <= most:
            msg = f"must be {self.limits}"
            raise ValueError(msg)

    def parse(self, text: str) -> Decimal:
        return _percent(to_units(text))

    def read(self, value: Any) -> Decimal:
        return _percent(_number(value))

    def dump(self, value: Decimal) -> int:
        return to_units(value)

    def load(self, stored: Any) -> Decimal:
        return _percent(_integer(stored))

    def show(self, value: Decimal) -> str:
        return format_amount(to_units(value))

    def schema(self) -> dict[str, Any]:
        sign = "-?" if self.least < 0 else ""
        return {"type": ["string", "number"], "pattern": rf"^{sign}\d+(\.\d{{1,4}})?$"}


@attrs.frozen
class Hours(Amount):
    """Hours, more than 0 and at most ``hours_max``, to four decimal places."""

    hours_max: int = attrs.field(default=24, kw_only=True)

    @property
    def units(self) -> tuple[int, int]:
        """The least and the most in 1/10,000."""
        return 1, to_units(self.hours_max)

    @property
    def limits(self) -> str:
        """What the value must be, in words."""
        return f"more than 0 and at most {self.hours_max} hours"


@attrs.frozen
class Points(Amount):
    """Points of mileage, more than 0, to four decimal places."""

    @property
    def units(self) -> tuple[int, int]:
        """The least and the most in 1/10,000."""
        return 1, to_units(self.most)

    @property
    def limits(self) -> str:
        """What the value must be, in words."""
        return f"more than 0 and at most {self.most:,} points"


@attrs.frozen
class Whole(FieldType):
    """A whole number from ``least`` to ``most``: people, places, or money in whole won."""

    column = '"BIGINT"'
    least: int = attrs.field(default=1, kw_only=True)
    most: int = attrs.field(default=1_000_000_000_000, kw_only=True)

    def check(self, value: Any) -> None:
        if type(value) is not int:
            msg = "must be a whole number"
            raise ValueError(msg)
        if not self.least <= value <= self.most:
            msg = f"must be a whole number from {self.least:,} to {self.most:,}"
            raise ValueError(msg)

    def parse(self, text: str) -> int:
        digits = text.replace(",", "")
        if not _WHOLE.fullmatch(digits):
            msg = "must be a whole number, written with digits"
            raise ValueError(msg)
        return int(digits)

    def read(self, value: Any) -> int:
        return self.parse(value) if type(value) is str else _integer(value)

    def load(self, stored: Any) -> int:
        return _integer(stored)

    def show(self, value: int) -> str:
        return str(value)

    def schema(self) -> dict[str, Any]:
        number = {"type": "integer", "minimum": self.least, "maximum": self.most}
        return {"anyOf": [number, {"type": "string", "pattern": r"^[0-9,]+$"}]}


@attrs.frozen
class Codes(FieldType):
    """Several different codes in a meaningful order, written ``gold;silver``."""

    column = '["VARCHAR"]'

    def check(self, value: Any) -> None:
        _check_list(value, value)

    def parse(self, text: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in text.split(";"))

    def read(self, value: Any) -> tuple[str, ...]:
        return self.parse(value) if type(value) is str else self.load(value)

    def dump(self, value: tuple[str, ...]) -> list[str]:
        return list(value)

    def load(self, stored: Any) -> tuple[str, ...]:
        return tuple(_string(item) for item in _list(stored))

    def show(self, value: tuple[str, ...]) -> str:
        return ";".join(value)

    def schema(self) -> dict[str, Any]:
        listed = {
            "type": "array",
            "items": {"type": "string", "pattern": f"^{_CODE.pattern}$"},
            "minItems": 1,
            "uniqueItems": True,
        }
        return {"anyOf": [listed, {"type": "string", "minLength": 1}]}


@attrs.frozen
class People(Codes):
    """Several different persons, written ``P1;P2``."""

    refers_to = ("member",)

    def ids(self, value: tuple[str, ...]) -> tuple[str, ...]:
        return value


@attrs.frozen
class Units(Codes):
    """The codes of several different units that stand, written ``HQ;SEOUL``."""

    refers_to = ("unit",)

    def ids(self, value: tuple[str, ...]) -> tuple[str, ...]:
        return value


@attrs.frozen
class Shares(FieldType):
    """Several different persons with shares that make 100 %, written ``P1:60;P2:40``.

    Written without shares (``P1;P2``) the whole is divided equally.
    """

    column = '[{"person":"VARCHAR","share":"BIGINT"}]'
    refers_to = ("member",)

    def check(self, value: Any) -> None:
        if not isinstance(value, tuple) or not all(type(part) is Share for part in value):
            msg = "must be a tuple of Share"
            raise ValueError(msg)
        _check_list(value, [part.person for part in value])
        whole = 0
        for part in value:
            units = to_units(part.percent)
            if units <= 0:
                msg = f"the share of {part.person} must be more than 0"
                raise ValueError(msg)
            whole += units
        if whole != WHOLE_SHARE:
            msg = f"shares make {format_amount(whole)} %, not 100 %"
            raise ValueError(msg)

    def parse(self, text: str) -> tuple[Share, ...]:
        parts = [part.strip() for part in text.split(";")]
        if not any(":" in part for part in parts):
            return equal_shares(parts)
        found = []
        for number, part in enumerate(parts, 1):
            person, colon, percent = part.partition(":")
            if not colon:
                msg = f"part {number} has no share: give every person one, or none"
                raise ValueError(msg)
            found.append(Share(person.strip(), _percent(to_units(percent.strip()))))
        return tuple(found)

    def read(self, value: Any) -> tuple[Share, ...]:
        if type(value) is str:
            return self.parse(value)
        if all(type(item) is str for item in _list(value)):
            return equal_shares(value)
        return tuple(
            Share(_string(item["person"]), _percent(_number(item["percent"])))
            for item in _parts(value, "percent")
        )

    def dump(self, value: tuple[Share, ...]) -> list[dict[str, Any]]:
        return [{"person": part.person, "share": to_units(part.percent)} for part in value]

    def load(self, stored: Any) -> tuple[Share, ...]:
        return tuple(
            Share(_string(item["person"]), _percent(_integer(item["share"])))
            for item in _parts(stored, "share")
        )

    def show(self, value: tuple[Share, ...]) -> str:
        return ";".join(f"{part.person}:{format_amount(to_units(part.percent))}" for part in value)

    def ids(self, value: tuple[Share, ...]) -> tuple[str, ...]:
        return tuple(part.person for part in value)

    def schema(self) -> dict[str, Any]:
        part = {
            "type": "object",
            "properties": {
                "person": {"type": "string"},
                "percent": {"type": ["string", "number"]},
            },
            "required": ["person", "percent"],
            "additionalProperties": False,
        }
        person = {"type": "string", "pattern": f"^{_CODE.pattern}$"}
        listed = [{"type": "array", "items": items, "minItems": 1} for items in (part, person)]
        return {"anyOf": [*listed, {"type": "string", "minLength": 1}]}


def _check_text(value: Any, length_max: int) -> None:
    if type(value) is not str:
        msg = "must be a text"
        raise ValueError(msg)
    if not value.strip():
        msg = "must not be empty"
        raise ValueError(msg)
    if len(value) > length_max:
        msg = f"has {len(value):,} characters, {length_max:,} are allowed"
        raise ValueError(msg)
    if not value.isprintable() and (bad := _CONTROL.search(value)):
        msg = f"has the control character U+{ord(bad.group()):04X}"
        raise ValueError(msg)


def _check_code(value: Any) -> None:
    if type(value) is not str or not _CODE.fullmatch(value):
        _check_text(value, CODE_LENGTH_MAX)
        msg = "may have letters, digits, '-', '_' and '.' only, and begins with a letter or digit"
        raise ValueError(msg)


def _check_list(value: Any, codes: Sequence[Any]) -> None:
    if not isinstance(value, tuple) or not value:
        msg = "must name at least one"
        raise ValueError(msg)
    if len(value) > PEOPLE_MAX:
        msg = f"has {len(value):,} items, {PEOPLE_MAX:,} are allowed"
        raise ValueError(msg)
    seen: set[str] = set()
    for code in codes:
        _check_code(code)
        if code in seen:
            msg = f"names {code} more than once"
            raise ValueError(msg)
        seen.add(code)


def _string(stored: Any) -> str:
    if type(stored) is not str:
        msg = "must be a string"
        raise ValueError(msg)
    return stored


def _integer(stored: Any) -> int:
    if type(stored) is not int:
        msg = "must be an integer"
        raise ValueError(msg)
    return stored


def _number(value: Any) -> int:
    """Units of a decimal number that stands in a JSON file, as a text or as a number."""
    if type(value) not in (str, int, Decimal):
        msg = "must be a number"
        raise ValueError(msg)
    return to_units(value)


def _parts(value: Any, share: str) -> list[dict[str, Any]]:
    for item in _list(value):
        if not isinstance(item, dict) or set(item) != {"person", share}:
            msg = f"each part must have exactly person and {share}"
            raise ValueError(msg)
    return _list(value)


def _list(stored: Any) -> list[Any]:
    if not isinstance(stored, list):
        msg = "must be a list"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error for every unfit value
    return stored
