"""Profiles of HR batches: those there are, what one has, and what is wrong with one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import click
from mileage.projections import find_profile, shipped_profiles

from .base import command, option, pass_session
from .output import Column, show
from .texts import Words

if TYPE_CHECKING:
    from mileage.projections import Profile

    from .session import Session

__all__ = ["profiles_command"]


@command(
    "profiles",
    ko="묶음 파일의 양식을 보입니다.\n\n이름을 주면 그 양식의 열을, 파일을 주면 그 파일을 점검하고"
    " 그 열을 보입니다. --toml은 고쳐 쓰도록 그 내용을 그대로 출력합니다.",
    en="Show the profiles of batch files.\n\nWith a name, the columns of that one; with a file, the"
    " file is checked, all problems at once, and its columns shown. --toml prints its text, to make"
    " one of your own of it.",
    examples=[
        "mileage hr profiles",
        "mileage hr profiles effective-dated --toml > payroll.toml",
        "mileage hr profiles payroll.toml",
    ],
)
@click.argument("profile", metavar="[NAME|FILE]", required=False)
@option("--toml", ko="양식의 TOML 내용을 출력", en="Print its text as TOML", is_flag=True)
@pass_session
def profiles_command(session: Session, profile: str | None, *, toml: bool) -> None:
    """Show all profiles, or one."""
    if profile is None:
        if toml:
            raise click.UsageError("--toml needs the NAME of a profile")
        _show_all(session)
        return
    found = find_profile(profile)
    if toml and profile not in shipped_profiles():
        raise click.UsageError("--toml is for the profiles that come with mileage")
    if toml:
        click.echo(shipped_profiles()[profile], nl=False)
        return
    rows: list[dict[str, Any]] = [
        {
            "place": number,
            "name": column.name,
            "field": column.field or None,
            "constant": None if column.field else column.constant,
            "decimals": column.decimals,
            "kind": column.kind,
        }
        for number, column in enumerate(found.columns, 1)
    ]
    document = {**_about(found), "columns": rows}
    columns = [
        Column("place", number=True),
        Column("name", wraps=True, label=Words("열 이름", "Name")),
        Column("field", label=Words("채우는 값", "Filled from")),
        Column("constant", wraps=True, label=Words("고정값", "Constant")),
        Column("decimals", number=True, label=Words("소수 자리", "Decimals")),
        Column("kind", label=Words("유형", "Type")),
    ]
    title = f"{session.pick(found.title)} ({found.id}, {_terms(found)})"
    show(session, document, columns, rows, title=title if session.format == "table" else "")


def _show_all(session: Session) -> None:
    found = [find_profile(name) for name in shipped_profiles()]
    rows = [
        {"profile": each.id, "title": session.pick(each.title), "terms": _terms(each)}
        for each in found
    ]
    columns = [
        Column("profile", label=Words("양식", "Profile")),
        Column("title", wraps=True),
        Column("terms", wraps=True, label=Words("형식", "Format")),
    ]
    show(session, {"profiles": [_about(each) for each in found]}, columns, rows)


def _about(profile: Profile) -> dict[str, Any]:
    about = attrs.asdict(profile, filter=lambda field, _: field.name not in ("title", "columns"))
    return {
        "profile": about.pop("id"),
        "title_ko": profile.title.ko,
        "title_en": profile.title.en,
        **about,
    }


def _terms(profile: Profile) -> str:
    if profile.format != "csv":
        return profile.format
    delimiter = {"\t": "tab"}.get(profile.delimiter, profile.delimiter)
    return f"csv {profile.encoding} {delimiter}"
