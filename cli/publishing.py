"""Publishing: the read model rebuilt or caught up, and what HR is given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mileage.ledger import format_amount
from mileage.projections import Outbox, ReadModel

from .base import DAY, Group, command, option, pass_session
from .figures import brought_up, rebuild_with_bar
from .output import Column, Shown, show, to_terminal
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from mileage.projections import Batch, Difference, Rebuilt

    from .session import Session

__all__ = [
    "TERMINAL_ROWS",
    "catch_up_command",
    "difference_json",
    "difference_row",
    "hr_command",
    "rebuild_command",
    "signed",
]

TERMINAL_ROWS = 20


@command(
    "rebuild",
    "모든 점수를 다시 계산해 공표하고, 누가 얼마나 왜 달라지는지 보입니다.\n\n채택한 규칙집은 이때"
    " 적용됩니다. --dry-run은 보이기만 합니다. 다 될 때까지는 이전 점수가 보입니다.",
    "Work out all figures anew and publish them, showing who gains and who loses, and by"
    " which rule."
    "\n\nAdopted rulebooks come into service with this. --dry-run only shows. Until it is done,"
    " everyone reads the figures before.",
    ["mileage rebuild --dry-run", "mileage rebuild --dry-run --csv > difference.csv"],
)
@option(
    "--dry-run", ko="보이기만 하고 공표하지 않음", en="Only show, publish nothing", is_flag=True
)
@option(
    "--limit",
    ko=f"이만큼만; 0은 모두 [화면에서는 {TERMINAL_ROWS}]",
    en=f"Only so many people, 0 for all  [on a terminal {TERMINAL_ROWS}]",
    type=click.IntRange(0),
    metavar="N",
)
@option("--quiet", ko="사람별 차이를 보이지 않음", en="Do not list people", is_flag=True)
@pass_session
def rebuild_command(  # noqa: D103 - its help is above
    session: Session, *, dry_run: bool, limit: int | None, quiet: bool
) -> None:
    with session.ledger() as ledger, ReadModel(ledger) as model:
        first = not model.exists
        rebuilt = rebuild_with_bar(session, model, dry_run=dry_run)
        found = ledger.directory.find(each.person for each in rebuilt.differences)
    names = {person: entry.name for person, entry in found.items()}
    if session.format == "table" and (first or quiet):
        _summarise(session, rebuilt, first=first)
        return
    shown = list(rebuilt.differences[: _rows_to_show(session, limit)])
    document = {
        "published": rebuilt.published,
        "first": first,
        "position": rebuilt.position,
        "people": len(rebuilt.differences),
        "differences": [difference_json(each, names) for each in shown],
    }
    rows = [difference_row(each, names) for each in shown]
    columns = [
        Column("person"),
        Column("name", wraps=True),
        Column("before", number=True),
        Column("after", number=True),
        Column("change", number=True),
        Column("reasons", wraps=True),
    ]
    show(
        session,
        document,
        columns,
        rows,
        empty=Words("달라지는 점수가 없습니다.", "No balance changes."),
    )
    if len(shown) < len(rebuilt.differences):
        more = len(rebuilt.differences) - len(shown)
        session.note(f"(그 밖에 {more:,}명; --limit 0)", f"(and {more:,} more people; --limit 0)")
    if session.format == "table":
        _summarise(session, rebuilt, first=first)


def _rows_to_show(session: Session, limit: int | None) -> int | None:
    if limit is None and session.format == "table" and to_terminal():
        return TERMINAL_ROWS
    return limit or None


def _summarise(session: Session, rebuilt: Rebuilt, *, first: bool) -> None:
    gained = sum(each.change > 0 for each in rebuilt.differences)
    lost = len(rebuilt.differences) - gained
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


def difference_json(each: Difference, names: Mapping[str, str]) -> dict[str, Any]:
    """A difference as JSON."""
    return {
        "person": each.person,
        "name": names.get(each.person),
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
            facts, people, waiting = rebuilt.position, len(rebuilt.differences), 0
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


hr_command = Group(
    name="hr",
    words=Words(
        "인사부서에 넘길 묶음을 만들고 봅니다.",
        "Hand over to HR what changed, and list what was handed over.",
    ),
    examples=("mileage hr export /srv/hr/inbox", "mileage hr list"),
)


@hr_command.command(
    "export",
    words=Words(
        "지난 묶음 뒤에 달라진 것을 CSV와 명세로 DIR에 씁니다.\n\n명세에는 행 수, 합계,"
        " 지문이 있습니다."
        " 달라진 것이 없으면 아무것도 쓰지 않습니다.",
        "Write what changed since the last batch to DIR, as CSV with a manifest.\n\nThe"
        " manifest has"
        " the count, the sums and the digest. When nothing changed, nothing is written.",
    ),
    examples=[
        "mileage hr export out --as-of 2005-12-31",
        "mileage hr export out --again 3",
    ],
    tabular="json",
)
@click.argument("folder", metavar="DIR", type=Path)
@option("--as-of", ko="이날 기준 [오늘]", en="As of this date  [today]", type=DAY)
@option(
    "--encoding",
    ko="CSV의 인코딩 [utf-8-sig]; cp949도 가능",
    en="Encoding of the CSV file, e.g. cp949  [utf-8-sig]",
)
@option(
    "--again",
    ko="이 차수의 묶음을 그대로 다시 씀",
    en="Write this batch again, byte for byte",
    type=click.IntRange(1),
    metavar="N",
)
@pass_session
def export_command(
    session: Session, folder: Path, as_of: date | None, encoding: str | None, again: int | None
) -> None:
    if again is not None and (as_of or encoding):
        raise click.UsageError("--again writes a batch as it was: leave out --as-of and --encoding")
    with session.ledger() as ledger:
        outbox = Outbox(ledger)
        batch: Batch | None
        if again is not None:
            batch = outbox.write_again(again, folder)
        else:
            with brought_up(session, ledger, as_of, None) as figures:
                day = as_of or ledger.today()
                batch = outbox.cut(figures, folder, as_of=day, encoding=encoding or "utf-8-sig")
    if session.format == "json":
        document = {"batch": _batch_json(batch) if batch else None}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    elif batch is None:
        session.note(
            "지난 묶음 뒤에 달라진 것이 없어 쓰지 않았습니다",
            "nothing changed since the last batch; nothing is written",
        )
    else:
        _show_batches(session, [batch])


@hr_command.command(
    "list",
    words=Words("지금까지 만든 묶음을 보입니다.", "List the batches that were cut."),
    examples=["mileage hr list"],
)
@pass_session
def list_command(session: Session) -> None:
    with session.ledger() as ledger:
        _show_batches(session, Outbox(ledger).batches())


def _batch_json(batch: Batch) -> dict[str, Any]:
    return {**batch.manifest, "file": str(batch.file) if batch.file else None}


def _show_batches(session: Session, batches: list[Batch]) -> None:
    found = [_batch_json(batch) for batch in batches]
    rows = [{**row, "digest": Shown(row["sha256"], row["sha256"][:12])} for row in found]
    columns = [
        Column("sequence", number=True),
        Column("as_of"),
        Column("position", number=True, optional=True),
        Column("rows", number=True),
        Column("sum_positive", number=True),
        Column("sum_negative", number=True),
        Column("digest", optional=True),
        Column("file", wraps=True),
    ]
    none = Words("만든 묶음이 없습니다.", "No batch has been cut.")
    show(session, {"batches": found}, columns, rows, empty=none)
