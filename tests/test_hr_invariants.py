"""Invariants where figures lead to HR, each by its number."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor import Audit
from hr_strategies import HrPlay, HrSystem, hr_steps
from hypothesis import given, settings
from hypothesis import strategies as st
from mileage.ledger import to_units
from mileage.projections import (
    Outbox,
    ReadModel,
    RulebookError,
    acknowledge,
    available,
    decisions,
    entitlements,
    find_profile,
    shipped_profiles,
)
from strategies import PEOPLE, rulebooks
from test_invariants import built, examples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from mileage.projections import Figures


@contextmanager
def opened(text: str) -> Iterator[tuple[HrPlay, ReadModel]]:
    """A ledger with a rulebook in service."""
    with (
        tempfile.TemporaryDirectory(prefix="mileage-test-") as folder,
        HrPlay(Path(folder) / "agency.sqlite") as play,
        ReadModel(play.ledger) as model,
    ):
        play.adopt_rulebook(text, reach_days=300)
        model.rebuild()
        yield play, model


@examples(15)
@given(hr_steps(), rulebooks())
def test_3_registers_caught_up_are_those_rebuilt(history, text):
    """2, 3: Decisions, awards and redemptions caught up one by one are those of a rebuild."""
    with opened(text) as (play, model):
        play.run(history, model.catch_up)
        with built(play.ledger) as figures:
            assert figures.content_digest() == model.figures().content_digest()


def naive(audit: Audit) -> tuple[dict[tuple[str, str, str], list[Any]], dict[str, int]]:
    """The latest decisions and what people redeemed, of an auditor's facts, one by one."""
    decided: dict[tuple[str, str, str], list[Any]] = {}
    redeemed = dict.fromkeys(PEOPLE, 0)
    made: dict[str, tuple[str, int]] = {}
    for item in audit.facts:
        kind, data = item.fact.kind.name, item.fact.data
        if audit.voided_by(item):
            continue
        if kind.startswith("entitlement."):
            thing = (data.programme, data.cycle, data.person)
            decided[thing] = [kind.partition(".")[2], item.fact.occurred_on, item.fact.recorded_by]
        elif kind == "redemption.made":
            made[data.redemption] = (data.person, to_units(data.redeemed_points))
            redeemed[data.person] += made[data.redemption][1]
        elif kind == "redemption.reversed":
            person, points = made[data.redemption]
            redeemed[person] -= points
    return decided, {person: points for person, points in redeemed.items() if points}


def found(figures: Figures) -> tuple[dict[tuple[str, str, str], list[Any]], dict[str, int]]:
    """The same, of the read model."""
    decided = {
        (each.programme, each.cycle, each.person): [each.stage, each.decided_on, each.decided_by]
        for each in decisions(figures)
    }
    people = [person for (person,) in figures.query("SELECT person FROM people")]
    return decided, {
        person: points for person in people if (points := available(figures, person).redeemed)
    }


@examples(10)
@given(hr_steps(20), rulebooks(), st.data())
def test_6_registers_by_two_clocks(history, text, data):
    """6: As of a day and as known at an instant, registers are those of the facts by then."""
    with opened(text) as (play, model):
        play.run(history)
        model.catch_up()
        facts = [item.fact for item in play.ledger.facts()]
        days = st.sampled_from(sorted({fact.occurred_on for fact in facts}))
        instants = st.sampled_from(sorted({fact.recorded_at for fact in facts}))
        as_of: date | None = data.draw(st.none() | days)
        known_at: datetime | None = data.draw(st.none() | instants)
        try:
            with model.figures_at(as_of=as_of, known_at=known_at) as figures:
                audit = Audit(play.ledger, as_of=as_of, known_at=known_at)
                assert found(figures) == naive(audit)
        except RulebookError:
            pass


# What HR does after each step: whether a batch is cut, in full, in which columns and format, which
# one it answers and how.
FILES = [
    find_profile(name).written_as(form)
    for name in shipped_profiles()
    for form in ("csv", "jsonl", "parquet", "xlsx")
]
dealings = st.tuples(
    st.booleans(),
    st.integers(0, 7),
    st.sampled_from(FILES),
    st.integers(0, 100),
    st.integers(0, 2**16),
    st.booleans(),
)


