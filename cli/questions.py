"""What the questions have in common: as of when, in which period, and who people are."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

import attrs
import click
from mileage.ledger import format_amount
from mileage.ledger.facts import format_instant
from mileage.projections import MAIN_ACCOUNT, Period, UnknownAccount, UnknownPerson

from .base import DAY, INSTANT, option, session_of
from .figures import brought_up
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from mileage.ledger import Ledger
    from mileage.projections import AccountInfo, Figures

    from .session import Session

__all__ = ["ACCOUNT", "CYCLE", "PERIOD", "Asked", "Question", "asked", "instant_of", "question"]


@attrs.frozen
class Question:
    """As of when and in which period figures are asked for.

    Attributes:
        as_of: Only what had happened by that date.
        known_at: Only what was recorded by then; a date means the end of that day.
        period: Only this period.
    """

    as_of: date | None = None
    known_at: date | datetime | None = None
    period: Period | None = None


@attrs.frozen
class Asked:
    """A question put to a ledger, and the figures that answer it."""

    session: Session
    ledger: Ledger
    figures: Figures
    question: Question

    @property
    def day(self) -> date:
        """The day that decides: that of the question, or today."""
        return self.question.as_of or self.ledger.today()

    @property
    def known_at(self) -> datetime | None:
        """The instant by which facts had been recorded, if the question names one."""
        return instant_of(self.ledger, self.question.known_at)

    def about(self) -> dict[str, Any]:
        """What every answer says of its question, as JSON."""
        as_of, period = self.question.as_of, self.question.period
        known_at = self.known_at
        return {
            "as_of": as_of.isoformat() if as_of else None,
            "known_at": format_instant(known_at) if known_at else None,
            "period": period.name if period else "all",
            "position": self.figures.position,
        }

    def names(self, people: Iterable[str]) -> Mapping[str, str]:
        """Names from the directory, of those who stand in it."""
        found = self.ledger.directory.find(people)
        return {person: entry.name for person, entry in found.items()}

    def check_people(self, people: Iterable[str]) -> None:
        """Refuse people nobody has heard of, all at once.

        Raises:
            UnknownPerson: Nobody joined under one of the ids, as far as was asked for.
        """
        unknown = [person for person in people if not self._knows(person)]
        if unknown:
            hint = Words(
                "이 식별자로 들어온 사람이 없습니다 (`mileage directory search 이름`으로 찾기)",
                "nobody joined under this id (find one with `mileage directory search NAME`)",
            )
            raise UnknownPerson(f"{', '.join(unknown)}: {self.session.pick(hint)}")

    def account(self, account: str) -> AccountInfo:
        """An account that a command was asked for."""
        try:
            self.figures.account_id(account)
        except UnknownAccount as error:
            raise click.UsageError(f"--account {error}") from None
        return next(each for each in self.figures.accounts() if each.account == account)

    def amount(self, account: AccountInfo, units: int) -> Words:
        """An amount in the unit of its account, as people read it."""
        amount = format_amount(units)
        if account.account == MAIN_ACCOUNT:
            return Words(f"{amount}점", f"{amount} point{'s'[: amount not in {'1', '-1'}]}")
        return Words(f"{amount}{account.unit.ko}", f"{amount} {account.unit.en}")

    def _knows(self, person: str) -> bool:
        try:
            self.figures.person_id(person)
        except UnknownPerson:
            return False
        return True


@contextmanager
def asked(session: Session, question: Question) -> Iterator[Asked]:
    """Open the ledger and bring its figures up to date for a question."""
    with session.ledger() as ledger:
        known_at = instant_of(ledger, question.known_at)
        with brought_up(session, ledger, question.as_of, known_at) as figures:
            yield Asked(session, ledger, figures, question)


_LAST = time.max.replace(fold=1)  # of a day; of one that has it twice, the second


def instant_of(ledger: Ledger, known_at: date | datetime | None) -> datetime | None:
    """The instant meant: a date is the end of that day, in the ledger's zone."""
    if known_at is None:
        return None
    moment = known_at if isinstance(known_at, datetime) else datetime.combine(known_at, _LAST)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ledger.time_zone)
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # at an end of the calendar, where the nearest instant says the same
        return moment.replace(tzinfo=UTC)


class _Period(click.ParamType):  # type: ignore[type-arg]  # generic in later versions
    """A stretch of whole days."""

    name = "period"

    def convert(self, value: Any, param: Any, ctx: Any) -> Period:
        try:
            return value if isinstance(value, Period) else Period.parse(value)
        except ValueError as error:
            ko = f"{value!r}: 2005, 2005-H1, 2005-Q3, 2005-03, all 가운데 한 꼴이 아닙니다"
            self.fail(session_of(ctx).pick(Words(ko, str(error))), param, ctx)


class _Cycle(click.ParamType):  # type: ignore[type-arg]  # generic in later versions
    """The name of a period, as the cycle that decisions are for."""

    name = "period"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        return PERIOD.convert(value, param, ctx).name


PERIOD = _Period()
CYCLE = _Cycle()
_PERIOD = option(
    "--period",
    ko="기간: 2005, 2005-H1, 2005-Q3, 2005-03, all [all]",
    en="2005, 2005-H1, 2005-Q3, 2005-03 or all  [all]",
    type=PERIOD,
)
_AS_OF = option(
    "--as-of",
    ko="이날까지 있었던 일만으로",
    en="Only what had happened by that date, its end included",
    type=DAY,
)
_KNOWN_AT = option(
    "--known-at",
    ko="이때까지 기록된 것만으로; 날짜는 그날 끝",
    en="Only what was recorded by then; a date means the end of that day",
    type=INSTANT,
    metavar="DATE|INSTANT",
)


ACCOUNT = option(
    "--account",
    ko=f"이 계정 [{MAIN_ACCOUNT}]",
    en=f"This account  [{MAIN_ACCOUNT}]",
    metavar="ID",
    default=MAIN_ACCOUNT,
)


def question(*, period: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``--as-of``, ``--known-at`` and, where it makes sense, ``--period``.

    The command gets them as one argument, ``question``.
    """

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def ask(*args: Any, **options: Any) -> Any:
            names = {"as_of", "known_at", "period"} & options.keys()
            stated = Question(**{name: options.pop(name) for name in names})
            return function(*args, question=stated, **options)

        for add in (_KNOWN_AT, _AS_OF, *([_PERIOD] if period else [])):
            ask = add(ask)
        return ask

    return declare
