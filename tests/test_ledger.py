"""The ledger as its users see it: record, correct, read back, on one file from many sides."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mileage.ledger import (
    Command,
    FactVoided,
    InvalidFact,
    KeyConflict,
    Ledger,
    LedgerFileError,
    LedgerOpened,
    MemberJoined,
    MemberPromoted,
    ProposalAdopted,
    ProposalSubmitted,
    ReadOnlyLedger,
    Recorded,
    Refused,
    UnitEstablished,
    shares,
)
from mileage.ledger.ledger import voided_keys

from .conftest import NOON, new_ledger

MARCH = date(2005, 3, 2)
MAY = date(2005, 5, 2)
JUNE = date(2005, 6, 1)


def submitted(number=1, title="Fewer forms", person="P1"):
    return ProposalSubmitted(f"2005-{number}", title, "online", shares({person: 100}))


def told(ledger):
    """What the ledger says: keys, dates and data in order."""
    return [(each.fact.key, each.fact.occurred_on, each.fact.data) for each in ledger.facts()]


class TestRecording:
    @given(
        orders=st.lists(
            st.tuples(
                st.integers(1, 6),
                st.sampled_from(["A", "B"]),
                st.sampled_from([MARCH, MAY]),
                st.booleans(),
            ),
            max_size=25,
        )
    )
    def test_invariant_1(self, tmp_path_factory, orders):
        """Invariant 1: what is accepted is stored once, in order; sent again it changes nothing."""
        expected = {}
        with new_ledger(tmp_path_factory.mktemp("ledger")) as ledger:
            before = told(ledger)
            for number, title, day, reopen in orders:
                key = f"proposal.submitted:2005-{number}"
                wanted = (key, day, submitted(number, title))
                position = ledger.position
                if expected.setdefault(key, wanted) == wanted:
                    recorded = ledger.record(wanted[2], on=day, by="officer")
                    assert recorded.fact.data == wanted[2]
                    assert recorded.new is (ledger.position > position)
                else:
                    with pytest.raises(KeyConflict, match=f"key '{key}' already names fact #"):
                        ledger.record(wanted[2], on=day, by="officer")
                    assert ledger.position == position
                assert told(ledger) == before + list(expected.values())
                if reopen:
                    with Ledger.open(ledger.path) as other:
                        assert told(other) == told(ledger)

    @given(order=st.permutations(range(8)), again=st.lists(st.integers(0, 7), max_size=8))
    def test_one_transaction_is_as_many(self, tmp_path_factory, order, again):
        """Invariant 1: facts recorded together are the facts recorded one by one."""
        commands = [Command(submitted(n), MARCH, "officer") for n in [*order, *again]]
        with new_ledger(tmp_path_factory.mktemp("ledger")) as together:
            found = together.record_all(commands)
            with new_ledger(tmp_path_factory.mktemp("ledger")) as apart:
                single = [apart.record(each.data, on=MARCH, by="officer") for each in commands]
                assert [*apart.facts()][1:] == [*together.facts()][1:]
            assert [(each.position, each.new) for each in found] == [
                (each.position, each.new) for each in single
            ]
            assert [each.new for each in found] == [True] * 8 + [False] * len(again)

    def test_a_transaction_is_all_or_nothing(self, ledger):
        """One refused command among many leaves nothing of the others."""
        before = told(ledger)
        commands = [Command(submitted(n), MARCH, "officer") for n in range(10)]
        with pytest.raises(Refused, match=r"member\.unknown"):
            ledger.record_all([*commands, Command(submitted(99, person="P9"), MARCH, "officer")])
        assert told(ledger) == before
        assert ledger.state("proposal:2005-1") is None

    def test_a_transaction_left_by_an_error_is_rolled_back(self, ledger):
        """Whatever error leaves a writer's block, nothing added in it stays."""
        before = ledger.position

        def interrupted():
            with ledger.writer() as writer:
                writer.add(Command(submitted(), MARCH, "officer"))
                writer.flush()
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert ledger.position == before
        assert ledger.record(submitted(), on=MARCH, by="officer").position == before + 1

    def test_facts_of_one_transaction_become_known_together(self, ledger):
        """All facts of a transaction have one instant; later ones have a later instant."""
        ticks = (NOON + timedelta(seconds=n) for n in range(100))
        ledger.clock = lambda: next(ticks)
        ledger.record_all([Command(submitted(n), MARCH, "officer") for n in range(3)])
        ledger.record(submitted(3), on=MARCH, by="officer")
        instants = [each.fact.recorded_at for each in ledger.facts()][-4:]
        assert instants[0] == instants[1] == instants[2] < instants[3]

    def test_the_envelope_is_kept(self, ledger):
        """A fact carries when, by whom, from where and under which key it was recorded."""
        recorded = ledger.record(submitted(), on=MARCH, by="clerk", source="paper", key="letter-1")
        assert ledger.by_key("letter-1") == attrs.evolve(recorded, new=False)
        fact = recorded.fact
        assert (fact.recorded_by, fact.source, fact.key) == ("clerk", "paper", "letter-1")
        assert (fact.occurred_on, fact.recorded_at) == (MARCH, NOON)
        assert ledger.by_key("letter-2") is None

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"on": datetime(2005, 3, 2, tzinfo=UTC)}, "occurred_on"),
            ({"on": "2005-03-02"}, "occurred_on"),
            ({"by": ""}, "recorded_by"),
            ({"source": "a\0b"}, "source"),
            ({"key": " "}, "key"),
            ({"key": "k" * 401}, "key"),
        ],
    )
    def test_an_unfit_envelope_is_refused(self, ledger, changes, field):
        """A date that is none, and an empty or overlong text about the fact, are refused."""
        with pytest.raises(InvalidFact) as invalid:
            ledger.record(submitted(), **{"on": MARCH, "by": "officer", **changes})
        assert invalid.value.field == field

    def test_mentions(self, ledger):
        """The facts that name a person are found, not those that only contain the same word."""
        ledger.record(submitted(1, person="P2"), on=MARCH, by="P2")
        ledger.record(submitted(2, title="P2"), on=MARCH, by="officer")
        found = [each.fact.key for each in ledger.mentions("P2")]
        assert found == ["member.joined:P2:2000-03-02", "proposal.submitted:2005-1"]

    def test_reading_a_part(self, ledger):
        """Facts can be read after a position, up to one, and by topic."""
        ledger.record(submitted(), on=MARCH, by="officer")
        joined = [each.position for each in ledger.facts(topics=["member.joined"])]
        assert joined == [4, 5, 6]
        assert [each.position for each in ledger.facts(4, upto=6)] == [5, 6]
        assert [*ledger.facts(ledger.position)] == []


