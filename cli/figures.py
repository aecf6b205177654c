"""Bringing the read model up to date, as part of another command or to answer a question."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from mileage.ledger import MileageError, ReadOnlyLedger
from mileage.projections import ReadModel, RulebookError

from .base import explain_sqlite
from .output import progress
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date, datetime

    from mileage.ledger import Ledger
    from mileage.projections import Figures, Rebuilt

    from .session import Session

__all__ = ["brought_up", "follow", "rebuild_with_bar", "tell_of_waiting", "telling"]

STAGES = {
    "decode": Words("기록 읽기", "reading facts"),
    "score": Words("점수 계산", "scoring"),
    "publish": Words("공표", "publishing"),
}
_TROUBLE = (MileageError, RulebookError, sqlite3.Error, OSError)


def rebuild_with_bar(
    session: Session, model: ReadModel, *, dry_run: bool = False, anew: bool = False
) -> Rebuilt:
    """Rebuild, with a progress bar on a terminal."""
    with telling(session) as tell:
        return model.rebuild(dry_run=dry_run, anew=anew, progress=tell)


@contextmanager
def telling(session: Session) -> Iterator[Callable[[str, int, int], None]]:
    """What shows the stages of a build on a progress bar, where there is a terminal."""
    with progress(session.pick(STAGES["decode"])) as bar:

        def tell(stage: str, done: int, total: int) -> None:
            if bar:
                bar(done, total, session.pick(STAGES[stage]) if stage in STAGES else stage)

        yield tell


def follow(session: Session, ledger: Ledger, *, build: bool = False) -> None:
    """Take what was recorded into the figures; never an error, as the facts are recorded.

    Args:
        session: The session.
        ledger: The ledger.
        build: Whether to make a read model where there is none.
    """
    with ReadModel(ledger) as model:
        try:
            if model.exists:
                model.catch_up()
                tell_of_waiting(session, model)
            elif build:
                rebuild_with_bar(session, model)
        except _TROUBLE as error:
            told = explain_sqlite(str(error)) if isinstance(error, sqlite3.Error) else error
            session.warn(
                f"기록은 되었으나 점수에 반영하지 못했습니다: {told} (`mileage catch-up`)",
                f"recorded, but not taken into the figures yet: {told} (`mileage catch-up`)",
            )


@contextmanager
def brought_up(
    session: Session, ledger: Ledger, as_of: date | None, known_at: datetime | None
) -> Iterator[Figures]:
    """Figures to answer a question with, caught up with the ledger where that is possible."""
    with ReadModel(ledger) as model:
        if not model.exists and not ledger.read_only:
            rebuild_with_bar(session, model)
        if model.figures().position < ledger.position:
            _catch_up(session, ledger, model)
        tell_of_waiting(session, model)
        with model.figures_at(as_of=as_of, known_at=known_at) as figures:
            yield figures


def _catch_up(session: Session, ledger: Ledger, model: ReadModel) -> None:
    with suppress(ReadOnlyLedger, sqlite3.OperationalError, OSError):
        if not ledger.read_only:
            model.catch_up()
            return
    at, last = model.figures().position, ledger.position
    session.warn(
        f"읽기만 할 수 있어 #{at}까지의 점수입니다 (원장은 #{last}까지)",
        f"the figures cannot be written here: as of fact #{at}, the ledger has #{last}",
    )


def tell_of_waiting(session: Session, model: ReadModel) -> None:
    """Say that an adopted rulebook is not in the figures yet, where that is so."""
    waiting = int(model.figures().meta()["pending_rulebook"])
    if waiting:
        session.warn(
            f"#{waiting}로 채택한 규칙집은 `mileage rebuild` 뒤에 적용됩니다"
            " (`--dry-run`으로 미리 보기)",
            f"the rulebook adopted as #{waiting} is not in the figures until `mileage rebuild`"
            " (see what it changes with `--dry-run`)",
        )
