"""How a kind of fact is declared, and the registry that finds it again.

One declaration beside the event class says everything about a kind: its fields, its labels, the
stream it belongs to, how it becomes an activity. Recording, import, history, the command line and
the columnar replay all read that declaration.
"""

from __future__ import annotations

import difflib
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, get_type_hints

import attrs
from mileage.ledger.errors import InvalidFact, MileageError, UnknownKind
from mileage.ledger.fields import Choice, Code, FieldType, Label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = ["Activity", "Context", "Data", "Kind", "Kinds", "Programme", "kind", "kinds"]

ENTRY_POINT_GROUP = "mileage.kinds"

_RESERVED = frozenset(
    {
        # the envelope of a fact
        "key",
        "kind",
        "occurred_on",
        "recorded_at",
        "recorded_by",
        "source",
        # what an import adds to rows it sets aside
        "line",
        "problem",
    }
)


class Context(Protocol):
    """What ``decide`` may ask about other things than its own; pure look-ups."""

    def state(self, stream: str) -> Any:
        """Return the folded state of another stream, or ``None`` when it has no facts."""

    def standing(self, key: str) -> Fact | None:
        """Return the fact that has a key, or ``None`` when there is none or it is void."""

    def things(self, beginning: str, word: str) -> Sequence[tuple[str, Any]]:
        """Streams whose name begins so and that have a fact with that text, each with its state.

        A state is ``None`` where nothing of the stream stands.
        """


@attrs.frozen
class Activity:
    """How facts of a kind become activities: one for each person named.

    Attributes:
        people: Field that names the people, of this kind or of the kind ``of``.
        of: Kind whose fact about the same thing names the people; empty when the
            fact names them itself.
        grade: Field that holds the grade, or empty.
        hours: Field that holds the hours, or empty.
        conditions: Fields with a code or a choice that a rule may ask for, each with the kind whose
            fact about the same thing says it; empty when the fact says it itself.
    """

    people: str
    of: str = ""
    grade: str = ""
    hours: str = ""
    conditions: Mapping[str, str] = attrs.field(factory=dict)


class Data:
    """Base of the kinds' own classes: what a fact says, apart from when and by whom."""

    __slots__ = ()

    def __attrs_post_init__(self) -> None:
        """Check every field against its declaration.

        Raises:
            InvalidFact: A value is unfit.
        """
        for name, field in kind_of(type(self)).fields.items():
            value = getattr(self, name)
            if value is None and field.optional:
                continue
            try:
                field.check(value)
            except ValueError as error:
                raise InvalidFact(name, str(error)) from None


D = TypeVar("D", bound=type)


