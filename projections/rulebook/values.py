"""A rulebook as frozen values, its limits, and what can be wrong with it."""

from __future__ import annotations

from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from attrs import field, frozen
from mileage.ledger import MileageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mileage.ledger.fields import Label

    from .evaluation import Evaluation

__all__ = [
    "ACCOUNTS_MAX",
    "BREAK_BY",
    "CAPS_MAX",
    "CAP_PERIODS",
    "CAP_PERS",
    "COUNT_MAX",
    "DAY_MAX",
    "DAY_MIN",
    "EVALUATIONS_MAX",
    "EXAMPLES_MAX",
    "FULL_FROM_MAX",
    "GIVEN_MAX",
    "GRADES_MAX",
    "ID_CHARS_MAX",
    "KEEPS",
    "LABELS_MAX",
    "LINE_CHARS_MAX",
    "MAIN_ACCOUNT",
    "MONTHS_MAX",
    "ON_LEAVES",
    "OTHERWISE",
    "PEOPLE_MAX",
    "PERIODS",
    "PERS",
    "POINT",
    "POINTS_MAX",
    "PROBLEM_CODES",
    "PROGRAMMES_MAX",
    "QUOTA_MAX",
    "QUOTA_OFS",
    "ROUNDINGS",
    "RULES_MAX",
    "SCOPE_MAX",
    "SPLITS",
    "TEXT_BYTES_MAX",
    "TEXT_CHARS_MAX",
    "TITLE_CHARS_MAX",
    "VALUES_MAX",
    "VALUE_MAX",
    "YEARS_MAX",
    "Account",
    "ActivityInfo",
    "Asked",
    "BreakBy",
    "Cap",
    "CapPer",
    "CapPeriod",
    "CapValue",
    "Conditions",
    "Example",
    "Given",
    "GradeTerms",
    "Keep",
    "Measure",
    "Moved",
    "OnLeave",
    "Otherwise",
    "Per",
    "Percentage",
    "Period",
    "Placed",
    "Problem",
    "Programme",
    "ProgrammeValue",
    "QuotaOf",
    "Recent",
    "Rounding",
    "Rule",
    "RuleValue",
    "Rulebook",
    "RulebookError",
    "ServiceTerms",
    "Split",
    "Tie",
]

Per = Literal["activity", "hour"]
Split = Literal["share", "each"]
Period = Literal["month", "quarter", "half", "year", "lifetime"]
CapPeriod = Literal["month", "quarter", "half", "year", "lifetime", "rank"]
CapPer = Literal["person", "thing", "unit"]
Measure = Literal["points", "count"]
Keep = Literal["first", "best"]
BreakBy = Literal["activities", "earliest", "joined"]
Otherwise = Literal["include", "exclude"]
Rounding = Literal["down", "up", "half"]
QuotaOf = Literal["serving", "eligible"]
OnLeave = Literal["include", "exclude"]
Conditions = tuple[tuple[str, tuple[str, ...]], ...]
"""Fields, each with the codes of which a fact must say one."""

PERS: tuple[Per, ...] = ("activity", "hour")
SPLITS: tuple[Split, ...] = ("share", "each")
PERIODS: tuple[Period, ...] = ("month", "quarter", "half", "year", "lifetime")
"""Periods that caps and programmes count in; all but the last are parts of the calendar year."""
CAP_PERIODS: tuple[CapPeriod, ...] = (*PERIODS, "rank")
"""Periods of caps: "rank" lasts as long as the person holds a rank."""
CAP_PERS: tuple[CapPer, ...] = ("person", "thing", "unit")
"""Whose points a cap limits together."""
KEEPS: tuple[Keep, ...] = ("first", "best")
"""Which activities a cap in number lets count."""
BREAK_BY: tuple[BreakBy, ...] = ("activities", "earliest", "joined")
"""What can decide between persons with equal points."""
OTHERWISE: tuple[Otherwise, ...] = ("include", "exclude")
ON_LEAVES: tuple[OnLeave, ...] = ("include", "exclude")
ROUNDINGS: tuple[Rounding, ...] = ("down", "up", "half")
"""How a percentage of people becomes a number of them; "half" rounds half up."""
QUOTA_OFS: tuple[QuotaOf, ...] = ("serving", "eligible")
"""What a quota in percent is of, if not of a number: all in service, or all who qualify."""

MAIN_ACCOUNT = "mileage"
"""The account of everything that names none: there in every rulebook."""

POINT = 10_000
"""Units in one point: every amount of points is a whole number of 1/10,000 point."""

