"""Publishing: the read model rebuilt or caught up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from mileage.ledger import format_amount
from mileage.projections import MAIN_ACCOUNT, ReadModel

from .base import COUNT, command, option, pass_session
from .figures import rebuild_with_bar
from .output import Column, show, to_terminal
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mileage.projections import Difference, Rebuilt

    from .session import Session

__all__ = [
    "TERMINAL_ROWS",
    "catch_up_command",
    "difference_columns",
    "difference_json",
    "difference_row",
    "people_in",
    "rebuild_command",
    "rows_to_show",
    "signed",
]

TERMINAL_ROWS = 20


@command(
    "rebuild",
    "모든 점수를 다시 계산해 공표하고, 누가 얼마나 왜 달라지는지 보입니다.\n\n채택한 규칙집은 이때"
    " 적용됩니다. --dry-run은 보이기만 합니다. 다 될 때까지는 이전 점수가 보이고, 그동안 기록할 수"
    " 있으며 그 기록도 들어갑니다. 도중에 끊기면 다음 재구축이 해 둔 데서 이어 갑니다.",
    "Work out all figures anew and publish them, showing who gains and who loses, and by"
    " which rule."
    "\n\nAdopted rulebooks come into service with this. --dry-run only shows. Until it is done,"
    " everyone reads the figures before; recording goes on, and is in the result. When it is cut"
    " off, the next goes on from what it had read. `mileage builds` shows what there is.",
    [
        "mileage rebuild --dry-run",
        "mileage rebuild --dry-run --csv > difference.csv",
        "mileage rebuild --from-facts --quiet",
    ],
)
@option(
    "--dry-run", ko="보이기만 하고 공표하지 않음", en="Only show, publish nothing", is_flag=True
)
@option(
    "--limit",
    ko=f"이만큼만; 0은 모두 [화면에서는 {TERMINAL_ROWS}]",
    en=f"Only so many people, 0 for all  [on a terminal {TERMINAL_ROWS}]",
    type=COUNT,
    metavar="N",
)
@option(
    "--from-facts",
    ko="보관해 둔 것을 쓰지 않고 기록을 모두 다시 읽음",
    en="Read every fact again, using nothing that is kept",
    is_flag=True,
)
@option("--quiet", ko="사람별 차이를 보이지 않음", en="Do not list people", is_flag=True)
@pass_session
def rebuild_command(  # noqa: D103 - its help is above
    session: Session, *, dry_run: bool, limit: int | None, from_facts: bool, quiet: bool
) -> None:
    with session.ledger() as ledger, ReadModel(ledger) as model:
        first = not model.exists
        rebuilt = rebuild_with_bar(session, model, dry_run=dry_run, anew=from_facts)
        found = ledger.directory.find(each.person for each in rebuilt.differences)
    names = {person: entry.name for person, entry in found.items()}
    if session.format == "table" and (first or quiet):
        _summarise(session, rebuilt, first=first)
        return
    shown = list(rebuilt.differences[: rows_to_show(session, limit)])
    document = {
        "published": rebuilt.published,
        "build": rebuilt.number or None,
        "first": first,
        "position": rebuilt.position,
        "people": people_in(rebuilt.differences),
        "differences": [difference_json(each, names) for each in shown],
    }
    rows = [difference_row(each, names) for each in shown]
    show(
        session,
        document,
        difference_columns(shown),
        rows,
        empty=Words("달라지는 점수가 없습니다.", "No balance changes."),
    )
    if len(shown) < len(rebuilt.differences):
        more = len(rebuilt.differences) - len(shown)
        session.note(f"(그 밖에 {more:,}건; --limit 0)", f"(and {more:,} more; --limit 0)")
    if session.format == "table":
        _summarise(session, rebuilt, first=first)


def rows_to_show(session: Session, limit: int | None) -> int | None:
    """How many people to list: as asked for, or few on a terminal; ``None`` for all."""
    if limit is None and session.format == "table" and to_terminal():
        return TERMINAL_ROWS
    return limit or None


def _summarise(session: Session, rebuilt: Rebuilt, *, first: bool) -> None:
    gained = people_in(each for each in rebuilt.differences if each.change > 0)
    lost = people_in(each for each in rebuilt.differences if each.change < 0)
    done = (
        Words("공표했습니다", "published")
        if rebuilt.published
        else Words("공표하지 않았습니다", "nothing is published")
    )
    if first:
        what = Words(
            f"처음 계산, 점수가 있는 사람 {gained:,}명",
            f"first figures, {gained:,} people with points",
        )
    else:
        what = Words(
            f"늘어난 사람 {gained:,}명, 줄어든 사람 {lost:,}명", f"{gained:,} gain, {lost:,} lose"
        )
    session.note(
        f"{what.ko}; #{rebuilt.position}까지, {done.ko}",
        f"{what.en}; up to fact #{rebuilt.position}, {done.en}",
    )


def difference_columns(differences: Sequence[Difference]) -> list[Column]:
    """Columns of differences; the account is named where it is not always the main one."""
    several = any(each.account != MAIN_ACCOUNT for each in differences)
    return [
        Column("person"),
        Column("name", wraps=True),
        Column("account", detail=not several),
        Column("before", number=True),
        Column("after", number=True),
        Column("change", number=True),
        Column("reasons", wraps=True),
    ]


def people_in(differences: Iterable[Difference]) -> int:
    """How many people there are in differences."""
    return len({each.person for each in differences})


def difference_json(each: Difference, names: Mapping[str, str]) -> dict[str, Any]:
    """A difference as JSON."""
    return {
        "person": each.person,
        "name": names.get(each.person),
        "account": each.account,
        "before": format_amount(each.before),
        "after": format_amount(each.after),
        "change": format_amount(each.change),
        "reasons": [
            {
                "rule": reason.rule or None,
                "before": format_amount(reason.before),
                "after": format_amount(reason.after),
            }
            for reason in each.reasons
        ],
    }


def difference_row(each: Difference, names: Mapping[str, str]) -> dict[str, Any]:
    """A difference as a row of a table."""
    return {
        "person": each.person,
        "name": names.get(each.person),
        "account": each.account,
        "before": format_amount(each.before),
        "after": format_amount(each.after),
        "change": signed(each.change),
        "reasons": ", ".join(
            f"{reason.rule or '-'} {signed(reason.after - reason.before)}"
            for reason in each.reasons
        ),
    }


def signed(units: int) -> str:
    """An amount that people gain or lose."""
    return f"+{format_amount(units)}" if units > 0 else format_amount(units)


@command(
    "catch-up",
    "새로 기록된 것을 점수에 반영합니다.\n\n기록하거나 물을 때마다 저절로 되므로 따로 부를"
    " 일은 드뭅니다.",
    "Take new facts into the figures.\n\nRecording and asking do this by themselves; it is for"
    " programs that read the read model's file.",
    ["mileage catch-up"],
    tabular="json",
)
@pass_session
def catch_up_command(session: Session) -> None:  # noqa: D103 - its help is above
    with session.ledger() as ledger, ReadModel(ledger) as model:
        if model.exists:
            done = model.catch_up()
            facts, people, position, waiting = (
                done.facts, done.people, done.position, done.pending_rulebook
            )  # fmt: skip
        else:
            rebuilt = rebuild_with_bar(session, model)
            facts, people, waiting = rebuilt.position, people_in(rebuilt.differences), 0
            position = rebuilt.position
    document = {
        "facts": facts,
        "people": people,
        "position": position,
        "pending_rulebook": waiting or None,
    }
    if session.format == "json":
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    click.echo(
        session.pick(
            Words(
                f"기록 {facts:,}건, {people:,}명의 점수; #{position}까지",
                f"{facts:,} facts, figures of {people:,} people; up to fact #{position}",
            )
        )
    )
    if waiting:
        session.warn(
            f"#{waiting}로 채택한 규칙집은 `mileage rebuild` 뒤에 적용됩니다",
            f"the rulebook adopted as #{waiting} is not in the figures until `mileage rebuild`",
        )
