"""Rulebooks read: as tables that a committee can sign, compared, and as a schema for editors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from mileage.projections import activity_infos, compare, read_aloud, rulebook_schema

from .base import command, option, pass_session
from .output import Column, Shown, print_table, show
from .rulebooks import SOURCE, stated
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mileage.ledger import Kinds, Label
    from mileage.projections import Edit, Reading, Section

    from .rulebooks import Stated
    from .session import Session
    from .texts import Bilingual

__all__ = ["diff_command", "schema_command", "show_command"]


@command(
    "show",
    "규칙집을 읽기 쉬운 표로 보입니다.\n\n모든 규칙, 날짜별 값, 한도, 제도, 근거, 출처, 이름, 예를"
    " 빠짐없이 보입니다. --format md는 위원회가 서명할 수 있는 Markdown 문서를 씁니다.\n\n"
    "채택한 것은 번호(#3530)나 in-service(오늘 적용 중)로 부릅니다.",
    "Read a rulebook aloud, as tables.\n\nEvery rule, dated value, cap, programme, clause, source,"
    " name and example is there. --format md writes a Markdown document that a committee can"
    " sign.\n\nOne that was adopted is named by its number (#3530) or as in-service: the one"
    " that applies today.",
    [
        "mileage rules show smba-2005.toml",
        "mileage rules show '#3530' --format md > rulebook.md",
        "mileage rules show in-service --lang ko",
    ],
    tabular="json",
)
@click.argument("source", metavar=SOURCE)
@option(
    "--format",
    "form",
    ko="화면의 표 또는 Markdown 문서 [text]",
    en="Tables for the terminal, or a Markdown document  [text]",
    type=click.Choice(["text", "md"]),
    default="text",
)
@pass_session
def show_command(session: Session, source: str, form: str) -> None:
    """Read a rulebook aloud."""
    if form == "md" and session.format == "json":
        raise click.UsageError("--format md and --json exclude each other")
    found = stated(session, source)
    reading = read_aloud(found.rulebook, _activities(session.kinds()))
    if session.format == "json":
        click.echo(json.dumps(_document(found, reading), ensure_ascii=False, indent=2))
    elif form == "md":
        click.echo("\n".join(_markdown(session, found, reading)))
    else:
        click.echo(click.style(session.pick(_headline(found, reading)), bold=True))
        for section in reading.sections:
            _print(session, section)


def _activities(kinds: Kinds) -> dict[str, Label]:
    return {name: kinds.get(name).label for name in activity_infos(kinds)}


def _headline(found: Stated, reading: Reading) -> Words:
    title, each = reading.title, found.adoption
    if each is None:
        return Words(f"{title.ko} ({found.name})", f"{title.en} ({found.name})")
    words = Words(
        f"{title.ko} ({found.name}: {each.adopted_on} 채택, {each.effective_from}부터 시행)",
        f"{title.en} ({found.name}: adopted on {each.adopted_on}, effective from"
        f" {each.effective_from})",
    )
    if not each.reason:
        return words
    reason = each.reason
    return Words(f"{words.ko}; 소급 사유: {reason}", f"{words.en}; reaches back: {reason}")


def _print(session: Session, section: Section) -> None:
    click.echo(f"\n{click.style(session.pick(section.title), bold=True)}")
    numbers = {"number"}
    columns = [
        Column(name, number=name in numbers, wraps=name not in numbers, label=label)
        for name, label in section.columns.items()
    ]
    rows = [dict(zip(section.columns, map(session.pick, row), strict=True)) for row in section.rows]
    print_table(session, columns, rows)


def _document(found: Stated, reading: Reading) -> dict[str, Any]:
    each = found.adoption
    return {
        "name": found.name,
        "rulebook": found.rulebook.id,
        "digest": found.rulebook.digest,
        "adoption": each
        and {
            "position": each.position,
            "adopted_on": each.adopted_on.isoformat(),
            "effective_from": each.effective_from.isoformat(),
            "recorded_by": each.recorded_by,
            "reason": each.reason,
        },
        "title": _both(reading.title),
        "sections": [
            {
                "title": _both(section.title),
                "columns": [
                    {"name": name, **_both(label)} for name, label in section.columns.items()
                ],
                "rows": [
                    dict(zip(section.columns, map(_both, row), strict=True)) for row in section.rows
                ],
            }
            for section in reading.sections
        ],
    }


def _both(label: Bilingual) -> dict[str, str]:
    return {"ko": label.ko, "en": label.en}


# Markdown ------------------------------------------------------------------------------------


def _markdown(session: Session, found: Stated, reading: Reading) -> list[str]:
    pick = session.pick
    lines = [f"# {_escaped(pick(_headline(found, reading)))}"]
    for section in reading.sections:
        heads = [pick(label) for label in section.columns.values()]
        lines += ["", f"## {_escaped(pick(section.title))}", ""]
        lines += _markdown_table(heads, [[pick(cell) for cell in row] for row in section.rows])
    lines += ["", f"## {pick(Words('확인', 'Signed'))}", ""]
    return lines + _markdown_table([pick(head) for head in _SIGNED], [[" "] * len(_SIGNED)] * 3)


_SIGNED = (
    Words("직위", "Position"),
    Words("성명", "Name"),
    Words("서명", "Signature"),
    Words("날짜", "Date"),
)


def _markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    cells = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(map(_escaped, row))} |" for row in cells]


def _escaped(text: str) -> str:
    r"""A text that Markdown takes for nothing but text: ``a \| b``."""
    for sign in "\\|*_`<[":
        text = text.replace(sign, f"\\{sign}")
    return text


# What changed --------------------------------------------------------------------------------


@command(
    "diff",
    "두 규칙집이 무엇에서 다른지 규칙별로 보입니다.\n\n값, 날짜, 한도, 제도, 근거가 바뀐 것과"
    " 더해지거나 끝난 것을 보입니다. 달라도 종료 코드는 0입니다.",
    "Show what changed between two rulebooks, rule by rule.\n\nValues, dates, caps, programmes and"
    " clauses that changed, and what was added or ended. The exit code is 0 also where they"
    " differ.",
    [
        "mileage rules diff smba-2005.toml smba-2005-07.toml",
        "mileage rules diff in-service new.toml --json",
        "mileage rules diff '#3530' '#3531'",
    ],
)
@click.argument("one", metavar=SOURCE)
@click.argument("other", metavar=SOURCE)
@pass_session
def diff_command(session: Session, one: str, other: str) -> None:
    """Compare two rulebooks."""
    before, after = stated(session, one), stated(session, other)
    edits = compare(before.rulebook, after.rulebook)
    document = {
        "before": {"name": before.name, "digest": before.rulebook.digest},
        "after": {"name": after.name, "digest": after.rulebook.digest},
        "same": not edits,
        "changes": [_edit_json(each) for each in edits],
    }
    columns = [
        Column("change", label=Words("구분", "Change")),
        Column("table", label=Words("표", "Table")),
        Column("id", label=Words("대상", "Of"), wraps=True),
        Column("from", label=Words("시행일", "From")),
        Column("key", label=Words("항목", "Key")),
        Column("before", wraps=True),
        Column("after", wraps=True),
    ]
    none = Words(
        "규칙이 같습니다.",
        "They say the same."
        if before.rulebook.digest == after.rulebook.digest
        else "They say the same; only the wording of the text around it differs.",
    )
    show(session, document, columns, [_edit_row(session, each) for each in edits], empty=none)


def _edit_json(each: Edit) -> dict[str, Any]:
    return {
        "change": each.change,
        "table": each.table,
        "id": each.id or None,
        "from": each.valid_from.isoformat() if each.valid_from else None,
        "key": each.key or None,
        "before": each.before or None,
        "after": each.after or None,
    }


def _edit_row(session: Session, each: Edit) -> dict[str, Any]:
    found = _edit_json(each)
    if each.table == "example" and not each.key:  # its title says enough for a table
        found |= {name: Shown(found[name] or "", "") for name in ("before", "after")}
    return {
        **found,
        "change": Shown(each.change, session.pick(_CHANGES[each.change])),
    }


_CHANGES = {
    "added": Words("추가", "added"),
    "ended": Words("폐지", "ended"),
    "changed": Words("변경", "changed"),
    "moved": Words("순서", "moved"),
}


@command(
    "schema",
    "규칙집의 JSON Schema(2020-12)를 씁니다.\n\n편집기(taplo, Even Better TOML)가 쓰는 동안"
    " 점검합니다: 규칙집 첫 줄에 `#:schema ./rulebook.schema.json`을 적습니다.",
    "Write the JSON Schema (2020-12) of rulebooks.\n\nWith it an editor (taplo, Even Better TOML)"
    " checks while one writes: let a rulebook begin with the line `#:schema"
    " ./rulebook.schema.json`.",
    ["mileage rules schema > rulebook.schema.json"],
    tabular=False,
)
@pass_session
def schema_command(session: Session) -> None:
    """Write the schema of rulebooks."""
    kinds = session.kinds()
    schema = rulebook_schema(activity_infos(kinds), _activities(kinds))
    click.echo(json.dumps(schema, ensure_ascii=False, indent=2))