class TestCorrections:
    def test_a_void_fact_no_longer_counts_and_stays_on_record(self, ledger):
        """Voiding takes a fact out of the state, and leaves it in the stream."""
        key = ledger.record(submitted(), on=MARCH, by="officer").fact.key
        void = ledger.void(key, reason="typo", on=MAY, by="chief")
        assert ledger.state("proposal:2005-1") is None
        assert [each.fact.key for each in ledger.stream("proposal:2005-1")] == [
            key,
            void.fact.key,
        ]
        again = submitted(title="Still fewer forms")
        assert ledger.record(again, on=MAY, by="officer", key="corrected").new

    def test_a_voided_void_makes_the_fact_stand_again(self, ledger):
        """Voiding the correction restores the fact; a second correction needs its own key."""
        key = ledger.record(submitted(), on=MARCH, by="officer").fact.key
        void = ledger.void(key, reason="typo", on=MAY, by="chief").fact.key
        ledger.void(void, reason="no typo", on=JUNE, by="chief")
        assert ledger.state("proposal:2005-1").stage == "submitted"
        with pytest.raises(KeyConflict):
            ledger.void(key, reason="typo after all", on=JUNE, by="chief")
        ledger.void(key, reason="typo after all", on=JUNE, by="chief", key="void-2")
        assert ledger.state("proposal:2005-1") is None

    def test_the_same_correction_twice_is_one(self, ledger):
        """A correction sent again is recognised."""
        key = ledger.record(submitted(), on=MARCH, by="officer").fact.key
        first = ledger.void(key, reason="typo", on=MAY, by="chief")
        again = ledger.void(key, reason="typo", on=MAY, by="chief")
        assert (first.position, first.new, again.position, again.new) == (
            again.position,
            True,
            first.position,
            False,
        )

    @pytest.mark.parametrize(
        ("rule", "key", "day"),
        [
            ("correction.before-the-fact", "proposal.submitted:2005-1", date(2005, 3, 1)),
            ("fact.in-the-future", "proposal.submitted:2005-1", date(2005, 12, 21)),
            ("correction.unknown-fact", "proposal.submitted:2005-9", MAY),
            ("correction.already-void", "proposal.submitted:2005-2", MAY),
            ("correction.rested-upon", "proposal.submitted:2005-1", MAY),
            ("correction.rested-upon", "member.joined:P1:2000-03-02", MAY),
            ("correction.rested-upon", "unit.established:HQ", MAY),
            ("correction.opening", "ledger.opened", MAY),
        ],
    )
    def test_refused_corrections(self, ledger, rule, key, day):
        """A correction too early, of nothing, of a void fact or under other facts is refused."""
        if key == "ledger.opened":
            key = next(ledger.facts()).fact.key
        ledger.record(submitted(), on=MARCH, by="officer")
        ledger.record(ProposalAdopted("2005-1", "gold"), on=MAY, by="officer")
        ledger.record(submitted(2), on=MARCH, by="officer")
        ledger.void("proposal.submitted:2005-2", reason="typo", on=MAY, by="chief")
        before = ledger.position
        with pytest.raises(Refused) as refused:
            ledger.record(FactVoided(key, "typo"), on=day, by="chief", key="own-key")
        assert refused.value.rule == rule
        assert ledger.position == before

    def test_facts_are_taken_back_from_the_last_to_the_first(self, ledger):
        """Once what rests on a fact is void, the fact can be voided as the refusal says."""
        ledger.record(submitted(person="P3"), on=MARCH, by="officer")
        with pytest.raises(Refused, match="void that one first"):
            ledger.void("member.joined:P3:2000-03-02", reason="nobody", on=MAY, by="chief")
        ledger.void("proposal.submitted:2005-1", reason="typo", on=MAY, by="chief")
        ledger.void("member.joined:P3:2000-03-02", reason="nobody", on=MAY, by="chief")
        assert ledger.state("member:P3") is None

    def test_corrections_within_a_transaction(self, ledger):
        """A fact can be recorded, corrected and recorded anew in one transaction."""
        ledger.record_all(
            [
                Command(submitted(), MARCH, "officer"),
                Command(FactVoided("proposal.submitted:2005-1", "typo"), MAY, "officer"),
                Command(submitted(title="Other"), MAY, "officer", key="corrected"),
                Command(ProposalAdopted("2005-1", "gold"), JUNE, "officer"),
            ]
        )
        assert ledger.state("proposal:2005-1").stage == "adopted"
        assert [each.fact.originator_version for each in ledger.stream("proposal:2005-1")] == [
            1,
            2,
            3,
            4,
        ]

    @given(st.lists(st.integers(0, 9), min_size=1, max_size=10))
    def test_voids_of_voids(self, targets):
        """Invariant 1: a fact is void if, and only if, a standing correction voids it."""
        voids = [(f"v{n}", f"v{target}" if target < n else "f") for n, target in enumerate(targets)]
        gone = voided_keys(voids)
        for key in {"f", *(key for key, _ in voids)}:
            standing = [each for each, target in voids if target == key and each not in gone]
            assert (key in gone) is bool(standing)


