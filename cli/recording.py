"""Recording: a new ledger, one fact, a void."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from .base import DAY, Command, Group, Option, command, option, pass_session, session_of
from .output import Column, show
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from mileage.ledger import Kind
    from mileage.ledger.fields import FieldType

    from .session import Session

__all__ = ["init_command", "kinds_command", "record_command", "void_command"]

# Their own commands record these, with more checks than a bare fact gets.
OWN_COMMANDS = {
    "ledger.opened": "init",
    "rulebook.adopted": "rules adopt",
    "fact.voided": "void",
    "redemption.made": "redeem",
}

METAVAR_MAX = 65
"""So many characters of a choice's words stand beside its option; the widest help has 80."""


@command(
    "init",
    "원장을 새로 만듭니다.\n\n시간대는 나중에 바꿀 수 없습니다. 모든 날짜가 그 시간대의"
    " 날짜입니다.",
    "Make a new ledger.\n\nThe time zone cannot be changed later: all dates are days of that zone.",
    ["mileage --ledger smba.sqlite init --organisation 중소기업청 --opened-on 2005-02-01"],
    tabular="json",
    by=True,
)
@option("--organisation", ko="기관 이름", en="Name of the organisation", required=True)
@option(
    "--time-zone",
    ko="날짜의 시간대 (IANA) [Asia/Seoul]",
    en="Zone of all dates, an IANA name  [Asia/Seoul]",
    default="Asia/Seoul",
    metavar="ZONE",
)
@option("--opened-on", ko="개설일 [오늘]", en="Date of opening  [today]", type=DAY)
@pass_session
def init_command(
    session: Session, organisation: str, time_zone: str, opened_on: date | None
) -> None:
    """Make a ledger file."""
    from mileage.ledger import Ledger  # noqa: PLC0415 - slow, and not for --help

    with Ledger.create(
        session.path,
        organisation=organisation,
        time_zone=time_zone,
        recorded_by=session.by,
        opened_on=opened_on,
        kinds=session.kinds(),
    ) as ledger:
        first = next(ledger.facts(upto=1)).fact
        document = {
            "ledger": str(session.path),
            "organisation": organisation,
            "time_zone": ledger.time_zone.key,
            "opened_on": first.occurred_on.isoformat(),
        }
    if session.format == "json":
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        click.echo(
            session.pick(
                Words(
                    f"{session.path}: {organisation}의 원장을 {first.occurred_on}자로 열었습니다"
                    f" ({time_zone})",
                    f"{session.path}: opened for {organisation} on {first.occurred_on}"
                    f" ({time_zone})",
                )
            )
        )


class RecordGroup(Group):
    """One command for every kind of fact, made of the kind's declaration."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the kinds."""
        return [kind.name for kind in session_of(ctx).kinds() if kind.name not in OWN_COMMANDS]

    def short_words(self, ctx: click.Context, name: str) -> Any:
        """The kind's name in both languages."""
        return session_of(ctx).kinds().get(name).label

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Make the command of a kind."""
        kinds = session_of(ctx).kinds()
        if cmd_name not in kinds or cmd_name in OWN_COMMANDS:
            return None
        return _record_command(kinds.get(cmd_name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a module named after the kind may be the one that declares it."""
        for index, arg in enumerate(args):
            flag, equals, value = arg.partition("=")
            if flag == "--module" and (equals or index + 1 < len(args)):
                session_of(ctx).give("module", (value if equals else args[index + 1],))
        name = args[0]
        if self.get_command(ctx, name) is None:
            self._refuse(ctx, name)
        return super().resolve_command(ctx, args)

    def _refuse(self, ctx: click.Context, name: str) -> None:
        from mileage.ledger import UnknownKind  # noqa: PLC0415 - slow, and not for --help

        if name in OWN_COMMANDS:
            own = OWN_COMMANDS[name]
            raise click.UsageError(f"{name} has a command of its own: mileage {own}", ctx)
        try:
            session_of(ctx).kinds().get(name)
        except UnknownKind as error:
            raise click.UsageError(f"{error}; `mileage kinds` lists them all", ctx) from None


record_command = RecordGroup(
    name="record",
    words=Words(
        "있었던 일 하나를 기록합니다.\n\n종류마다 명령이 하나씩 있습니다. 여러 사람은 옵션을"
        " 되풀이하거나"
        " 'P1:60;P2:40'처럼 씁니다.",
        "Record one fact.\n\nThere is a command for each kind. Several people are given by"
        " repeating"
        " the option, or as 'P1:60;P2:40'.",
    ),
    examples=(
        "mileage record member.joined --on 2005-01-03 --person P00001 --unit HQ-PLAN --rank G5",
        "mileage record proposal.adopted --on 2005-03-02 --proposal 2005-0012 --grade gold",
        "mileage record proposal.submitted --help",
    ),
    by=True,
)


