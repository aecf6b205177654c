"""The builds of the read model: which there are, what each changed, and which is in service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from mileage.ledger.facts import format_instant, parse_instant
from mileage.projections import ReadModel

from .base import COUNT, POSITIVE, Group, format_options, option, pass_session
from .figures import tell_of_waiting
from .output import Column, Shown, show
from .publishing import (
    TERMINAL_ROWS,
    difference_columns,
    difference_json,
    difference_row,
    people_in,
    rows_to_show,
)
from .texts import Words

if TYPE_CHECKING:
    from mileage.ledger import Ledger
    from mileage.projections import Build

    from .session import Session

__all__ = ["builds_command"]

_STATES = {
    "in_service": Words("사용 중", "in service"),
    "kept": Words("보관", "kept"),
    "unusable": Words("쓸 수 없음", "cannot be used"),
}
_COLUMNS = (
    Column("build", number=True),
    Column("state"),
    Column("made_at"),
    Column("position", number=True),
    Column("rulebooks", wraps=True),
    Column("megabytes", number=True),
    Column("content_sha256", optional=True, wraps=True),
)


@click.pass_context
def _list_unless_told(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command)


builds_command = Group(
    name="builds",
    words=Words(
        "점수를 계산해 둔 것(빌드)을 보고, 앞선 것으로 되돌립니다.\n\n명령 없이 부르면 목록을"
        " 보입니다. 재구축할 때마다 빌드가 하나 생기고, 바로 앞의 것은 남습니다.",
        "See the builds of the figures, and put an earlier one back into service.\n\nWithout a"
        " command, lists them. Every rebuild makes one; the one that it replaced is kept.",
    ),
    examples=("mileage builds", "mileage builds show 3 --csv", "mileage builds use 2"),
    callback=_list_unless_told,
    invoke_without_command=True,
    params=format_options(),
)


@builds_command.command(
    "list",
    words=Words(
        "빌드의 목록.\n\n번호, 계산한 때, 원장의 어디까지인지, 들어 있는 규칙집, 크기, 점수의"
        " 지문, 사용 중인지를 보입니다. 지문은 점수 모두에 대한 것이어서, 지문이 같으면 점수도"
        " 같습니다.",
        "List the builds.\n\nNumber, when made, up to where in the ledger, the rulebooks in it,"
        " size, digest and whether it is in service. The digest is over all figures: where it is"
        " the same, they are.",
    ),
    examples=["mileage builds list", "mileage builds list --json"],
)
@pass_session
def list_command(session: Session) -> None:
    """List the builds."""
    with session.ledger() as ledger, ReadModel(ledger) as model:
        found = [_build_json(each) for each in model.builds()]
        rows = [_build_row(session, ledger, each) for each in found]
    show(
        session,
        {"builds": found},
        _COLUMNS,
        rows,
        empty=Words("빌드가 없습니다 (`mileage rebuild`).", "No builds yet (`mileage rebuild`)."),
    )


@builds_command.command(
    "show",
    words=Words(
        "빌드 하나와, 그것이 바꾼 것: 누가 얼마나 왜.\n\n만들 때 사용 중이던 빌드와 견준 것으로,"
        " 빌드와 함께 보관됩니다. 까닭은 많이 달라진 200명까지 있습니다.",
        "Show a build and what it changed: who gained, who lost, and by which rule.\n\nIt is"
        " compared with the build in service when it was made, and kept with it. The 200 largest"
        " differences have reasons.",
    ),
    examples=["mileage builds show 3", "mileage builds show 3 --csv > difference.csv"],
)
@click.argument("number", type=POSITIVE)
@option(
    "--limit",
    ko=f"이만큼만; 0은 모두 [화면에서는 {TERMINAL_ROWS}]",
    en=f"Only so many people, 0 for all  [on a terminal {TERMINAL_ROWS}]",
    type=COUNT,
    metavar="N",
)
@pass_session
def show_command(session: Session, number: int, limit: int | None) -> None:
    """Show a build."""
    with session.ledger() as ledger, ReadModel(ledger) as model:
        build = model.build(number)
        changes = build.changes()
        names = {
            person: entry.name
            for person, entry in ledger.directory.find(c.person for c in changes).items()
        }
    described = _build_json(build)
    shown = changes[: rows_to_show(session, limit)]
    gain = people_in(each for each in changes if each.change > 0)
    lose = people_in(each for each in changes if each.change < 0)
    document = {
        **described,
        "people": people_in(changes),
        "gain": gain,
        "lose": lose,
        "differences": [difference_json(each, names) for each in shown],
    }
    state = session.pick(_STATES[_state(described)])
    made = _local(ledger, described)
    title = Words(
        f"빌드 {number} ({state}), {made}, #{build.position}까지",
        f"Build {number} ({state}), {made}, up to fact #{build.position}",
    )
    rows = [difference_row(each, names) for each in shown]
    show(session, document, difference_columns(shown), rows, title=session.pick(title))
    if more := len(changes) - len(shown):
        session.note(f"(그 밖에 {more:,}건; --limit 0)", f"(and {more:,} more; --limit 0)")
    against = build.replaced
    session.note(
        (f"빌드 {against}에 견주어 " if against else "처음 계산, ")
        + f"늘어난 사람 {gain:,}명, 줄어든 사람 {lose:,}명",
        (f"against build {against}: " if against else "first figures: ")
        + f"{gain:,} gain, {lose:,} lose",
    )


@builds_command.command(
    "use",
    words=Words(
        "이 빌드를 다시 사용합니다. 한 번에 바뀝니다.\n\n그 뒤의 기록은 그 빌드의 규칙집으로"
        " 반영됩니다. 그 빌드에 없는 규칙집은 다음 `mileage rebuild`에 적용됩니다. 인사부서에는"
        " 아무것도 나가지 않으며, 달라진 것은 다음 묶음에 들어갑니다.",
        "Put a build into service again, in one step.\n\nWhat was recorded since counts by the"
        " rulebooks of that build; later ones apply with the next `mileage rebuild`. Nothing is"
        " sent to HR by this: what differs is in the next batch.",
    ),
    examples=["mileage builds use 2"],
    tabular="json",
)
@click.argument("number", type=POSITIVE)
@pass_session
def use_command(session: Session, number: int) -> None:
    """Put a build back into service."""
    with session.ledger() as ledger, ReadModel(ledger) as model:
        build = model.use(number)
        tell_of_waiting(session, model)
    if session.format == "json":
        show(session, _build_json(build))
        return
    session.note(
        f"사용 중인 빌드: {build.number}, #{build.position}까지",
        f"build {build.number} is in service, up to fact #{build.position}",
    )


def _build_json(build: Build) -> dict[str, Any]:
    usable = build.usable
    return {
        "build": build.number,
        "in_service": build.in_service,
        "usable": usable,
        "made_at": _instant(build),
        "replaced": build.replaced or None,
        "position": build.position if usable else None,
        "rulebooks": [
            {"rulebook": name, "position": position, "digest": digest}
            for name, position, digest in build.rulebooks
        ],
        "pending_rulebook": build.pending_rulebook or None,
        "bytes": build.size,
        "content_sha256": build.digest() if usable else None,
    }


def _instant(build: Build) -> str | None:
    return format_instant(build.made_at) if build.made_at else None


def _local(ledger: Ledger, described: dict[str, Any]) -> str:
    """When a build was made, by the clock of the ledger's zone."""
    made = described["made_at"]
    return f"{parse_instant(made).astimezone(ledger.time_zone):%Y-%m-%d %H:%M:%S}" if made else ""


def _state(described: dict[str, Any]) -> str:
    if described["in_service"]:
        return "in_service"
    return "kept" if described["usable"] else "unusable"


def _build_row(session: Session, ledger: Ledger, described: dict[str, Any]) -> dict[str, Any]:
    books = [f"{each['rulebook']} #{each['position']}" for each in described["rulebooks"]]
    state = _state(described)
    digest = described["content_sha256"]
    return {
        "build": described["build"],
        "state": Shown(state, session.pick(_STATES[state])),
        "made_at": Shown(described["made_at"] or "", _local(ledger, described)),
        "position": described["position"],
        "rulebooks": ", ".join(books),
        "megabytes": f"{described['bytes'] / 1e6:.1f}",
        "content_sha256": Shown(digest, digest[:12]) if digest else None,
    }