@attrs.frozen
class Kind:
    """One kind of fact.

    Attributes:
        name: Stable name, also the topic it is stored under.
        version: Version of its fields; stored with every fact.
        label: Korean and English name.
        category: Category of the streams its facts belong to; empty when a fact belongs to the
            stream of another fact.
        id_fields: Fields that make the id of the thing within the category, in order.
        identity: Fields that make the natural key, in order; ``occurred_on`` may be one.
        title: Field with the thing's title, or empty.
        activity: How it becomes activities, or ``None``.
        withdraws: Kinds whose earlier facts about the same thing no longer count.
        upcasts: For each earlier version, a function from its JSON data to the next version's.
        fields: Field types by name, in the order of declaration.
        cls: The class of its data.
        voidable: Whether a fact of the kind can be voided; else only a later fact undoes it.
        references: Those of the fields that hold ids of other things.
    """

    name: str
    version: int
    label: Label
    category: str
    id_fields: tuple[str, ...]
    identity: tuple[str, ...]
    title: str
    activity: Activity | None
    withdraws: tuple[str, ...]
    upcasts: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]
    fields: Mapping[str, FieldType]
    cls: type
    voidable: bool = True
    references: Mapping[str, FieldType] = attrs.field(init=False)

    @references.default
    def _references(self) -> Mapping[str, FieldType]:
        return {name: field for name, field in self.fields.items() if field.refers_to}

    @property
    def topic(self) -> str:
        """Topic of the current version."""
        return self.topic_of(self.version)

    @property
    def help(self) -> str:
        """What the fact says, one line."""
        return (self.cls.__doc__ or "").strip().splitlines()[0]

    def topic_of(self, version: int) -> str:
        """Topic under which facts of a version are stored."""
        return self.name if version == 1 else f"{self.name}@{version}"

    def stream(self, data: Any) -> str:
        """Stream the fact belongs to, ``category:id``."""
        return f"{self.category}:{'/'.join(getattr(data, name) for name in self.id_fields)}"

    def natural_key(self, data: Any, occurred_on: date) -> str:
        """Key of the fact when its source gives none; ``-`` stands for a field that is absent."""
        values = {name: getattr(data, name, occurred_on) for name in self.identity}
        parts = ["-" if value is None else str(value) for value in values.values()]
        return ":".join((self.name, *parts))

    def dump(self, data: Any) -> dict[str, Any]:
        """Turn data into its JSON form; absent optional fields are stored as null."""
        found = {}
        for name, field in self.fields.items():
            value = getattr(data, name)
            found[name] = None if value is None else field.dump(value)
        return found

    def load(self, stored: Any, version: int) -> Any:
        """Read stored JSON back, strictly, after upcasting it from an earlier version.

        Raises:
            ValueError: A field is missing, unknown or of the wrong type.
        """
        for step in range(version, self.version):
            stored = self.upcasts[step](stored)
        if not isinstance(stored, dict) or set(stored) != set(self.fields):
            msg = f"fields must be exactly {', '.join(self.fields)}"
            raise ValueError(msg)
        values = {}
        for name, field in self.fields.items():
            raw = stored[name]
            values[name] = None if raw is None and field.optional else field.load(raw)
        return self.cls(**values)

    def parse(self, cells: Mapping[str, Any]) -> Any:
        """Make data of text cells or JSON values; empty and null ones count as absent.

        Raises:
            InvalidFact: A field is missing, unknown or unfit.
        """
        for name in cells:
            if name not in self.fields and cells[name] not in ("", None):
                raise InvalidFact(name, f"{self.name} has no such field", _meant(name, self.fields))
        values: dict[str, Any] = {}
        for name, field in self.fields.items():
            value = cells.get(name)
            if value is None or value == "":
                if not field.optional:
                    raise InvalidFact(name, "is missing")
                values[name] = None
                continue
            try:
                values[name] = field.read(value)
            except ValueError as error:
                raise InvalidFact(name, str(error)) from None
        return self.cls(**values)


class Programme:
    """One category of streams and the pure functions that guard its facts.

    Attributes:
        category: Category of the streams, the part of a stream's name before the colon.
        label: Korean and English name of the things.
        decide: ``decide(state, command, context)`` returns the data of the facts to record, or
            raises ``Refused``.
        evolve: ``evolve(state, fact)`` returns the next state; ``state`` begins as ``None``.
    """

    __slots__ = ("category", "decide", "evolve", "label")

    def __init__(
        self,
        category: str,
        label: Label,
        *,
        decide: Callable[[Any, Command, Context], Sequence[Any]] | None = None,
        evolve: Callable[[Any, Fact], Any] | None = None,
    ) -> None:
        self.category = category
        self.label = label
        self.decide = decide or _accept
        self.evolve = evolve or _remember


def _accept(_state: object, command: Command, _context: Context) -> Sequence[Any]:
    """Guard of a programme without a life cycle: whatever passed the general checks."""
    return (command.data,)


def _remember(state: tuple[str, ...] | None, fact: Fact) -> tuple[str, ...]:
    """State of a programme without a life cycle: the keys of its facts."""
    return (*(state or ()), fact.key)