def _record_command(kind: Kind) -> Command:
    flags = {name: _flag(name) for name in kind.fields}
    params: list[click.Parameter] = [
        _field_option(flags[name], name, field) for name, field in kind.fields.items()
    ]
    params += [
        Option(["--on"], words=Words("날짜 [오늘]", "Date it happened  [today]"), type=DAY),
        Option(
            ["--key"],
            words=Words(
                "출처에서의 키 [종류와 식별자로 만듦]", "Its key in the source  [kind and ids]"
            ),
        ),
        Option(
            ["--source"], words=Words("출처 [cli]", "Where it comes from  [cli]"), default="cli"
        ),
    ]

    @pass_session
    def record(session: Session, /, **options: Any) -> None:
        cells = {name: _text(options[_param(flag)]) for name, flag in flags.items()}
        _record(session, kind, cells, options)

    return Command(
        kind.name,
        callback=record,
        params=params,
        words=Words(f"{kind.label.ko}: 기록합니다.", f"{kind.label.en}.\n\n{kind.help}"),
        examples=[_example(kind, flags)],
        tabular="json",
        by=True,
    )


def _flag(name: str) -> str:
    """Option of a field; where the command has one of that name already, a longer one."""
    flag = f"--{name.replace('_', '-')}"
    taken = {"--on", "--key", "--source", "--by", "--ledger", "--lang", "--module", "--json"}
    return f"--its-{name.replace('_', '-')}" if flag in taken or flag == "--help" else flag