# Limits: far above any real scheme, low enough that even a hostile text costs only seconds.
TEXT_BYTES_MAX = 1_048_576
"""Longest rulebook that is read, in bytes of UTF-8."""
LINE_CHARS_MAX = 2_000
RULES_MAX = 500
ACCOUNTS_MAX = 50
CAPS_MAX = 200
PROGRAMMES_MAX = 200
EVALUATIONS_MAX = 50
VALUES_MAX = 200
GRADES_MAX = 100
SCOPE_MAX = 200
COUNT_MAX = 1_000_000
LABELS_MAX = 1_000
EXAMPLES_MAX = 500
GIVEN_MAX = 500
PEOPLE_MAX = 200
ID_CHARS_MAX = 64
TITLE_CHARS_MAX = 200
TEXT_CHARS_MAX = 1_000
POINTS_MAX = 1_000_000 * POINT
QUOTA_MAX = 1_000_000
VALUE_MAX = 1_000_000_000
YEARS_MAX = 100
MONTHS_MAX = 1_200
FULL_FROM_MAX = 28
"""Days from which on a month can count whole: as many as every month has."""
DAY_MIN, DAY_MAX = date(1900, 1, 1), date(2999, 12, 31)

PROBLEM_CODES: Mapping[str, str] = MappingProxyType(
    {
        "bad-id": "an id has other characters than letters, digits, '-', '_' and '.', or too many",
        "best-of-several": "a cap that keeps the best lets more than one count",
        "cap-lowered-then-raised": "a limit goes down and up again within one period",
        "cap-never-binds": "a cap that can never take anything (warning)",
        "cap-order": "versions in force in one period apply the same caps in another order",
        "cap-starts-late": "a rule gives points before its cap begins (warning)",
        "control-character": "a character that cannot be seen or changes how others are read",
        "date-order": "dated values are not in order of date, or two begin on one day",
        "date-range": "a date outside 1900 to 2999",
        "duplicate-id": "two entries of a kind have the same id",
        "empty": "a text, list or table that must not be empty",
        "gap": "days without points for an activity that has them before and after (warning)",
        "grade-dropped": "a later value says nothing of a grade that had points (warning)",
        "grades-differ": "the values of a programme are for other grades than its terms",
        "mixed-accounts": "a cap limits rules of several accounts together",
        "missing-key": "something the grammar requires is not written",
        "mixed-limits": "a cap limits points on one day and a number on another, or both",
        "mixed-terms": "a programme mixes tiers, grades by rank and a plain selection",
        "no-conditions": "something is asked or said of a field that an activity has not",
        "no-grades": "points by grade for an activity that has no grades",
        "no-hours": "points per hour for an activity that has no hours",
        "no-people": "an activity of an example names nobody, or other people than its thing has",
        "no-shares": "points divided by shares for an activity whose people declare none",
        "no-such-programme": "an example names a programme that the rulebook does not have",
        "not-relative": "points are in percent of a rule that they cannot be a part of",
        "not-a-date": "a date was expected",
        "not-expected": "an example says nothing of somebody who takes part",
        "number-places": "a number with more than 4 decimal places",
        "number-range": "a number below or above what is allowed",
        "out-of-reach": "a threshold that the caps let nobody reach (warning)",
        "overlap": "two rules give points for one activity on the same day",
        "points-beyond-cap": "one activity gives more than a cap ever lets count (warning)",
        "quota-sum": "places and quota, or percentages and the whole, do not add up",
        "repeated": "the same word or rule is named twice",
        "shares-sum": "shares in an example do not add up to 100 %",
        "tier-order": "the thresholds of tiers do not fall from the first to the last",
        "toml-syntax": "the text is not TOML 1.0",
        "too-large": "the text, a line, a list or a title is longer than allowed",
        "unit-by-rank": "a cap for a whole unit counts in the time a person holds a rank (warning)",
        "unknown-account": "an account is named that is not declared",
        "unknown-activity": "a rule names an activity that is not known",
        "unknown-area": "a weight for an area that the evaluation does not have",
        "unknown-grade": "an example has a grade that no rule gives points for (warning)",
        "unknown-key": "a key that the grammar does not have",
        "unknown-label": "a label for a code that no rule has, but much like one (warning)",
        "unknown-person": "an example names somebody who has no part in it",
        "unknown-programme": "a programme that the rulebook does not have is named (warning)",
        "unknown-rule": "a cap names a rule that the rulebook does not have",
        "unknown-word": "a word outside the list of words allowed there",
        "until-order": "a rule ends before its last value begins",
        "value-repeated": "a dated value says what the one before it says (warning)",
        "weights-do-not-add-up": "weights of areas or elements that do not make 100 percent",
        "wrong-type": "text, number, list or table stand where another was expected",
    }
)
"""Every code a problem can have, and what it means; codes are stable."""