@examples(12)
@given(hr_steps(15, 40), rulebooks(), rulebooks(), st.lists(dealings, min_size=40, max_size=40))
def test_9_hr_adds_up(history, text, later, dealt):
    """9: What HR has accepted is what holds, less what is out and what is due; in the end all."""
    with opened(text) as (play, model):
        folder = play.path.parent / "hr"
        outbox, hr = Outbox(play.ledger), HrSystem(folder)
        for index, (step, (cut, full, profile, which, how, repeat)) in enumerate(
            zip(history, dealt, strict=False)
        ):
            play.step(step)
            if index == len(history) // 2 and play.adopt_rulebook(later, reach_days=200):
                model.rebuild()
            model.catch_up()
            figures = model.figures()
            if cut:
                day, whole = play.today, full == 0
                batch = outbox.cut(figures, folder, as_of=day, profile=profile, full=whole)
                if batch:
                    hr.take(batch.sequence)
            if hr.read:
                sequence = 1 + which % len(hr.read)
                _answered(hr, outbox, sequence, how, repeat=repeat)
            _check_sums(hr, outbox, figures, play.today)
        for _ in range(2):  # the last rejections go out again in the second round
            batch = outbox.cut(model.figures(), folder, as_of=play.today)
            if batch:
                hr.take(batch.sequence)
            for sequence in hr.read:
                _answered(hr, outbox, sequence, -1, repeat=False)
        assert outbox.cut(model.figures(), folder, as_of=play.today) is None
        held = {key: units for key, units in hr.holds.items() if units}
        assert held == _plain(entitlements(model.figures()))


def test_the_histories_lead_to_hr():
    """Histories that are drawn do lead to decisions, awards and redemptions that stand."""
    kinds: set[str] = set()

    @settings(max_examples=10, database=None, deadline=None, derandomize=True)
    @given(hr_steps(40, 45))
    def play_some(history: list[Any]) -> None:
        with tempfile.TemporaryDirectory() as folder, HrPlay(Path(folder) / "a.sqlite") as play:
            kinds.update(item.fact.kind.name for item in play.run(history).recorded)

    play_some()
    assert {
        *("entitlement.granted", "entitlement.approved", "entitlement.revoked"),
        *("award.granted", "award.withdrawn", "redemption.made", "redemption.reversed"),
    } <= kinds


def _answered(hr: HrSystem, outbox: Outbox, sequence: int, how: int, *, repeat: bool) -> None:
    path = hr.inbox.parent / "ack.csv"
    hr.answer(path, sequence, how, repeat=repeat)
    acknowledge(outbox, path)


def _plain(amounts: Any) -> dict[tuple[str, ...], int]:
    return {(k.person, k.programme, k.code, k.for_period): v for k, v in amounts.items()}


def _check_sums(hr: HrSystem, outbox: Outbox, figures: Figures, day: date) -> None:
    """Accepted + out + due = entitled, key by key; and the outbox knows what HR knows."""
    status = outbox.status(figures, day)
    accepted: dict[tuple[str, ...], int] = {}
    sums: dict[tuple[str, ...], int] = {}
    for batch in outbox.batches():
        for line in batch.lines:
            key = (line.key.person, line.key.programme, line.key.code, line.key.for_period)
            if line.status == "accepted":
                accepted[key] = accepted.get(key, 0) + line.delta
            if line.status != "rejected":
                sums[key] = sums.get(key, 0) + line.delta
    for line in status.due:
        key = (line.key.person, line.key.programme, line.key.code, line.key.for_period)
        sums[key] = sums.get(key, 0) + line.delta
    assert {k: v for k, v in sums.items() if v} == _plain(entitlements(figures))
    assert {k: v for k, v in accepted.items() if v} == {k: v for k, v in hr.holds.items() if v}