class TestManySides:
    def test_two_ledgers_on_one_file_take_turns(self, ledger):
        """Two objects on one file see each other's facts at once, in either order."""
        with Ledger.open(ledger.path, clock=ledger.clock) as other:
            for number, writer in enumerate([ledger, other, other, ledger]):
                writer.record(submitted(number), on=MARCH, by="officer")
            assert told(other) == told(ledger)
            adopted = ProposalAdopted("2005-1", "gold")
            assert other.record(adopted, on=MAY, by="officer").new
            assert not ledger.record(adopted, on=MAY, by="officer").new
            with pytest.raises(Refused, match="already-decided"):
                ledger.record(adopted, on=MAY, by="officer", key="again")

    def test_a_race_for_the_same_facts_has_no_duplicates(self, ledger):
        """Two objects recording the same facts in opposite order store each exactly once."""
        orders = [list(range(30)), list(range(30))[::-1]]
        start = threading.Barrier(2)

        def run(order):
            with Ledger.open(ledger.path, clock=ledger.clock) as own:
                start.wait()
                return [own.record(submitted(n), on=MARCH, by="o").new for n in order]

        with ThreadPoolExecutor(2) as pool:
            new = [*pool.map(run, orders)]
        assert sum(map(sum, new)) == 30
        keys = [key for key, _, _ in told(ledger)]
        assert len(keys) == len(set(keys)) == 36

    def test_threads_read_while_one_writes(self, ledger):
        """Readers see only whole transactions, in one order, while another thread writes."""
        begin, done = ledger.position, threading.Event()

        def write():
            for start in range(0, 200, 10):
                commands = [Command(submitted(start + n), MARCH, "o") for n in range(10)]
                ledger.record_all(commands)
            done.set()

        def read():
            seen = [0]
            while not done.is_set():
                seen.append(len([*ledger.facts(begin)]))
            return seen

        with ThreadPoolExecutor(4) as pool:
            readers = [pool.submit(read) for _ in range(3)]
            pool.submit(write).result()
            counts = [reader.result() for reader in readers]
        for seen in counts:
            assert all(count % 10 == 0 for count in seen)
            assert all(before <= after for before, after in pairwise(seen))
        assert len([*ledger.facts(begin)]) == 200

    def test_a_ledger_reopened_says_the_same(self, ledger):
        """Closed and opened again, a ledger has the same facts, zone, owner and identity."""
        ledger.record(submitted(), on=MARCH, by="officer")
        before, stream = [*ledger.facts()], ledger.stream_of_opening
        ledger.close()
        with Ledger.open(ledger.path) as again:
            assert [*again.facts()] == before
            assert again.stream_of_opening == stream
            assert again.organisation == "중소기업청"
            assert str(again.time_zone) == "Asia/Seoul"

    def test_read_only(self, ledger):
        """A ledger opened for reading only answers, and refuses to record."""
        with Ledger.open(ledger.path, read_only=True) as reader:
            assert told(reader) == told(ledger)
            with pytest.raises(ReadOnlyLedger, match="open for reading only"):
                reader.record(submitted(), on=MARCH, by="officer")