# Values ------------------------------------------------------------------------------------


@frozen
class Account:
    """What amounts are kept in apart from others: mileage, welfare points, money, days of leave.

    Attributes:
        id: Name of the account, unique among those of its rulebook.
        title: What people call it.
        unit: What its amounts are in; None for points.
        line: Line where the account begins.
    """

    id: str
    title: Label
    unit: Label | None
    line: int


@frozen
class Relative:
    """Points in percent of what another rule gives.

    Attributes:
        percent: In 1/10,000 percent.
        of: Id of the other rule.
        path: Where it is written.
    """

    percent: int
    of: str
    path: tuple[str | int, ...] = field(default=(), eq=False, repr=False)


@frozen
class RuleValue:
    """What a rule gives from a day on.

    Attributes:
        valid_from: First day, by the day the activity was done.
        points: 1/10,000 points per activity or hour; a mapping gives them by grade, a plain
            number counts for every grade alike.
        clause: Where the scheme says so.
        line: Line of the value in the rulebook's text.
        relative: What the points are in percent of, until they are worked out.
    """

    valid_from: date
    points: int | Mapping[str, int]
    clause: str
    line: int
    relative: Relative | None = None


@frozen
class Rule:
    """Points for one kind of activity.

    Attributes:
        id: Name of the rule, unique among the rules of its rulebook.
        title: What people call it.
        activity: The kind of activity that earns.
        per: Whether the points are for the activity or for each hour of it.
        split: "share" divides the points by the declared shares, "each" gives them whole to
            everyone who took part.
        until: First day on which the rule gives nothing any more, or None.
        values: Dated values in order of date; each holds until the next one begins.
        line: Line where the rule begins.
        ranks: Ranks it is for, by the rank held on the day; all when empty.
        units: Units it is for, with all units below them, by where the person serves on the day;
            all when empty. A rule with ranks or units goes before one without, the nearest
            unit before a higher one.
        account: Id of the account it gives its points in. One activity can earn in several.
        confirm: Whether what it gives counts only when somebody else confirmed the fact.
        when: Fields that the fact must say, each with the codes that will do; any fact when empty.
            Among rules for the same people, one with conditions goes before one without.
    """

    id: str
    title: Label
    activity: str
    per: Per
    split: Split
    until: date | None
    values: tuple[RuleValue, ...]
    line: int
    ranks: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    account: str = MAIN_ACCOUNT
    confirm: bool = False
    when: Conditions = ()

    @property
    def scoped(self) -> bool:
        """Whether the rule is for some ranks or units only."""
        return bool(self.ranks or self.units)


@frozen
class CapValue:
    """The most that counts in one period, from a day on.

    Attributes:
        valid_from: First day.
        limit: 1/10,000 points, or 1/10,000 activities for a cap in number.
        clause: Where the scheme says so.
        line: Line of the value in the rulebook's text.
    """

    valid_from: date
    limit: int
    clause: str
    line: int


@frozen
class Cap:
    """A limit on what some rules together give in one period.

    Attributes:
        id: Name of the cap, unique among the caps of its rulebook.
        title: What people call it.
        rules: Ids of the rules it covers.
        period: What the limit is counted in; "rank" is the time a person holds one rank.
        values: Dated limits in order of date.
        line: Line where the cap begins.
        per: Whose points it limits together: a "person", a person in one "thing" (a proposal,
            a task), or all people of a "unit", by where they serve on the day.
        measure: Whether the limit is in "points" or is a "count" of activities.
        keep: Which activities a count lets stand: the "first" by date, or the one with most
            points, the "best": one that is better than those before adds what it is better by.
    """

    id: str
    title: Label
    rules: tuple[str, ...]
    period: CapPeriod
    values: tuple[CapValue, ...]
    line: int
    per: CapPer = "person"
    measure: Measure = "points"
    keep: Keep = "first"

    @property
    def account(self) -> tuple[str, CapPeriod, CapPer, Measure, Keep]:
        """What one running sum is kept for: two versions of a cap share it if this is equal."""
        return self.id, self.period, self.per, self.measure, self.keep


@frozen
class Percentage:
    """A quota that is a part of a number of people.

    Attributes:
        percent: Part of the whole, 1/10,000 percent.
        of: The whole: a stated number of people (the establishment, 정원), all people in service
            on the day, those on leave included ("serving"), or all who reach the threshold and
            can be selected ("eligible"); of the ranks and units the programme is for.
        rounding: How it becomes a whole number of people.
    """

    percent: int
    of: int | QuotaOf
    rounding: Rounding


