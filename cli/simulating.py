"""A rulebook simulated: what it would change if it were adopted."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click
from mileage.ledger import format_amount
from mileage.projections import MAIN_ACCOUNT, ReadModel, RulebookError, simulate

from .base import COUNT, DAY, Failure, command, option, pass_session
from .figures import telling
from .output import Column, Shown, print_table, show, to_terminal
from .publishing import (
    TERMINAL_ROWS,
    difference_columns,
    difference_json,
    difference_row,
    people_in,
    signed,
)
from .rulebooks import read_text, told
from .texts import OUTCOMES, Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from mileage.ledger import Ledger
    from mileage.projections import Change, Cost, Crossing, Simulation

    from .session import Session

__all__ = ["simulate_command"]

_UNCHANGED = Words("달라지는 것이 없습니다.", "Nothing changes.")
_OUTCOMES = {
    **OUTCOMES,
    "no_activity": Words("활동 없음", "no activity"),
    "no_programme": Words("제도 없음", "no programme"),
}


@command(
    "simulate",
    "규칙집을 채택하면 무엇이 달라지는지 실제 원장으로 미리 계산합니다.\n\n사람·조직·계정별로 이전,"
    " 이후, 증감과 제도의 기준·정원을 넘나들거나 등급이 달라지는 사람, 제도에 드는 비용을"
    " 보입니다. 기록하거나 공표하는 것은 없습니다."
    " 끝에 나오는 지문을 `mileage rules adopt --simulated`에 주면, 살펴본 그대로일 때에만"
    " 채택됩니다.",
    "Work out on the real ledger what adopting a rulebook would change.\n\nShows people, units and"
    " accounts before, after and the difference, who crosses the threshold or quota line of a"
    " programme or changes grade, and what the programmes cost. Nothing is recorded or published."
    " With the digest it ends with, `mileage rules adopt --simulated` adopts only what was looked"
    " at.",
    [
        "mileage rules simulate new.toml --effective-from 2005-07-01",
        "mileage rules simulate new.toml --effective-from 2005-01-01 --as-of 2005-12-31 --json",
    ],
)
@click.argument("file", type=Path)
@option("--effective-from", ko="시행일 [오늘]", en="First day it applies to  [today]", type=DAY)
@option(
    "--as-of",
    ko="이날까지 있었던 일만으로, 제도도 이날 기준으로 [모두, 오늘]",
    en="Only what had happened by that date, and programmes on it  [everything, today]",
    type=DAY,
)
@option(
    "--limit",
    ko=f"사람은 이만큼만; 0은 모두 [화면에서는 {TERMINAL_ROWS}]",
    en=f"Only so many people, 0 for all  [on a terminal {TERMINAL_ROWS}]",
    type=COUNT,
    metavar="N",
)
@pass_session
def simulate_command(
    session: Session,
    file: Path,
    effective_from: date | None,
    as_of: date | None,
    limit: int | None,
) -> None:
    """Simulate a rulebook."""
    text = read_text(file)
    with session.ledger() as ledger, ReadModel(ledger) as model:
        try:
            with telling(session) as tell:
                found = simulate(
                    model, text, effective_from=effective_from, as_of=as_of, progress=tell
                )
        except RulebookError as error:
            for problem in error.problems:
                click.echo(told(file, problem), err=True)
            raise Failure(
                session.pick(Words(f"{file}: 채택할 수 없습니다", f"{file}: cannot be adopted"))
            ) from None
        shown = _Shown(session, ledger, found, limit)
    if session.format == "table":
        shown.tables(file)
    else:
        show(session, shown.document(), _COLUMNS, list(shown.rows()))
    _tell_how_to_go_on(session, file, found, shown.ledger.today())


def _tell_how_to_go_on(session: Session, file: Path, found: Simulation, today: date) -> None:
    if found.pending:
        session.warn(
            f"#{found.pending}로 채택했으나 아직 적용하지 않은 규칙집이 바꾸는 것도 들어 있습니다",
            f"what the rulebook adopted as #{found.pending} changes is in it too, as it waits for"
            " `mileage rebuild`",
        )
    if found.effective_from > found.day and not found.people:
        session.warn(
            f"시행일 {found.effective_from} 뒤에는 기록이 아직 없습니다: 지난 기록으로 보려면"
            " --effective-from에 앞선 날을 주십시오",
            f"nothing has happened since {found.effective_from} yet: to see it on what has, give an"
            " earlier --effective-from",
        )
    named = {unit for rule in found.rulebook.rules for unit in rule.units}
    if unknown := ", ".join(sorted(named - found.unit_labels.keys())):
        session.warn(
            f"규칙에 있는 조직이 원장에 없습니다: {unknown}",
            f"units that rules name and the ledger does not know: {unknown}",
        )
    if session.format == "table":
        reach = ' --reason "…"' if found.effective_from < today else ""
        adopt = (
            f"mileage rules adopt {shlex.quote(str(file))}"
            f" --effective-from {found.effective_from}{reach} --simulated {found.digest}"
        )
        session.note(
            f"#{found.position}까지의 기록; 기록하거나 공표한 것은 없습니다. 이대로 채택하려면:",
            f"up to fact #{found.position}; nothing is recorded or published. To adopt just this:",
        )
        click.echo(f"  {adopt}", err=True)


@attrs.frozen
class _Shown:
    """A simulation as it is shown."""

    session: Session
    ledger: Ledger
    found: Simulation
    limit: int | None
    names: Mapping[str, str] = attrs.field(init=False)

    @names.default
    def _names(self) -> Mapping[str, str]:
        people = {each.person for each in self.found.people}
        people |= {each.person for each in self.found.crossings}
        return {p: entry.name for p, entry in self.ledger.directory.find(people).items()}

    @property
    def _shortened(self) -> int | None:
        if self.limit is None and self.session.format == "table" and to_terminal():
            return TERMINAL_ROWS
        return self.limit or None

    def document(self) -> dict[str, Any]:
        """The simulation as JSON."""
        found = self.found
        return {
            "rulebook": found.rulebook.id,
            "rulebook_digest": found.rulebook.digest,
            "effective_from": found.effective_from.isoformat(),
            "position": found.position,
            "as_of": found.as_of.isoformat() if found.as_of else None,
            "programmes_on": found.day.isoformat(),
            "pending_rulebook": found.pending or None,
            "digest": found.digest,
            "accounts": [_change_json("account", each) for each in found.accounts],
            "units": [_change_json("unit", each) for each in found.units],
            "people": people_in(found.people),
            "differences": [
                difference_json(each, self.names) for each in found.people[: self._shortened]
            ],
            "crossings": [self._crossing_json(each) for each in found.crossings],
            "costs": [_cost_json(each) for each in found.costs],
        }

    def _crossing_json(self, each: Crossing) -> dict[str, Any]:
        return {
            "programme": each.programme,
            "person": each.person,
            "name": self.names.get(each.person),
            "before": {
                "outcome": each.before,
                "points": format_amount(each.points_before),
                "grade": each.grade_before,
                "value": _amount(each.value_before),
            },
            "after": {
                "outcome": each.after,
                "points": format_amount(each.points_after),
                "grade": each.grade_after,
                "value": _amount(each.value_after),
            },
            "gets_in": each.gets_in,
            "drops_out": each.drops_out,
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """Rows of a CSV file: what changes, in all five respects."""
        document = self.document()
        for what, key in (("account", "accounts"), ("unit", "units")):
            for each in document[key]:
                yield {"what": what, **each}
        for each in document["differences"]:
            reasons = (f"{r['rule'] or '-'} {r['before']}>{r['after']}" for r in each["reasons"])
            yield {"what": "person", **each, "reasons": "; ".join(reasons)}
        for crossing in self.found.crossings:
            before, after = crossing.points_before, crossing.points_after
            yield {
                "what": "crossing",
                "programme": crossing.programme,
                "person": crossing.person,
                "name": self.names.get(crossing.person),
                "before": format_amount(before),
                "after": format_amount(after),
                "change": format_amount(after - before),
                "outcome_before": crossing.before,
                "outcome_after": crossing.after,
                "grade_before": crossing.grade_before,
                "grade_after": crossing.grade_after,
            }
        for cost in self.found.costs:
            yield {"what": "cost", **self._cost_row(cost), "change": format_amount(cost.change)}

    def tables(self, file: Path) -> None:
        """Print the simulation as tables, people last so that the end is in sight."""
        found, session = self.found, self.session
        words = Words(
            f"{file} ({found.rulebook.id}), {found.effective_from}부터 시행할 때",
            f"{file} ({found.rulebook.id}), effective from {found.effective_from}",
        )
        click.echo(click.style(session.pick(words), bold=True))
        self._table(
            Words("계정", "Accounts"),
            [Column("account", wraps=True), *_NUMBERS],
            [self._change_row("account", each) for each in found.accounts],
        )
        self._table(
            Words("조직", "Units"),
            _columns("unit", found.units),
            [self._change_row("unit", each) for each in found.units],
        )
        self._table(
            Words(f"제도 ({found.day} 기준)", f"Programmes (on {found.day})"),
            _CROSSINGS,
            [self._crossing_row(each) for each in found.crossings],
        )
        self._table(
            Words(
                "비용 (선정되는 사람이 받을 값의 합)",
                "Costs (what those selected would get, added up)",
            ),
            _COSTS,
            [self._cost_row(each) for each in found.costs],
            Words("값을 주는 제도가 없습니다.", "No programme has values."),
        )
        shown = found.people[: self._shortened]
        columns = difference_columns(shown)
        rows = [difference_row(each, self.names) for each in shown]
        self._table(Words("사람", "People"), columns, rows)
        gain = people_in(each for each in found.people if each.change > 0)
        lose = people_in(each for each in found.people if each.change < 0)
        more = len(found.people) - len(shown)
        if more:
            session.note(f"(그 밖에 {more:,}건; --limit 0)", f"(and {more:,} more; --limit 0)")
        session.note(
            f"늘어나는 사람 {gain:,}명, 줄어드는 사람 {lose:,}명",
            f"{gain:,} gain, {lose:,} lose",
        )

    def _table(
        self,
        head: Words,
        columns: Sequence[Column],
        rows: list[dict[str, Any]],
        empty: Words = _UNCHANGED,
    ) -> None:
        click.echo(f"\n{click.style(self.session.pick(head), bold=True)}")
        if rows:
            print_table(self.session, columns, rows)
        else:
            click.echo(self.session.pick(empty))

    def _change_row(self, column: str, each: Change) -> dict[str, Any]:
        nowhere = Words("(소속 없음)", "(no unit)")
        account = column == "account"
        labels = self.found.account_labels if account else self.found.unit_labels
        label = labels.get(each.code, Words(each.code, each.code)) if each.code else nowhere
        return {
            **_change_json(column, each),
            column: Shown(each.code or "", self.session.pick(label)),
            "change": signed(each.change),
        }

    def _crossing_row(self, each: Crossing) -> dict[str, Any]:
        points = (each.points_before, each.points_after)
        before, after = map(format_amount, points)
        return {
            "programme": each.programme,
            "person": each.person,
            "name": self.names.get(each.person),
            "before": before,
            "after": after,
            "change": signed(points[1] - points[0]),
            **{
                column: Shown(code, self.session.pick(_OUTCOMES.get(code, Words(code, code))))
                for column, code in (("outcome_before", each.before), ("outcome_after", each.after))
            },
            "grade_before": self._grade(each.grade_before),
            "grade_after": self._grade(each.grade_after),
        }

    def _grade(self, grade: str | None) -> Shown | None:
        if grade is None:
            return None
        label = self.found.rulebook.labels.get(grade)
        return Shown(grade, self.session.pick(label) if label else grade)

    def _cost_row(self, each: Cost) -> dict[str, Any]:
        return {
            "programme": each.programme,
            "measured_in": Shown(each.unit.en, self.session.pick(each.unit)),
            "selected_before": each.selected_before,
            "selected_after": each.selected_after,
            "before": format_amount(each.before),
            "after": format_amount(each.after),
            "change": signed(each.change),
        }


def _change_json(column: str, each: Change) -> dict[str, Any]:
    return {
        column: each.code,
        "account": each.account,
        "before": format_amount(each.before),
        "after": format_amount(each.after),
        "change": format_amount(each.change),
    }


def _cost_json(each: Cost) -> dict[str, Any]:
    return {
        "programme": each.programme,
        "unit": {"ko": each.unit.ko, "en": each.unit.en},
        "selected": {"before": each.selected_before, "after": each.selected_after},
        "before": format_amount(each.before),
        "after": format_amount(each.after),
        "change": format_amount(each.change),
    }


def _amount(units: int | None) -> str | None:
    return None if units is None else format_amount(units)


_NUMBERS = tuple(Column(name, number=True) for name in ("before", "after", "change"))
_LINES = (Column("outcome_before", wraps=True), Column("outcome_after", wraps=True))
_GRADES = (Column("grade_before", wraps=True), Column("grade_after", wraps=True))
_SELECTED = (Column("selected_before", number=True), Column("selected_after", number=True))
_CROSSINGS = (
    *(Column("programme"), Column("person"), Column("name", wraps=True)),
    *(*_NUMBERS, *_LINES, *_GRADES),
)
_COSTS = (Column("programme"), *_SELECTED, *_NUMBERS, Column("measured_in", wraps=True))
_COLUMNS = (
    *(Column(name) for name in ("what", "account", "unit", "programme", "person", "name")),
    *_NUMBERS,
    *_LINES,
    Column("reasons"),
    *_GRADES,
    *_SELECTED,
    Column("measured_in"),
)


def _columns(name: str, changes: Sequence[Change]) -> list[Column]:
    several = any(each.account != MAIN_ACCOUNT for each in changes)
    accounts = [Column("account")] if several else []
    return [Column(name, wraps=True), *accounts, *_NUMBERS]