class TestTime:
    @pytest.mark.parametrize(
        ("instant", "today"),
        [
            (datetime(2005, 12, 31, 14, 59, 59, tzinfo=UTC), date(2005, 12, 31)),
            (datetime(2005, 12, 31, 15, 0, 0, tzinfo=UTC), date(2006, 1, 1)),
        ],
    )
    def test_invariant_6(self, ledger, instant, today):
        """Invariant 6: 31 December 23:59 in Seoul is in the old year, midnight in the new one."""
        ledger.clock = lambda: instant
        assert ledger.today() == today
        assert ledger.record(submitted(1), on=today, by="officer").new
        with pytest.raises(Refused, match="in-the-future"):
            ledger.record(submitted(2), on=today + timedelta(days=1), by="officer")

    @pytest.mark.parametrize("zone", ["Seoul", "", "../etc/passwd", "a\0b"])
    def test_an_unknown_zone(self, tmp_path, zone):
        """A ledger is not made in a zone that does not exist."""
        with pytest.raises(InvalidFact, match="time_zone"):
            Ledger.create(tmp_path / "new.sqlite", organisation="A", time_zone=zone)
        assert not list(tmp_path.iterdir())

    def test_another_zone_is_kept(self, tmp_path):
        """The zone given when a ledger is made is the one of its days, for good."""
        path = tmp_path / "ny.sqlite"
        Ledger.create(path, organisation="A", time_zone="America/New_York").close()
        instant = datetime(2005, 7, 1, 3, 0, tzinfo=UTC)
        with Ledger.open(path, clock=lambda: instant) as ledger:
            assert ledger.today() == date(2005, 6, 30)


