"""Rulebooks tried: the examples that stand beside their rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from mileage.ledger import format_amount
from mileage.projections import MAIN_ACCOUNT, arithmetic, try_examples

from .asking import line_json
from .base import command, pass_session
from .output import Column, Node, print_tree, show
from .rulebooks import read_rulebook
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mileage.projections import PersonTrial, SelectionTrial, StatementLine, Trial

    from .session import Session

__all__ = ["test_command"]


class _Tried(NamedTuple):
    file: Path
    trial: Trial


@command(
    "test",
    "규칙집에 적힌 예([[example]])를 실제 계산으로 확인합니다.\n\n기대와 다른 예는 줄, 기대한 점수,"
    " 나온 점수, 계산을 보이고 종료 코드는 1입니다.",
    "Work out the examples written beside the rules ([[example]]).\n\nOne that fails is shown with"
    " its line, what was expected, what came out and the arithmetic; the exit code is 1 then.",
    ["mileage rules test smba-2005.toml", "mileage rules test rulebooks/*.toml --json"],
)
@click.argument("files", metavar="FILE...", type=Path, nargs=-1, required=True)
@pass_session
def test_command(session: Session, files: tuple[Path, ...]) -> None:
    """Try the examples of rulebooks."""
    kinds = session.kinds()
    books = [(file, read_rulebook(session, file, kinds)) for file in dict.fromkeys(files)]
    tried = [_Tried(file, trial) for file, book in books for trial in try_examples(book, kinds)]
    failed = [each for each in tried if not each.trial.passed]
    if session.format == "table":
        for each in failed:
            print_tree(_node(session, each))
        _summarise(session, len(tried), len(failed))
    else:
        document = {"ok": not failed, "examples": [_json(each) for each in tried]}
        show(session, document, _COLUMNS, [row for each in tried for row in _rows(each)])
    for file, book in books:
        if not book.examples:
            session.warn(
                f"{file}: 예([[example]])가 없습니다",
                f"{file}: there are no examples ([[example]])",
            )
    if failed:
        raise click.exceptions.Exit(1)


def _summarise(session: Session, count: int, failed: int) -> None:
    s = "s"[: count != 1]
    session.note(
        f"예 {count:,}개 중 {count - failed:,}개가 기대와 같고 {failed:,}개가 다릅니다",
        f"{count:,} example{s}: {count - failed:,} passed, {failed:,} failed",
    )


def _node(session: Session, tried: _Tried) -> Node:
    example = tried.trial.example
    head = session.pick(Words("기대와 다름", "failed"))
    people = [_person_node(session, each) for each in tried.trial.people if not each.passed]
    chosen = [_selection_node(session, each) for each in tried.trial.selections if not each.passed]
    return Node(
        f"{tried.file}:{example.line}: {head}: {session.pick(example.title)}", (*people, *chosen)
    )


def _person_node(session: Session, each: PersonTrial) -> Node:
    wanted, got = format_amount(each.expected), format_amount(each.points)
    main = each.account == MAIN_ACCOUNT
    who, point = (each.person, "점") if main else (f"{each.person} ({each.account})", "")
    said = Words(
        f"{who}: 기대 {wanted}{point}, 결과 {got}{point}",
        f"{who}: expected {wanted}, got {got}",
    )
    if each.expected_cut is not None:
        wanted, got = format_amount(each.expected_cut), format_amount(each.cut)
        said = Words(
            f"{said.ko}; 깎임 기대 {wanted}점, 결과 {got}점",
            f"{said.en}; cut expected {wanted}, got {got}",
        )
    return Node(session.pick(said), tuple(_line_node(session, line) for line in each.lines))


def _line_node(session: Session, line: StatementLine) -> Node:
    thing = "" if line.thing.startswith("#") else f"  {line.thing}"
    head = f"{line.occurred_on}  {session.pick(line.activity)}{thing}: {format_amount(line.points)}"
    rule = f"{session.pick(line.rule_label)} ({line.rule})" if line.rule_label else None
    steps = [session.pick(step) for step in arithmetic(line)]
    return Node(head, tuple(map(Node, filter(None, [rule, *steps]))))


def _selection_node(session: Session, each: SelectionTrial) -> Node:
    graded = any(each.expected.values())
    wanted = ", ".join(_with_grades(each.expected)) or "-"
    got = ", ".join(_with_grades(each.selected) if graded else each.selected) or "-"
    said = Words(
        f"{each.programme}: 선정 기대 {wanted}, 결과 {got}",
        f"{each.programme}: expected in {wanted}, got {got}",
    )
    return Node(session.pick(said))


def _with_grades(people: Mapping[str, str | None]) -> list[str]:
    return [f"{person} {grade}" if grade else person for person, grade in people.items()]


def _json(tried: _Tried) -> dict[str, Any]:
    trial = tried.trial
    return {
        "file": str(tried.file),
        "line": trial.example.line,
        "title": {"ko": trial.example.title.ko, "en": trial.example.title.en},
        "passed": trial.passed,
        "people": [_person_json(each) for each in trial.people],
        "selections": [
            {
                "programme": each.programme,
                "passed": each.passed,
                "expected": list(each.expected),
                "got": list(each.selected),
                "expected_grades": dict(each.expected),
                "got_grades": dict(each.selected),
            }
            for each in trial.selections
        ],
    }


def _person_json(each: PersonTrial) -> dict[str, Any]:
    stated = each.expected_cut is not None
    return {
        "person": each.person,
        "account": each.account,
        "passed": each.passed,
        "expected": format_amount(each.expected),
        "got": format_amount(each.points),
        "expected_cut": format_amount(each.expected_cut or 0) if stated else None,
        "cut": format_amount(each.cut),
        "lines": [
            {
                **line_json(line),
                "steps": [{"ko": step.ko, "en": step.en} for step in arithmetic(line)],
            }
            for line in each.lines
        ],
    }


_COLUMNS: Sequence[Column] = (
    Column("file"),
    Column("line", number=True),
    Column("title"),
    Column("person"),
    Column("account"),
    Column("programme"),
    Column("passed"),
    *(Column(name, number=True) for name in ("expected", "got", "expected_cut", "cut")),
)


def _rows(tried: _Tried) -> Iterator[dict[str, Any]]:
    """Rows of a CSV file: one for each person, and for each programme looked at."""
    found = _json(tried)
    head = {"file": found["file"], "line": found["line"], "title": found["title"]["en"]}
    for each in found["people"]:
        yield {**head, **each, "passed": _passed(each)}
    for each in found["selections"]:
        people = {name: ";".join(each[name]) for name in ("expected", "got")}
        yield {**head, **each, **people, "passed": _passed(each)}


def _passed(each: dict[str, Any]) -> str:
    return "true" if each["passed"] else "false"
