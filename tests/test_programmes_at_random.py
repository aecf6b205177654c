"""All programmes at once: whatever an office does, the figures are those of the naive auditor."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

from auditor import ACTIVITIES, WITHDRAWN_BY, Audit
from compared import audit_lines, balances, model_lines
from driver import NOT_DRIVEN, Driver
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from mileage.ledger.kinds import kinds
from mileage.projections import ReadModel
from mileage.projections.build import build_read_model
from mileage.projections.figures import Figures

CATEGORIES = sorted({k.category for k in kinds if not k.name.startswith(NOT_DRIVEN) and k.category})


class Programmes(RuleBasedStateMachine):
    """An office that does anything, corrects it and changes its rules."""

    @initialize(seed=st.integers(0, 1_000_000))
    def opens(self, seed):
        """The office opens, with a rulebook."""
        self.folder = tempfile.TemporaryDirectory(prefix="mileage-test-")
        self.driver = Driver(Path(self.folder.name) / "office.sqlite", Random(seed))  # noqa: S311 - no secret
        self.driver.adopt()
        self.model = ReadModel(self.driver.ledger)
        self.model.rebuild()

    @rule(categories=st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=12))
    def happens(self, categories):
        """Something happens in some programmes."""
        for category in categories:
            self.driver.happens(category)

    @rule(category=st.sampled_from(CATEGORIES))
    def goes_on(self, category):
        """One programme goes on for a while."""
        for _ in range(8):
            self.driver.happens(category)

    @rule()
    def voids(self):
        """A fact is voided."""
        self.driver.void()

    @precondition(lambda self: len(self.driver.recorded) > 20)
    @rule()
    def adopts(self):
        """The rules change."""
        self.driver.adopt()
        self.model.rebuild()

    @rule()
    def looks(self):
        """The figures, caught up, are the auditor's, line by line."""
        self.model.catch_up()
        figures, audit = self.model.figures(), Audit(self.driver.ledger)
        assert model_lines(figures) == audit_lines(audit)
        assert balances(figures) == audit.balances()

    def teardown(self):
        """At last they are also those of a rebuild."""
        if not hasattr(self, "driver"):
            return
        try:
            self.looks()
            path = Path(self.folder.name) / "rebuilt.sqlite"
            build_read_model(self.driver.ledger, path)
            rebuilt = Figures(path)
            try:
                assert rebuilt.content_digest() == self.model.figures().content_digest()
            finally:
                rebuilt.close()
        finally:
            self.model.close()
            self.driver.ledger.close()
            self.folder.cleanup()


def test_all_programmes_at_random():
    """Whatever happens in any programme, catch-up, rebuild and auditor agree line by line."""
    run_state_machine_as_test(
        Programmes,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            phases=[Phase.generate],  # a seed does not shrink
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_auditor_knows_every_activity():
    """What becomes an activity, and what takes one back, stands in the auditor's own tables."""
    ours = [kind for kind in kinds if not kind.name.startswith(NOT_DRIVEN)]
    assert {kind.name for kind in ours if kind.activity} == set(ACTIVITIES)
    withdrawn = {name for kind in ours for name in kind.withdraws}
    assert withdrawn == set(WITHDRAWN_BY)


def test_the_driver_reaches_every_kind(tmp_path):
    """Given time, the driver has facts of every kind accepted; so the test above is no pretence."""
    driver = Driver(tmp_path / "office.sqlite", Random(2005))  # noqa: S311 - no secret
    wanted = {k.name for k in kinds if not k.name.startswith(NOT_DRIVEN)}
    with driver.ledger:
        for turn in range(1_200):
            for category in CATEGORIES:
                if category not in ("member", "unit") or turn % 5 == 0:
                    driver.happens(category)
            reached = {item.fact.kind.name for item in driver.recorded}
            if reached >= wanted:
                break
    assert sorted(wanted - reached) == []