class Kinds:
    """The kinds and programmes known to this process."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}
        self._programmes: dict[str, Programme] = {}
        self._loaded = False

    def add_programme(self, programme: Programme) -> Programme:
        """Register a category of streams.

        Raises:
            ValueError: Another programme has the category.
        """
        if programme.category in self._programmes:
            msg = f"category {programme.category!r} is already registered"
            raise ValueError(msg)
        self._programmes[programme.category] = programme
        return programme

    def add(self, kind: Kind) -> None:
        """Register a kind.

        Raises:
            ValueError: The name is taken, the category is unknown, or a field's name stands for
                another type elsewhere (a field name means one thing in the whole ledger).
        """
        if kind.name in self._kinds:
            msg = f"kind {kind.name!r} is already registered"
            raise ValueError(msg)
        if kind.category and kind.category not in self._programmes:
            msg = f"kind {kind.name!r}: no programme has the category {kind.category!r}"
            raise ValueError(msg)
        _check_declaration(kind)
        for other in self._kinds.values():
            _check_agreement(kind, other)
        self._kinds[kind.name] = kind

    def load_plugins(self) -> None:
        """Import the modules that installed packages declare under ``mileage.kinds``."""
        if not self._loaded:
            self._loaded = True
            for point in entry_points(group=ENTRY_POINT_GROUP):
                point.load()
        self.check()

    def check(self) -> None:
        """Check what kinds say of each other; a ledger does so when it is opened.

        Raises:
            MileageError: An activity is of a kind that is not there or has no such field of
                people, two activities read the people of one kind from different fields, or a
                condition is no field with a code of a kind about the same things.
        """
        fields: dict[str, str] = {}
        for kind in self:
            if kind.activity is None:
                continue
            named, source = kind.activity.people, kind.activity.of or kind.name
            home = self._kinds.get(source)
            found = home.fields.get(named) if home else None
            own = home is not None and home.category == "member" and named in home.id_fields
            if found is None or not (own or found.refers_to == ("member",)):
                msg = f"kind {kind.name!r}: {source!r} has no field {named!r} that names people"
                raise MileageError(msg)
            if fields.setdefault(source, named) != named:
                msg = (
                    f"kind {kind.name!r}: another activity reads the people of {source!r} from"
                    f" {fields[source]!r}, not from {named!r}"
                )
                raise MileageError(msg)
            self._check_conditions(kind, kind.activity)

    def _check_conditions(self, kind: Kind, activity: Activity) -> None:
        for name, source in activity.conditions.items():
            home = self._kinds.get(source or kind.name)
            found = home.fields.get(name) if home else None
            coded = isinstance(found, Choice | Code) and found.refers_to != ("member",)
            if home is None or home.category != kind.category or not coded:
                msg = (
                    f"kind {kind.name!r}: the condition {name!r} is no field with a code of"
                    f" {source or kind.name!r}, or that is about other things"
                )
                raise MileageError(msg)
            if source and name in kind.fields:
                msg = f"kind {kind.name!r} says {name!r} itself: it cannot be taken from {source!r}"
                raise MileageError(msg)

    def get(self, name: str) -> Kind:
        """Find a kind by name.

        Raises:
            UnknownKind: No such kind; the message names the nearest.
        """
        try:
            return self._kinds[name]
        except KeyError:
            hint = _meant(name, self._kinds)
            msg = f"unknown kind {name!r}" + (f" ({hint})" if hint else "")
            raise UnknownKind(msg) from None

    def by_topic(self, topic: str) -> tuple[Kind, int]:
        """Find a kind and the stored version by a fact's topic.

        Raises:
            UnknownKind: No such kind, or a version later than this process knows.
        """
        name, _, version = topic.partition("@")
        kind = self.get(name)
        number = int(version) if version.isdecimal() else 1
        if not 1 <= number <= kind.version or topic != kind.topic_of(number):
            msg = f"unknown version of kind {name!r}: {topic!r}"
            raise UnknownKind(msg)
        return kind, number

    def topics(self, *names: str) -> list[str]:
        """The topics under which facts of some kinds are stored, in whatever version."""
        found = [self.get(name) for name in names]
        return [kind.topic_of(number) for kind in found for number in range(1, kind.version + 1)]

    def programme(self, category: str) -> Programme:
        """Find a programme by the category of its streams."""
        return self._programmes[category]

    def __iter__(self) -> Iterator[Kind]:
        """All kinds in order of registration."""
        return iter(tuple(self._kinds.values()))

    def __contains__(self, name: str) -> bool:
        return name in self._kinds


def _check_declaration(kind: Kind) -> None:
    named = {kind.title, *kind.id_fields, *kind.identity} - {"", "occurred_on"}
    activity = kind.activity
    if activity:
        named |= {activity.grade, activity.hours} - {""}
        if not activity.of:
            named.add(activity.people)
    if missing := sorted(named - set(kind.fields)):
        msg = f"kind {kind.name!r} has no field {', '.join(missing)}"
        raise ValueError(msg)
    if taken := sorted(_RESERVED & set(kind.fields)):
        msg = f"kind {kind.name!r}: the field name {taken[0]} is reserved"
        raise ValueError(msg)
    if lacking := sorted(set(range(1, kind.version)) - set(kind.upcasts)):
        msg = f"kind {kind.name!r}: no upcast from version {lacking[0]}"
        raise ValueError(msg)


def _check_agreement(kind: Kind, other: Kind) -> None:
    """Check that fields of one name are read alike: a replay has one column for both."""
    for name, field in kind.fields.items():
        if name in other.fields and other.fields[name].column != field.column:
            msg = f"kind {kind.name!r}: the field {name} means something else in {other.name!r}"
            raise ValueError(msg)


kinds = Kinds()
"""The registry every ledger uses unless it is given another."""

_KIND_OF: dict[type, Kind] = {}


def kind_of(cls: type) -> Kind:
    """Return the kind declared for a class of data.

    Raises:
        UnknownKind: The class was not declared with ``@kind``.
    """
    try:
        return _KIND_OF[cls]
    except KeyError:
        msg = f"{cls.__qualname__} is not declared as a kind of fact"
        raise UnknownKind(msg) from None


def kind(  # noqa: PLR0913 - a declaration names everything once
    name: str,
    *,
    ko: str,
    en: str,
    category: str,
    id_fields: tuple[str, ...],
    identity: tuple[str, ...] = (),
    title: str = "",
    activity: Activity | None = None,
    withdraws: tuple[str, ...] = (),
    version: int = 1,
    upcasts: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] | None = None,
    voidable: bool = True,
    registry: Kinds = kinds,
) -> Callable[[D], D]:
    """Declare an attrs-frozen class as a kind of fact; see ``Kind`` for the arguments.

    Fields are annotated as ``Annotated[type, FieldType(...)]``. Without ``identity`` the natural
    key is the thing's id.

    Raises:
        ValueError: The declaration contradicts itself or another one.
    """

    def declare(cls: D) -> D:
        declared = Kind(
            name=name,
            version=version,
            label=Label(ko, en),
            category=category,
            id_fields=id_fields,
            identity=identity or id_fields,
            title=title,
            activity=activity,
            withdraws=withdraws,
            upcasts=dict(upcasts or {}),
            fields=_fields(cls),
            cls=cls,
            voidable=voidable,
        )
        registry.add(declared)
        _KIND_OF[cls] = declared
        return cls

    return declare


def _fields(cls: type) -> dict[str, FieldType]:
    hints = get_type_hints(cls, include_extras=True)
    found = {}
    for attribute in attrs.fields(cls):
        marks = getattr(hints[attribute.name], "__metadata__", ())
        types = [mark for mark in marks if isinstance(mark, FieldType)]
        if len(types) != 1:
            msg = f"{cls.__qualname__}.{attribute.name} must be annotated with one field type"
            raise ValueError(msg)
        found[attribute.name] = types[0]
    return found


def _meant(word: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else ""