@frozen
class GradeTerms:
    """What it takes to get one grade or tier of a programme.

    Attributes:
        grade: Its code.
        threshold_points: 1/10,000 points needed, for a tier; else None.
        percent: Part of those who qualify, 1/10,000 percent, for a grade by rank; else None.
        places: How many get it, for a grade by rank; else None.
        value: What it is worth, 1/10,000 of the programme's unit; None if nothing is stated.
    """

    grade: str
    threshold_points: int | None = None
    percent: int | None = None
    places: int | None = None
    value: int | None = None


@frozen
class ProgrammeValue:
    """What a programme asks for, from a day on.

    Attributes:
        valid_from: First day.
        threshold_points: 1/10,000 points a person needs in the period; of several tiers the
            lowest.
        quota: How many persons get it, or None for all who reach the threshold.
        clause: Where the scheme says so.
        line: Line of the value in the rulebook's text.
        percentage: The quota where it is a percentage.
        grades: Tiers by threshold, or grades by rank, best first; empty for a plain selection.
        rounding: How percentages of grades become numbers of people.
        value: What a plain selection is worth, 1/10,000 of the programme's unit, if stated.
    """

    valid_from: date
    threshold_points: int
    quota: int | None
    clause: str
    line: int
    percentage: Percentage | None = None
    grades: tuple[GradeTerms, ...] = ()
    rounding: Rounding = "down"
    value: int | None = None


@frozen
class Tie:
    """What decides between persons with equal points where a quota or a grade ends.

    Attributes:
        break_by: "activities" (more rewarded activities first), "earliest" (reached the total
            earlier), "joined" (longer service first), tried in this order.
        otherwise: Whether all who are still tied get in ("include") or none of them; between two
            grades, whether all get the better one or the lower.
    """

    break_by: tuple[BreakBy, ...]
    otherwise: Otherwise


@frozen
class Recent:
    """Who had it lately is left out.

    Attributes:
        years: For so many years from the day of the grant; None when counted in cycles.
        cycles: In so many cycles after the one it was granted for; None when counted in years.
        programmes: Grants of these programmes count.
    """

    years: int | None
    cycles: int | None
    programmes: tuple[str, ...]


@frozen
class ServiceTerms:
    """How long one must have served in a programme's period, up to the day; leave is no service.

    Attributes:
        months: Months of service needed.
        full_from: Days of service from which on a month counts whole, and not at all with fewer;
            None where each month counts by its days of service over its days.
    """

    months: int
    full_from: int | None = None


@frozen
class Programme:
    """Something people become eligible for by points, such as training abroad.

    Attributes:
        id: Name of the programme, unique among those of its rulebook.
        title: What people call it.
        period: What its points are counted in; one such period is a cycle.
        values: Dated terms in order of date.
        tie: What decides between equals.
        line: Line where the programme begins.
        unit: What its values are in (won, bonus points …); None when it has none.
        ranks: Ranks it is for, by the rank held on the day; all when empty.
        recent: Who is left out because of an earlier grant; None for nobody.
        four_eyes: Whether a grant takes effect only when a second person approved it.
        units: Units it is for, with all units below them, by where the person serves on the day;
            all when empty.
        sanctioned_years: For so many years after its end a sanction leaves people out, 0 while it
            lasts only; None when sanctions do not matter.
        service: How long one must have served in the period; None when that does not matter.
        on_leave: Whether those on leave on the day can be selected.
        account: Id of the account whose points it counts.
    """

    id: str
    title: Label
    period: Period
    values: tuple[ProgrammeValue, ...]
    tie: Tie
    line: int
    unit: Label | None = None
    ranks: tuple[str, ...] = ()
    recent: Recent | None = None
    four_eyes: bool = False
    units: tuple[str, ...] = ()
    sanctioned_years: int | None = None
    service: ServiceTerms | None = None
    on_leave: OnLeave = "exclude"
    account: str = MAIN_ACCOUNT


@frozen
class Placed:
    """Where and as what somebody of an example serves; None for what is not said.

    Attributes:
        unit: Code of the unit.
        rank: The rank.
    """

    unit: str | None = None
    rank: str | None = None