class TestMaking:
    def test_an_existing_file_is_never_replaced(self, ledger):
        """A ledger is not made over a file that exists."""
        before = told(ledger)
        with pytest.raises(LedgerFileError, match="exists already"):
            Ledger.create(ledger.path, organisation="B")
        assert told(ledger) == before

    def test_a_ledger_that_cannot_be_made_leaves_no_file(self, tmp_path):
        """An unfit name of the organisation, or a missing folder, leaves nothing behind."""
        with pytest.raises(InvalidFact, match="organisation"):
            Ledger.create(tmp_path / "a.sqlite", organisation="")
        with pytest.raises(LedgerFileError, match="cannot be made") as error:
            Ledger.create(tmp_path / "no" / "a.sqlite", organisation="A")
        assert str(tmp_path) not in str(error.value)
        assert not list(tmp_path.iterdir())

    def test_the_first_fact_opens_the_ledger(self, ledger):
        """The first fact says whose ledger it is, and the stream that identifies it."""
        first = next(ledger.facts())
        assert isinstance(first.fact.data, LedgerOpened)
        assert (first.position, first.fact.originator_id) == (1, ledger.stream_of_opening)

    def test_two_ledgers_have_different_identities(self, tmp_path):
        """Ledgers made alike can still be told apart."""
        with new_ledger(tmp_path, "a.sqlite") as one, new_ledger(tmp_path, "b.sqlite") as two:
            assert one.stream_of_opening != two.stream_of_opening


class TestRulebooks:
    def adopt(self, ledger, text="[rulebook]", day=MARCH, **options):
        return ledger.adopt_rulebook(text, rulebook="r", on=day, by="chief", **options)

    def test_an_identical_text_is_adopted_once(self, ledger):
        """The same text with the same date of effect is one adoption, whenever it is sent again."""
        first = self.adopt(ledger)
        again = self.adopt(ledger, day=MAY, effective_from=MARCH, reason="again")
        assert (first.new, again.new, again.position) == (True, False, first.position)

    def test_another_text_or_date_is_another_version(self, ledger):
        """A changed text, or another date of effect, is a new adoption in the same stream."""
        self.adopt(ledger)
        self.adopt(ledger, "[rulebook] # changed")
        self.adopt(ledger, effective_from=MAY)
        assert len(ledger.stream("rulebook:r")) == 3

    def test_reaching_back_needs_a_reason(self, ledger):
        """An adoption with effect from an earlier day is refused unless it says why."""
        with pytest.raises(Refused, match=r"rulebook\.reach-without-reason"):
            self.adopt(ledger, day=MAY, effective_from=MARCH)
        told_why = self.adopt(ledger, day=MAY, effective_from=MARCH, reason="decree 12")
        assert told_why.fact.data.reason == "decree 12"


