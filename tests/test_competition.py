"""Nothing is lost and nothing counts twice, however units merge, split and people move."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from mileage.ledger import KeyConflict, MemberTransferred, Refused, UnitEstablished
from mileage.ledger.fields import Label
from mileage.ledger.kinds.unit import UnitMerged, UnitSplit
from mileage.projections.evaluations import EvaluationStatus
from mileage.projections.gathering import Gathered
from mileage.projections.rulebook import Group
from mileage.projections.standing import standing_facts
from mileage.projections.structure import Service, Structure
from story import Office

UNITS = ("U0", "U1", "U2", "U3", "U4")
FIRST, LAST = date(2005, 1, 1), date(2005, 12, 31)
numbers = st.integers(0, 4)
happenings = st.lists(
    st.tuples(
        st.integers(1, 40), st.sampled_from(("moves", "does", "merges", "splits")), numbers, numbers
    ),
    max_size=25,
)


def play(office: Office, told: list[tuple[int, str, int, int]]) -> int:
    """Record what happens, in order of date; return how many proposals there were in the year."""
    day, proposals = FIRST, 0
    for passed, what, one, other in told:
        day += timedelta(days=passed)
        person, unit, into = "ABCD"[one % 4], UNITS[one], UNITS[other]
        third = UNITS[(other + 1) % len(UNITS)]
        try:
            match what:
                case "moves":
                    office.record(day.isoformat(), MemberTransferred(person, into))
                case "merges":
                    office.record(day.isoformat(), UnitMerged(unit, into))
                case "splits":
                    office.record(day.isoformat(), UnitSplit(unit, (into, third)))
                case _:
                    office.proposes(day.isoformat(), day.isoformat(), person)
                    proposals += day <= LAST
        except (KeyConflict, Refused):
            continue
    return proposals


@settings(max_examples=25)
@given(told=happenings)
def test_days_and_activities_are_conserved(told):
    """Every day served and every activity counts for exactly one of the units that are left."""
    with tempfile.TemporaryDirectory() as folder:
        office = Office(Path(folder))
        for unit in UNITS:
            office.record("2000-02-01", UnitEstablished(unit, unit, unit))
        for person, unit in zip("ABCD", UNITS, strict=False):
            office.record("2000-02-01", MemberTransferred(person, unit))
        proposals = play(office, told)
        office.now = max(office.now, datetime(2006, 1, 5, tzinfo=UTC))
        office.model.catch_up()
        figures = office.model.figures()

        ends = ("unit.established", "unit.merged", "unit.split")
        facts = standing_facts(office.ledger, ends)
        status = EvaluationStatus("2005", "2005", FIRST, LAST, None)
        structure, service = Structure.of(facts), Service.of(figures)
        gathered = Gathered(facts, figures, status, LAST, structure, service)
        group = Group("all", Label("", ""), UNITS, 1)
        basis = gathered.basis(group, [group])

        assert set(basis.units) == {unit for unit in UNITS if structure.stands(unit, LAST)}
        tallies = basis.tallies.values()
        assert sum(tally.person_days for tally in tallies) == 4 * 365
        assert sum(sum(tally.counts.values()) for tally in tallies) == proposals
        office.close()
