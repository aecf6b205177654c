"""Importing files of facts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click
from mileage.ledger import ImportRefused
from mileage.ledger.importing import import_file

from .base import Failure, command, option, pass_session
from .figures import follow
from .output import Column, progress, show
from .texts import Words

if TYPE_CHECKING:
    from mileage.ledger import Ledger
    from mileage.ledger.importing import ImportResult

    from .session import Session

__all__ = ["import_command"]


@command(
    "import",
    "CSV·JSON Lines 파일의 행을 기록합니다.\n\n잘못된 행이 하나라도 있으면 그 파일은 하나도"
    " 기록하지"
    " 않고, 모든 문제를 file:line: field: … 꼴로 보입니다. --rejects를 쓰면 바른 행은"
    " 기록하고 잘못된 행은"
    " 그 파일에 따로 둡니다. 같은 파일을 다시 넣어도 한 번만 기록됩니다.",
    "Record the rows of CSV and JSON Lines files.\n\nIf any row is wrong, nothing of its file is"
    " recorded and all problems are listed as file:line: field: … With --rejects, good rows are"
    " recorded and bad ones set aside in that file. Importing a file again is harmless."
    "\n\nExit code 1 when a file was refused or rows were set aside.",
    [
        "mileage import units.csv people.csv proposals.csv",
        "mileage import proposals.csv --encoding cp949 --rejects to-correct.csv",
        "mileage import sessions.jsonl --kind learning_club.session_held",
    ],
    by=True,
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=Path)
@option("--kind", ko="행에 종류가 없을 때의 종류", en="Kind of the rows that name none")
@option(
    "--encoding", ko="파일의 인코딩 [utf-8]", en="Encoding of the files  [utf-8]", default="utf-8"
)
@option(
    "--rejects",
    ko="잘못된 행을 따로 둘 파일 (FILE이 하나일 때)",
    en="File to set bad rows aside in (with one FILE)",
    type=Path,
    metavar="FILE",
)
@option("--source", ko="출처 [파일 이름]", en="Where the facts come from  [the file's name]")
@option(
    "--no-catch-up", ko="점수에 반영하지 않음", en="Leave the figures as they are", is_flag=True
)
@pass_session
def import_command(  # noqa: PLR0913, D103 - one for each option; its help is above
    session: Session,
    *,
    files: tuple[Path, ...],
    kind: str | None,
    encoding: str,
    rejects: Path | None,
    source: str | None,
    no_catch_up: bool,
) -> None:
    if rejects and len(files) > 1:
        raise click.UsageError("--rejects takes one FILE: import the others by themselves")
    options = {"kind": kind, "encoding": encoding, "source": source, "rejects": rejects}
    results: list[ImportResult] = []
    with session.ledger() as ledger:
        try:
            for file in files:
                results.append(_import(session, ledger, file, options))  # noqa: PERF401 - kept when one is refused
        except ImportRefused as refused:
            _tell_refusal(session, refused, results, files)
            _show_results(session, results, refused)
            raise click.exceptions.Exit(1) from None
        finally:
            if not no_catch_up and any(result.recorded for result in results):
                follow(session, ledger, build=True)
    _show_results(session, results)
    if any(result.rejected for result in results):
        for problem in results[0].problems:
            click.echo(str(problem), err=True)
        session.warn(f"잘못된 행은 {rejects}에 있습니다", f"the rows set aside are in {rejects}")
        raise click.exceptions.Exit(1)


def _import(session: Session, ledger: Ledger, file: Path, options: dict[str, Any]) -> ImportResult:
    with progress(file.name) as bar:
        return import_file(ledger, file, by=session.by, progress=bar, **options)


def _tell_refusal(
    session: Session, refused: ImportRefused, results: list[ImportResult], files: tuple[Path, ...]
) -> None:
    for problem in refused.problems:
        click.echo(str(problem), err=True)
    name, later = files[len(results)], len(files) - len(results) - 1
    also = f", 뒤의 {later}개 파일도 넣지 않았습니다" if later else ""
    also_en = f", nor of the {later} after it" if later else ""
    failure = Failure(
        session.pick(
            Words(
                f"{name}: 하나도 기록하지 않았습니다{also}",
                f"{name}: nothing of it is recorded{also_en}",
            )
        )
    )
    failure.show()


def _show_results(
    session: Session, results: list[ImportResult], refused: ImportRefused | None = None
) -> None:
    found = [
        {
            "file": result.file,
            "rows": result.rows,
            "recorded": result.recorded,
            "repeated": result.repeated,
            "rejected": result.rejected,
        }
        for result in results
    ]
    document = {
        "files": [
            {**row, "problems": [attrs.asdict(problem) for problem in result.problems]}
            for row, result in zip(found, results, strict=True)
        ]
    }
    if refused:
        problems = [attrs.asdict(problem) for problem in refused.problems]
        none = dict.fromkeys(("recorded", "repeated", "rejected"), 0)
        file = refused.problems[0].file
        document["files"].append({"file": file, "rows": None, **none, "problems": problems})
    columns = [
        Column("file", wraps=True),
        Column("rows", number=True),
        Column("recorded", number=True),
        Column("repeated", number=True),
        Column("rejected", number=True),
    ]
    if found or session.format == "json":
        show(session, document, columns, found)