def test_facts_of_things_that_began_the_same_day(ledger):
    """A unit, a person and what the person does can begin on one day, in one transaction."""
    ledger.record_all(
        [
            Command(UnitEstablished("NEW", "새 조직", "New", "HQ"), MARCH, "o"),
            Command(MemberJoined("P7", "NEW", "G5"), MARCH, "o"),
            Command(MemberPromoted("P7", "G4"), MARCH, "o"),
            Command(submitted(person="P7"), MARCH, "o"),
        ]
    )
    assert len(ledger.mentions("P7")) == 3


def test_replacement_before_the_correction_takes_effect(ledger):
    """What only a correction makes room for is not dated before it: as of it both count."""
    author = shares({"P1": 100})
    submitted = ProposalSubmitted("2005-1", "제안", "online", author)
    ledger.record(submitted, on=date(2005, 3, 1), by="o", key="first")
    ledger.void("first", reason="오기", on=date(2005, 3, 20), by="o")
    again = ProposalSubmitted("2005-1", "바른 제안", "online", author)

    with pytest.raises(Refused, match="until 2005-03-20") as refused:
        ledger.record(again, on=date(2005, 3, 5), by="o", key="second")
    assert refused.value.rule == "correction.not-in-effect"

    assert ledger.record(again, on=date(2005, 3, 20), by="o", key="second").new


def test_replacement_where_the_correction_reaches_back(ledger):
    """A correction from the fact's own day on makes room from that day on."""
    author = shares({"P1": 100})
    submitted = ProposalSubmitted("2005-1", "제안", "online", author)
    ledger.record(submitted, on=date(2005, 3, 1), by="o", key="first")
    ledger.void("first", reason="오기", on=date(2005, 3, 1), by="o")

    assert ledger.record(submitted, on=date(2005, 3, 2), by="o", key="second").new


def test_closed_ledger_says_so(ledger):
    """What is asked of a closed ledger is refused with the ledger's own error."""
    ledger.close()

    with pytest.raises(LedgerFileError, match="was closed"):
        ledger.state("unit:HQ")


def test_rulebook_adopted_again_after_another(ledger):
    """A text adopted before comes back when another took its place, and only then."""
    first, other = "[rulebook] # one", "[rulebook] # two"
    day = date(2005, 3, 1)

    def adopt(text: str) -> Recorded:
        return ledger.adopt_rulebook(
            text, rulebook="r", on=date(2005, 6, 1), by="o", effective_from=day, reason="소급"
        )

    one = adopt(first)
    assert not adopt(first).new
    assert adopt(other).new
    back = adopt(first)
    assert back.new
    assert back.position > one.position
    assert not adopt(first).new

    ledger.void(back.fact.key, reason="오기", on=date(2005, 6, 1), by="o")
    assert adopt(first).new


class TestAdoptionsInOrder:
    """What a later decision said is not undone by one recorded late, or unsaid."""

    def adopt(self, ledger, text, on, effective=None, reason=None):
        return ledger.adopt_rulebook(
            text, rulebook="r", on=on, by="o", effective_from=effective, reason=reason
        )

    def test_dated_before_the_last(self, ledger):
        """A decision of March that is recorded after one of May would take its place."""
        self.adopt(ledger, "x", MAY)
        with pytest.raises(Refused, match="would take its place") as refused:
            self.adopt(ledger, "y", MARCH, MARCH, "late")
        assert refused.value.rule == "rulebook.before-last-adoption"
        assert self.adopt(ledger, "y", MAY, MARCH, "late").new

    def test_in_the_place_of_what_is_to_come(self, ledger):
        """A rulebook for June is not displaced by one for May, unless it is said why."""
        self.adopt(ledger, "x", MARCH, JUNE)
        with pytest.raises(Refused, match="with effect from 2005-06-01") as refused:
            self.adopt(ledger, "y", MAY)
        assert refused.value.rule == "rulebook.undoes-without-reason"
        assert self.adopt(ledger, "y", MAY, JUNE).new
        assert self.adopt(ledger, "z", MAY, reason="earlier than planned").new
