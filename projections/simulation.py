"""Simulation: what a rulebook would change if it were adopted, without adopting it.

The ledger is scored once with the rulebook beside those adopted, and compared with the figures
in service. Nothing is published and nothing recorded. A simulation has a digest, and adopting by
that digest is refused when it would no longer change what was looked at.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import tempfile
from contextlib import closing, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from mileage.ledger import MileageError, ReadOnlyLedger

from .adoption import adopt_rulebook
from .build import scored
from .days import day_number
from .decode import Slice
from .difference import (
    Change,
    Difference,
    accounts_changed,
    people_changed,
    units_changed,
)
from .eligibility import Selection, eligible, programmes
from .figures import Figures, Period
from .kept import NotAsKept
from .publish import publish
from .readmodel import NoReadModel
from .rulebook import Adoption, parse_rulebook
from .rules import activity_infos

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import duckdb
    from mileage.ledger import Label, Recorded

    from .difference import Asking
    from .eligibility import Candidate
    from .kept import Kept
    from .readmodel import ReadModel
    from .rulebook import Rulebook

__all__ = [
    "Cost",
    "Crossing",
    "NotAsSimulated",
    "Simulation",
    "UnknownDigest",
    "adopt_simulated",
    "simulate",
]

NO_PROGRAMME, NO_ACTIVITY = "no_programme", "no_activity"
_DIGEST = re.compile(r"([0-9]{1,18})(?:-([0-9]{4}-[0-9]{2}-[0-9]{2}))?-([0-9a-f]{64})")


class UnknownDigest(MileageError, ValueError):
    """A text that is no digest of a simulation."""


class NotAsSimulated(MileageError):
    """What would be adopted is not what was simulated; nothing is recorded.

    Attributes:
        position: Position of the last fact that was in the simulation.
        now: Position of the last fact of the ledger.
    """

    def __init__(self, position: int, now: int) -> None:
        super().__init__(
            f"this is not what was simulated at fact #{position} (the ledger is at #{now}): the"
            " text, the effective date, the rulebooks in service or facts that matter are"
            " others; simulate again and adopt with the digest of that"
        )
        self.position = position
        self.now = now


@attrs.frozen
class Crossing:
    """Somebody who crosses the threshold or the quota line of a programme, either way.

    Attributes:
        programme: Id of the programme.
        person: Id of the person.
        before: Outcome under the figures in service: one of those of a ``Candidate``,
            ``no_activity`` in its period, or ``no_programme`` where there is none that day.
        after: Outcome under the rulebook simulated.
        points_before: Points in the programme's period under the figures in service, 1/10,000.
        points_after: Points in its period under the rulebook simulated, 1/10,000.
        grade_before: Grade or tier under the figures in service, if any.
        grade_after: Grade or tier under the rulebook simulated, if any.
        value_before: What the person would get by the figures in service, 1/10,000 of the
            programme's unit; ``None`` for nothing or where no value is stated.
        value_after: The same under the rulebook simulated.
    """

    programme: str
    person: str
    before: str
    after: str
    points_before: int
    points_after: int
    grade_before: str | None = None
    grade_after: str | None = None
    value_before: int | None = None
    value_after: int | None = None

    @property
    def gets_in(self) -> bool:
        """Whether the person is selected now and was not before."""
        return self.after == "selected" != self.before

    @property
    def drops_out(self) -> bool:
        """Whether the person was selected before and is not now."""
        return self.before == "selected" != self.after


@attrs.frozen
class Cost:
    """What a programme costs: the values of all whom its rule selects, in its own unit.

    A programme whose unit changes has two of these.

    Attributes:
        programme: Id of the programme.
        unit: What its values are in, such as won.
        selected_before: How many are selected by the figures in service.
        selected_after: How many are selected under the rulebook simulated.
        before: Sum of their values by the figures in service, 1/10,000 of the unit.
        after: Sum of their values under the rulebook simulated, 1/10,000 of the unit.
    """

    programme: str
    unit: Label
    selected_before: int
    selected_after: int
    before: int
    after: int

    @property
    def change(self) -> int:
        """What more it costs (positive) or less (negative)."""
        return self.after - self.before


@attrs.frozen
class Simulation:
    """What a rulebook would change.

    Attributes:
        rulebook: The rulebook.
        effective_from: First day it would apply to.
        position: Position of the last fact it is worked out with.
        as_of: Only what had happened by that day; ``None`` for everything.
        day: Day on which programmes are looked at.
        pending: Position of an adoption that waits for a rebuild, and so is part of what
            changes; 0 without one.
        accounts: What people's balances add up to, for each account, changed or not.
        units: Units whose points change.
        people: People whose balance changes, largest change first.
        crossings: Who crosses a line of a programme or changes grade, by programme and person.
        costs: What the programmes with values cost, by programme, changed or not.
        unit_labels: Names of the units by code.
        account_labels: Names of the accounts by id.
        digest: Names the simulation: position, day of ``as_of`` if any, and SHA-256 over ledger,
            position, text, effective date and everything that changes.
    """

    rulebook: Rulebook
    effective_from: date
    position: int
    as_of: date | None
    day: date
    pending: int
    accounts: tuple[Change, ...]
    units: tuple[Change, ...]
    people: tuple[Difference, ...]
    crossings: tuple[Crossing, ...]
    costs: tuple[Cost, ...]
    unit_labels: Mapping[str, Label]
    account_labels: Mapping[str, Label]
    digest: str


def simulate(
    model: ReadModel,
    text: str,
    *,
    effective_from: date | None = None,
    as_of: date | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Simulation:
    """Work out what adopting a rulebook would change; nothing is published or recorded.

    Args:
        model: The ledger's read model. It is caught up first; without one, the figures before
            are worked out for this.
        text: The rulebook, TOML.
        effective_from: First day it would apply to; today unless given.
        as_of: Compare what counted on that day, and look at programmes then; else everything,
            and programmes today.
        progress: Called with the stage's name, steps done and steps in all.

    Raises:
        RulebookError: The text has errors, or contradicts a rulebook adopted before.
    """
    return _Run(model, text, effective_from, as_of, progress).simulation()


def adopt_simulated(  # noqa: PLR0913 - what an adoption states
    model: ReadModel,
    text: str,
    *,
    digest: str,
    on: date,
    by: str,
    effective_from: date | None = None,
    reason: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Recorded:
    """Adopt a rulebook, if it still changes what it changed when it was simulated.

    Facts recorded since keep it from being adopted only if they change anything in that.

    Args:
        model: The ledger's read model.
        text: The rulebook, TOML.
        digest: Digest of the simulation that was looked at.
        on: Date of the decision.
        by: Opaque id of who records it.
        effective_from: First day it applies to; the date of the decision unless given.
        reason: Why it reaches back, needed when ``effective_from`` is before ``on``.
        progress: As for ``simulate``.

    Raises:
        NotAsSimulated: It would change something else, or facts were recorded meanwhile.
        UnknownDigest: The text is no digest of a simulation.
        RulebookError, Refused: As ``adopt_rulebook``.
    """
    ledger = model.ledger
    position, as_of = _named_in(digest)
    run = _Run(model, text, effective_from or on, as_of, progress)
    if run.simulation(named_at=position).digest != digest:
        raise NotAsSimulated(position, ledger.position)

    def nothing_since() -> None:
        if ledger.position != run.position:
            raise NotAsSimulated(run.position, ledger.position)

    return adopt_rulebook(
        ledger,
        text,
        on=on,
        by=by,
        effective_from=effective_from,
        reason=reason,
        check=nothing_since,
    )


def _named_in(digest: str) -> tuple[int, date | None]:
    """Position and day that a digest names."""
    found = _DIGEST.fullmatch(digest)
    if not found:
        msg = "not the digest of a simulation: copy it whole from `mileage rules simulate`"
        raise UnknownDigest(msg)
    try:
        return int(found[1]), date.fromisoformat(found[2]) if found[2] else None
    except ValueError as error:
        msg = f"names no day: {found[2]}"
        raise UnknownDigest(msg) from error


class _Run:
    """One simulation at one position of the ledger."""

    def __init__(
        self,
        model: ReadModel,
        text: str,
        effective_from: date | None,
        as_of: date | None,
        progress: Callable[[str, int, int], None] | None,
    ) -> None:
        self.model, self.ledger, self.as_of, self.progress = model, model.ledger, as_of, progress
        self.rulebook = parse_rulebook(text, activity_infos(self.ledger.kinds))
        self.today = self.ledger.today()
        self.effective_from = effective_from or self.today
        self.position = 0

    def simulation(self, *, named_at: int | None = None) -> Simulation:
        """Run it; its digest names this position, or that of an earlier simulation."""
        if self.model.exists and not self.ledger.read_only:
            with suppress(ReadOnlyLedger, sqlite3.OperationalError, OSError):
                self.model.catch_up()
        self.position = self.ledger.position
        try:
            return self._simulated(named_at or self.position)
        except NotAsKept:
            return self._simulated(named_at or self.position)

    def _simulated(self, named_at: int) -> Simulation:
        proposed = Adoption(self.position + 1, self.today, self.effective_from, self.rulebook)
        with tempfile.TemporaryDirectory(prefix="mileage-") as folder:
            kept = self.model.kept()
            with self._scored(Path(folder) / "after.sqlite", kept, proposed=proposed) as after:
                figures = self._in_service()
                if figures:
                    before = _Side(figures.query, figures)
                    found = self._compared(before, after, named_at)
                    if figures.position == self.position:
                        return found
                    # Somebody has caught up the figures in service meanwhile: compare with some
                    # that stand still.
                path, rules = Path(folder) / "before.sqlite", self._rules_in_service()
                with self._scored(path, kept, rules_upto=rules) as before:
                    return self._compared(before, after, named_at)

    @contextmanager
    def _scored(self, path: Path, kept: Kept, **which: Any) -> Iterator[_Side]:
        """Figures worked out for this, of which programmes are asked in a file."""
        tell = self.progress or (lambda _stage, _done, _all: None)
        with scored(self.ledger, self._part, kept=kept, progress=self.progress, **which) as con:
            publish(con, path, lambda *at: tell("publish", *at), days=self._days(con))

            def ask(statement: str, params: Iterable[Any]) -> list[Any]:
                return con.execute(statement, list(params)).fetchall()

            with closing(Figures(path)) as figures:
                yield _Side(ask, figures)

    def _days(self, con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
        """The days of the periods in which programmes count on the day.

        Whatever else a programme may come to ask of postings has to be among them.
        """
        kinds = con.execute(
            "SELECT DISTINCT period FROM programmes WHERE day_from <= $day AND $day < day_until",
            {"day": day_number(self._day)},
        ).fetchall()
        periods = [Period.around(kind, self._day) for (kind,) in kinds]
        ends = [0, *(period.day_until for period in periods)]
        return min((period.day_from for period in periods), default=0), max(ends)

    @property
    def _day(self) -> date:
        return self.as_of or self.today

    @property
    def _part(self) -> Slice:
        return Slice(upto=self.position, as_of=self.as_of)

    def _in_service(self) -> Figures | None:
        with suppress(NoReadModel):
            figures = self.model.figures()
            meta = figures.meta()
            later = self.as_of and int(meta["last_day"]) > day_number(self.as_of)
            if int(meta["position"]) == self.position and not later:
                return figures
        return None

    def _rules_in_service(self) -> int | None:
        """Position of the latest adoption in the figures; ``None`` where none are published."""
        try:
            return int(self.model.figures().meta()["rules_position"])
        except NoReadModel:
            return None

    def _compared(self, before: _Side, after: _Side, named_at: int) -> Simulation:
        day = self._day
        selections = _selections(before.figures, after.figures, day)
        people = people_changed(after.ask, before.ask)
        units = units_changed(after.ask, before.ask)
        simulation = Simulation(
            rulebook=self.rulebook,
            effective_from=self.effective_from,
            position=self.position,
            as_of=self.as_of,
            day=day,
            pending=int(before.figures.meta()["pending_rulebook"]),
            accounts=accounts_changed(after.ask, before.ask),
            units=units,
            people=people,
            crossings=tuple(_crossings(*selections)),
            costs=tuple(_costs(*selections)),
            unit_labels=after.figures.unit_labels(),
            account_labels={
                each.account: each.label
                for side in (before, after)
                for each in side.figures.accounts()
            },
            digest="",
        )
        return attrs.evolve(simulation, digest=self._digest(simulation, named_at))

    def _digest(self, simulation: Simulation, named_at: int) -> str:
        content: dict[str, Any] = {
            "ledger": self.ledger.stream_of_opening,
            "position": named_at,
            "rulebook": self.rulebook.digest,
            "effective_from": self.effective_from.isoformat(),
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "accounts": [list(attrs.astuple(each)) for each in simulation.accounts],
            "units": [list(attrs.astuple(each)) for each in simulation.units],
            "people": [
                [each.person, each.account, each.before, each.after] for each in simulation.people
            ],
            "crossings": [list(attrs.astuple(each)) for each in simulation.crossings],
            "costs": [list(attrs.astuple(each)) for each in simulation.costs],
        }
        named = [str(named_at), *([self.as_of.isoformat()] if self.as_of else [])]
        return "-".join(
            [*named, hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()]
        )


@attrs.frozen
class _Side:
    """The figures on one side of a comparison.

    Attributes:
        ask: Answers queries on all their tables.
        figures: The same for programmes: postings may be those of their periods only.
    """

    ask: Asking
    figures: Figures


_Selections = dict[str, Selection]


def _selections(before: Figures, after: Figures, day: date) -> tuple[_Selections, _Selections]:
    """The programmes on both sides, without those who are short of the threshold on both."""
    sides = before, after
    names = [programmes(figures, day) for figures in sides]
    found = tuple(
        {name: eligible(figures, name, day, short=()) for name in known}
        for figures, known in zip(sides, names, strict=True)
    )
    for name in set(names[0]) & set(names[1]):
        people = [{each.person for each in selections[name].candidates} for selections in found]
        for figures, selections, short in zip(
            sides, found, (people[1] - people[0], people[0] - people[1]), strict=True
        ):
            if short:
                selections[name] = eligible(figures, name, day, short=short)
    return found[0], found[1]


def _crossings(
    before: Mapping[str, Selection], after: Mapping[str, Selection]
) -> Iterator[Crossing]:
    """Who is in, or reaches the threshold, on one side only."""
    for programme in sorted(before.keys() | after.keys()):
        old, new = _candidates(before.get(programme)), _candidates(after.get(programme))
        for person in sorted(old.keys() | new.keys()):
            one, other = old.get(person), new.get(person)
            if _lines_crossed(one) != _lines_crossed(other):
                yield Crossing(
                    programme,
                    person,
                    _outcome(before.get(programme), one),
                    _outcome(after.get(programme), other),
                    one.points if one else 0,
                    other.points if other else 0,
                    one.grade if one else None,
                    other.grade if other else None,
                    one.value if one else None,
                    other.value if other else None,
                )


def _costs(before: Mapping[str, Selection], after: Mapping[str, Selection]) -> Iterator[Cost]:
    """What each programme whose values have a unit costs, on both sides."""
    for programme in sorted(before.keys() | after.keys()):
        sides = before.get(programme), after.get(programme)
        units = dict.fromkeys(side.terms.unit for side in sides if side and side.terms.unit)
        for unit in units:
            (people, value), (people_after, value_after) = (_cost(side, unit) for side in sides)
            yield Cost(programme, unit, people, people_after, value, value_after)


def _cost(selection: Selection | None, unit: Label) -> tuple[int, int]:
    """How many are selected, and what they get in a unit."""
    if selection is None or selection.terms.unit != unit:
        return 0, 0
    selected = selection.selected
    return len(selected), sum(candidate.value or 0 for candidate in selected)


def _candidates(selection: Selection | None) -> dict[str, Candidate]:
    return {each.person: each for each in selection.candidates} if selection else {}


def _lines_crossed(candidate: Candidate | None) -> tuple[bool, bool, str | None]:
    """Whether somebody is in, whether the threshold is reached, and the grade."""
    if candidate is None:
        return False, False, None
    return candidate.selected, not candidate.missing, candidate.grade


def _outcome(selection: Selection | None, candidate: Candidate | None) -> str:
    if selection is None:
        return NO_PROGRAMME
    return candidate.outcome if candidate else NO_ACTIVITY