def _param(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")


def _field_option(flag: str, name: str, field: FieldType) -> Option:
    from mileage.ledger.fields import Choice, Codes, Shares  # noqa: PLC0415 - slow

    several = isinstance(field, (Codes, Shares))
    choices = list(field.words) if isinstance(field, Choice) else []
    metavar = f"[{'|'.join(choices)}]" if choices else _sample(name, field)[1]
    listed = ""
    if len(metavar) > METAVAR_MAX:  # what is too long to stand in a column stands in the text
        metavar, listed = _sample(name, field)[1], f": {', '.join(choices)}"
    return Option(
        [flag, _param(flag)],
        words=Words(field.ko + listed, field.en + listed),
        required=not field.optional,
        multiple=several,
        metavar=metavar,
    )


def _text(value: str | tuple[str, ...] | None) -> str | None:
    return ";".join(value) if isinstance(value, tuple) else value


def _record(
    session: Session, kind: Kind, cells: Mapping[str, Any], options: Mapping[str, Any]
) -> None:
    from .facts import print_recorded  # noqa: PLC0415 - slow, and not for --help
    from .figures import follow  # noqa: PLC0415

    with session.ledger() as ledger:
        recorded = ledger.record(
            kind.parse(cells),
            on=options["on"] or ledger.today(),
            by=session.by,
            source=options["source"],
            key=options["key"],
        )
        print_recorded(session, ledger, recorded)
        follow(session, ledger)


def _sample(name: str, field: FieldType) -> tuple[str, str]:  # noqa: C901, PLR0911, PLR0912 - a case for each
    """A value as an example, and the word that stands for values of the type."""
    from mileage.ledger import fields as types  # noqa: PLC0415 - slow

    match field:
        case types.Shares():
            return "P00001:60;P00002:40", "ID[:PERCENT]"
        case types.People():
            return "P00001;P00002", "ID"
        case types.Units():
            return "RO-SEOUL;RO-GYEONGGI", "CODE"
        case types.Codes():
            return "gold;silver;bronze", "CODE"
        case types.Person():
            return "P00001", "ID"
        case types.Hours():
            return "1.5", "HOURS"
        case types.Amount():
            return "70.3", "NUMBER"
        case types.Whole():
            return str(max(field.least, min(field.most, 10))), "NUMBER"
        case types.Day():
            return "2005-03-02", "YYYY-MM-DD"
        case types.Choice():
            return next(iter(field.words)), "WORD"
        case types.PeriodCode():
            return "2004", "PERIOD"
        case types.Code():
            codes = {
                "proposal": "2005-0012",
                "unit": "HQ-PLAN",
                "into": "2005-0011" if isinstance(field, types.Reference) else "RO-SEOUL",
                "rank": "G5",
                "grade": "gold",
                "person": "P00001",
            }
            return codes.get(name, f"{name.upper().replace('_', '-')}-1"), "CODE"
        case _:
            return field.en, "TEXT"


def _example(kind: Kind, flags: Mapping[str, str]) -> str:
    """A fact as it could be recorded, with the first of the fields that may be left out.

    Further ones are often given in the place of it, such as another evaluator.
    """
    parts = [f"mileage record {kind.name} --on 2005-03-02"]
    optional = [name for name, field in kind.fields.items() if field.optional]
    for name, field in kind.fields.items():
        if name in optional[1:]:
            continue
        value = _sample(name, field)[0]
        quoted = f'"{value}"' if set(value) & set(" ;") else value
        parts.append(f"{flags[name]} {quoted}")
    return " ".join(parts)


@command(
    "void",
    "잘못 기록한 것을 취소합니다.\n\n기록은 그대로 남고, 정한 날부터 계산에 들어가지"
    " 않습니다. KEY는"
    " `mileage history`에서 볼 수 있습니다.",
    "Void a fact recorded in error.\n\nThe fact stays on record and no longer counts from the date"
    " on. `mileage history` shows its KEY.",
    [
        'mileage void proposal.submitted:2005-0012 --reason "entered twice" --on 2005-03-09',
    ],
    tabular="json",
    by=True,
)
@click.argument("key", metavar="KEY")
@option("--reason", ko="사유", en="Why it does not count", required=True)
@option("--on", ko="이 날부터 [오늘]", en="From this date on  [today]", type=DAY)
@option("--own-key", ko="취소 기록 자체의 키", en="Key of the void itself")
@option("--source", ko="출처 [cli]", en="Where it comes from  [cli]", default="cli")
@pass_session
def void_command(  # noqa: PLR0913, D103 - one for each option; its help is above
    session: Session, key: str, *, reason: str, on: date | None, own_key: str | None, source: str
) -> None:
    from .facts import print_recorded  # noqa: PLC0415 - slow, and not for --help
    from .figures import follow  # noqa: PLC0415

    with session.ledger() as ledger:
        recorded = ledger.void(
            key,
            reason=reason,
            on=on or ledger.today(),
            by=session.by,
            source=source,
            key=own_key,
        )
        print_recorded(session, ledger, recorded)
        follow(session, ledger)


@command(
    "kinds",
    "기록할 수 있는 종류와 그 항목을 보입니다.\n\n*가 붙은 항목은 비워 둘 수 있습니다.",
    "List the kinds of facts and their fields.\n\nA field marked * may be left empty.",
    [
        "mileage kinds",
        "mileage --module our_kinds kinds --json",
        "mileage kinds --json-schema > row.schema.json",
    ],
)
@option(
    "--json-schema",
    "as_schema",
    ko="JSON Lines 한 행의 JSON Schema(2020-12)를 출력",
    en="Print the JSON Schema (2020-12) of a row of a JSON Lines file",
    is_flag=True,
)
@pass_session
def kinds_command(session: Session, *, as_schema: bool) -> None:  # noqa: D103 - its help is above
    kinds = list(session.kinds())
    if as_schema:
        from mileage.ledger import row_schema  # noqa: PLC0415 - slow, and not for --help
        from mileage.ledger.importing import NOT_IMPORTED  # noqa: PLC0415

        schema = row_schema(kind for kind in kinds if kind.name not in NOT_IMPORTED)
        click.echo(json.dumps(schema, ensure_ascii=False, indent=2))
        return
    document = {"kinds": [_kind_json(kind) for kind in kinds]}
    rows = [
        {
            "kind": kind.name,
            "label": session.pick(kind.label),
            "fields": ", ".join(
                f"{name}*" if field.optional else name for name, field in kind.fields.items()
            ),
        }
        for kind in kinds
    ]
    columns = [Column("kind"), Column("label", wraps=True), Column("fields", wraps=True)]
    show(session, document, columns, rows)


def _kind_json(kind: Kind) -> dict[str, Any]:
    return {
        "kind": kind.name,
        "label": {"ko": kind.label.ko, "en": kind.label.en},
        "help": kind.help,
        "earns": kind.activity is not None,
        "conditions": [
            {"field": name, "said_by": source or kind.name}
            for name, source in (kind.activity.conditions if kind.activity else {}).items()
        ],
        "fields": [
            {
                "field": name,
                "label": {"ko": field.ko, "en": field.en},
                "optional": field.optional,
                "schema": field.schema(),
            }
            for name, field in kind.fields.items()
        ],
    }