@frozen
class Given:
    """An activity of an example.

    Attributes:
        on: Day on which it was done.
        activity: The kind of activity.
        grade: Its grade, if the kind has grades.
        hours: How long it took, in 1/10,000 hours, if the kind has hours.
        parties: Who did it, each with the share in 1/10,000 percent.
        thing: What it is about, such as a proposal; empty for a thing of its own.
        line: Line of the text.
        confirmed: Whether somebody else confirmed it.
        when: What it says under fields that a rule may ask for, each with its code.
    """

    on: date
    activity: str
    grade: str | None
    hours: int | None
    parties: tuple[tuple[str, int], ...]
    thing: str
    line: int
    confirmed: bool = False
    when: tuple[tuple[str, str], ...] = ()


@frozen
class Moved:
    """A transfer or promotion in an example.

    Attributes:
        on: First day in the new place.
        person: Who moves.
        to: The new unit, rank or both.
        line: Line of the text.
    """

    on: date
    person: str
    to: Placed
    line: int


@frozen
class Example:
    """What the rules are expected to make of some activities.

    Attributes:
        title: What it shows.
        people: Where and as what people serve from the beginning.
        units: The unit above, for each unit that is part of another one.
        given: What they do, in the order in which it is recorded.
        expect: Points of everybody who takes part in the main account, in 1/10,000.
        accounts: What people have in other accounts, in 1/10,000 of their units; nothing where
            an account or a person is not named.
        cuts: What caps take from people in the main account, in 1/10,000 point; None when that is
            not stated.
        selected: Who gets into a programme, for each programme stated: the people, each with the
            grade or tier expected, None where none is stated.
        as_of: Day on which programmes are looked at; the day of the last activity if None.
        line: Line where the example begins.
    """

    title: Label
    people: Mapping[str, Placed]
    units: Mapping[str, str]
    given: tuple[Given | Moved, ...]
    expect: Mapping[str, int]
    accounts: Mapping[str, Mapping[str, int]]
    cuts: Mapping[str, int] | None
    selected: Mapping[str, Mapping[str, str | None]]
    as_of: date | None
    line: int

    @property
    def everybody(self) -> tuple[str, ...]:
        """All people, in the order in which they are first named."""
        named = dict.fromkeys(self.people)
        for entry in self.given:
            parties = entry.parties if isinstance(entry, Given) else ((entry.person, 0),)
            named |= dict.fromkeys(person for person, _ in parties)
        return tuple(named)


@frozen
class Rulebook:
    """A whole rulebook, free of errors.

    Attributes:
        id: Name of the rulebook.
        title: What people call it.
        source: The document it puts into rules.
        rules: Rules in the order of the text.
        caps: Caps in the order of the text, which is the order they apply in.
        programmes: Programmes in the order of the text.
        labels: How codes such as grades are shown.
        digest: SHA-256 of the text's UTF-8, in hexadecimal.
        text: The text itself.
        examples: What the rules are expected to give, in the order of the text.
        evaluations: Schemes of the evaluation of units, in the order of the text.
        accounts: The accounts it declares, in the order of the text.
    """

    id: str
    title: Label
    source: str
    rules: tuple[Rule, ...]
    caps: tuple[Cap, ...]
    programmes: tuple[Programme, ...]
    labels: Mapping[str, Label]
    digest: str
    text: str = field(repr=False)
    examples: tuple[Example, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    accounts: tuple[Account, ...] = ()


@frozen
class Asked:
    """A field that a rule may ask for.

    Attributes:
        said_by: Kind whose fact about the same thing says it; empty when the fact itself does.
        words: What it can be; any code when empty.
    """

    said_by: str = ""
    words: tuple[str, ...] = ()


@frozen
class ActivityInfo:
    """What the checker needs to know of a kind of activity.

    Attributes:
        name: The kind.
        has_grade: Whether it has a grade.
        has_hours: Whether it has hours.
        has_shares: Whether its people declare shares.
        named_by: Kind whose fact about the same thing names the people; empty when it does.
        conditions: The fields that a rule may ask for.
    """

    name: str
    has_grade: bool
    has_hours: bool
    has_shares: bool = True
    named_by: str = ""
    conditions: Mapping[str, Asked] = field(factory=dict)


@frozen
class Problem:
    """One thing that is wrong with a rulebook, where it is, and what to do.

    Attributes:
        code: One of `PROBLEM_CODES`.
        line: Line, from 1.
        column: Column, from 1, in characters.
        message: What is wrong.
        excerpt: The line as written.
        remedy: What to do about it.
        severity: An "error" keeps the rulebook from being used, a "warning" does not.
    """

    code: str
    line: int
    column: int
    message: str
    excerpt: str
    remedy: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.severity} {self.code}: {self.message}"


class RulebookError(MileageError, ValueError):
    """A rulebook, or several in force together, cannot be used.

    Attributes:
        problems: Everything that was found, warnings too, in order of line.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
