"""The shape of every command: two languages, examples, options that may stand anywhere.

An option of ``mileage`` itself (``--ledger``, ``--lang``, ``--module``, ``--by``) is also one of
every command that uses it, so it may stand before or after the command's name.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from datetime import date, datetime
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import click

from .session import Session
from .texts import Words, pick
from .width import pad, width, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .texts import Bilingual, Lang

__all__ = [
    "COUNT",
    "DAY",
    "INSTANT",
    "POSITIVE",
    "Command",
    "Failure",
    "Group",
    "LazyGroup",
    "Option",
    "command",
    "explain_sqlite",
    "format_options",
    "option",
    "pass_session",
    "session_of",
]

FINDING, WRONG_USAGE, INTERRUPTED, READER_GONE = 1, 2, 130, 141
NUMBER_MOST = 2**63 - 1  # of what a database counts
_QUERY_INTERRUPTED = "Query interrupted"  # what DuckDB makes of Ctrl-C


class Failure(click.ClickException):
    """Something was refused or found: a message on stderr and exit code 1."""

    exit_code = FINDING

    def show(self, file: Any = None) -> None:
        """Write the message, in the manner of compilers."""
        del file
        lang = session_of(click.get_current_context(silent=True)).lang
        click.echo(f"{_lead(lang)} {self.message}", err=True)


def _lead(lang: Lang) -> str:
    return click.style(pick(Words("오류:", "error:"), lang), fg="red", bold=True)


class Misuse(Failure):
    """A command was called wrongly: its usage, a message and exit code 2."""

    exit_code = WRONG_USAGE

    def __init__(self, error: click.UsageError) -> None:
        super().__init__(error.format_message())
        self.error = error

    def show(self, file: Any = None) -> None:
        """Write how to call it, and what is wrong."""
        del file
        ctx = self.error.ctx
        lang = session_of(ctx).lang
        if ctx is not None:
            path = ctx.command_path
            hint = Words(f"도움말: {path} --help", f"Try '{path} --help' for help.")
            click.echo(f"{ctx.get_usage()}\n{pick(hint, lang)}\n", err=True)
        click.echo(f"{_lead(lang)} {pick(_misuse(self.error), lang)}", err=True)


def _misuse(error: click.UsageError) -> Bilingual:
    """What is wrong with a call, in two languages where it is something common."""
    told = error.format_message()
    match error:
        case click.MissingParameter():
            return Words(f"{_named(error)} 값이 없습니다", told)
        case click.BadParameter() if error.param is not None:
            return Words(f"{_named(error)} 값이 잘못되었습니다: {error.message}", told)
        case click.BadOptionUsage():
            return Words(f"{error.option_name} 옵션을 잘못 썼습니다: {told}", told)
        case click.NoSuchCommand():
            near = f" (가까운 것: {', '.join(error.possibilities)})" if error.possibilities else ""
            return Words(f"{error.command_name} 명령은 없습니다{near}", told)
        case click.NoSuchOption():
            near = f" (가까운 것: {', '.join(error.possibilities)})" if error.possibilities else ""
            return Words(f"{error.option_name} 옵션은 없습니다{near}", told)
        case _:
            return Words(told, told)


def _named(error: click.BadParameter) -> str:
    """The option or argument that an error is about."""
    if error.param_hint is not None:
        hint = error.param_hint
        return hint if isinstance(hint, str) else " / ".join(hint)
    return error.param.get_error_hint(error.ctx) if error.param else ""


def session_of(ctx: click.Context | None) -> Session:
    """The session a context belongs to."""
    return (ctx and ctx.find_object(Session)) or Session()


pass_session = click.make_pass_decorator(Session)


class Formatter(click.HelpFormatter):
    """Help whose lines are measured in terminal cells, so that Korean text stays aligned."""

    def write_text(self, text: str) -> None:
        """Write paragraphs, wrapped."""
        indent = " " * self.current_indent
        paragraphs = [
            "".join(f"{indent}{line}\n" for line in wrap(" ".join(part.split()), self._room()))
            for part in text.split("\n\n")
        ]
        self.write("\n".join(paragraphs))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write terms and what they mean in two columns."""
        rows = list(rows)
        longest = max((width(term) for term, _ in rows), default=0)
        column = min(longest, col_max, self._room() // 2) + col_spacing
        indent = " " * self.current_indent
        for term, meaning in rows:
            lines = wrap(meaning, max(self._room() - column, 10))
            fits = width(term) <= column - col_spacing
            head = pad(term, column) + lines.pop(0) if fits and meaning else term
            self.write(f"{indent}{head}\n")
            for line in lines if meaning else []:
                self.write(f"{indent}{' ' * column}{line}\n")

    def _room(self) -> int:
        return max(self.width - self.current_indent, 20)


class Context(click.Context):
    """A context whose help is measured in cells."""

    formatter_class = Formatter


class Option(click.Option):
    """An option with help in two languages."""

    def __init__(self, *args: Any, words: Bilingual, **kwargs: Any) -> None:
        self.words = words
        kwargs["help"] = words.en
        super().__init__(*args, **kwargs)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The option and its help in the session's language."""
        self.help = pick(self.words, session_of(ctx).lang)
        return super().get_help_record(ctx)


def option(*names: str, ko: str, en: str, **kwargs: Any) -> Callable[[Any], Any]:
    """Declare an option with help in two languages; else as ``click.option``."""
    return click.option(*names, cls=Option, words=Words(ko, en), **kwargs)


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value not in (None, ()):
        session_of(ctx).give(str(param.name), value)


def _shared_options(*, by: bool) -> list[click.Parameter]:
    def shared(name: str, words: Words, **kwargs: Any) -> Option:
        return Option(
            [name], words=words, expose_value=False, is_eager=True, callback=_remember, **kwargs
        )

    options = [
        shared(
            "--ledger",
            Words(
                "원장 파일 [MILEAGE_LEDGER; 기본 mileage.sqlite]",
                "The ledger's file  [MILEAGE_LEDGER; mileage.sqlite unless given]",
            ),
            metavar="PATH",
        ),
        shared(
            "--lang",
            Words("보이는 언어 [MILEAGE_LANG]", "Language of what is shown  [MILEAGE_LANG]"),
            type=click.Choice(["ko", "en"]),
        ),
        shared(
            "--module",
            Words(
                "기관 고유의 활동 종류를 정의한 모듈 [MILEAGE_MODULES]",
                "Module that declares kinds of your own  [MILEAGE_MODULES]",
            ),
            metavar="NAME",
            multiple=True,
        ),
    ]
    if by:
        options.append(
            shared(
                "--by",
                Words("기록하는 사람의 식별자 [MILEAGE_BY]", "Id of who records it  [MILEAGE_BY]"),
                metavar="ID",
            )
        )
    return list(options)


def format_options() -> list[click.Parameter]:
    """``--json`` and ``--csv``."""

    def chosen(name: str, words: Words) -> Option:
        def choose(ctx: click.Context, _param: click.Parameter, value: object) -> None:
            session = session_of(ctx)
            if value and session.format not in ("table", name):
                raise click.UsageError("--json and --csv exclude each other", ctx)
            if value:
                session.format = name

        return Option([f"--{name}"], words=words, is_flag=True, expose_value=False, callback=choose)

    return [
        chosen("json", Words("JSON 문서 하나로 출력", "Print one JSON document")),
        chosen("csv", Words("CSV(UTF-8)로 출력", "Print CSV (UTF-8)")),
    ]


class _Helped:
    """Help in the session's language, for commands and groups alike."""

    words: Bilingual
    examples: tuple[str, ...]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc,no-any-return]
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        pieces = cast("click.Command", self).collect_usage_pieces(ctx)
        prefix = pick(Words("사용법: ", "Usage: "), session_of(ctx).lang)
        indent = " " * width(prefix)
        lines = wrap(" ".join([ctx.command_path, *pieces]), max(formatter.width - len(indent), 20))
        formatter.write(prefix + f"\n{indent}".join(lines) + "\n")

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(pick(self.words, session_of(ctx).lang))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        params = cast("click.Command", self).get_params(ctx)
        records = [record for each in params if (record := each.get_help_record(ctx))]
        with formatter.section(pick(Words("옵션", "Options"), session_of(ctx).lang)):
            formatter.write_dl(records)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(pick(Words("예", "Examples"), session_of(ctx).lang)):
            for example in self.examples:
                formatter.write(f"{' ' * formatter.current_indent}{example}\n")

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        found = super().get_help_option(ctx)  # type: ignore[misc]
        if found:
            found.help = pick(
                Words("이 도움말을 보이고 끝냄", "Show this help"), session_of(ctx).lang
            )
        return cast("click.Option | None", found)


class Command(_Helped, click.Command):
    """A command with help and examples in two languages.

    Args:
        words: Help; its first sentence is what the list of commands shows.
        examples: Command lines that work.
        tabular: Whether it can answer as JSON or CSV; ``"json"`` for JSON only.
        by: Whether it records, and so takes ``--by``.
    """

    context_class = Context

    def __init__(
        self,
        *args: Any,
        words: Bilingual,
        examples: Sequence[str],
        tabular: bool | str = True,
        by: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.words, self.examples = words, tuple(examples)
        formats = format_options() if tabular else []
        self.params += (formats[:1] if tabular == "json" else formats) + _shared_options(by=by)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what goes wrong is told with the options of this command."""
        with told(ctx):
            return super().invoke(ctx)


def command(
    name: str, ko: str, en: str, examples: Sequence[str], **kwargs: Any
) -> Callable[[Callable[..., Any]], Command]:
    """Declare a command with help in two languages; see ``Command``."""
    return click.command(name, cls=Command, words=Words(ko, en), examples=examples, **kwargs)


class Group(_Helped, click.Group):
    """A group of commands with help in two languages."""

    context_class = Context
    command_class = Command

    def __init__(
        self, *args: Any, words: Bilingual, examples: Sequence[str], by: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.words, self.examples = words, tuple(examples)
        self.params += _shared_options(by=by)

    def short_words(self, ctx: click.Context, name: str) -> Bilingual:
        """What a command does, in one line."""
        found = self.get_command(ctx, name)
        assert isinstance(found, (Command, Group)), name  # noqa: S101 - nothing else is added
        ko, _, _ = found.words.ko.partition("\n")
        en, _, _ = found.words.en.partition("\n")
        return Words(ko.removesuffix("."), en.removesuffix("."))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands."""
        lang = session_of(ctx).lang
        rows = [(name, pick(self.short_words(ctx, name), lang)) for name in self.list_commands(ctx)]
        with formatter.section(pick(Words("명령", "Commands"), lang)):
            formatter.write_dl(rows)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands in the order of their declaration."""
        del ctx
        return list(self.commands)


class LazyGroup(Group):
    """The whole command line: lists its commands without importing them.

    Args:
        lazy: For each command the module it stands in and its line in the list.
    """

    def __init__(self, *args: Any, lazy: dict[str, tuple[str, Words]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands."""
        del ctx
        return list(self.lazy)

    def short_words(self, ctx: click.Context, name: str) -> Bilingual:
        """What a command does, in one line."""
        del ctx
        return self.lazy[name][1]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in self.lazy:
            return None
        module = import_module(f".{self.lazy[cmd_name][0]}", __package__)
        found: click.Command = getattr(module, cmd_name.replace("-", "_") + "_command")
        return found

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Begin a session."""
        extra["obj"] = extra.get("obj") or Session()
        if os.environ.get("NO_COLOR"):
            extra["color"] = False
        with told(click.Context(self, info_name=info_name, obj=extra["obj"])):
            _check_text(args)
            _take_language(args, extra["obj"])
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what goes wrong becomes a message and an exit code."""
        with told(ctx):
            return super().invoke(ctx)


def _check_text(args: Sequence[str]) -> None:
    """Refuse what no file name, code or text can hold: bytes that are no UTF-8, and NUL."""
    for arg in args:
        if "\0" in arg or any("\ud800" <= sign <= "\udfff" for sign in arg):
            msg = f"{arg!a} is no text in UTF-8: look at the encoding of the terminal or script"
            raise click.UsageError(msg)


def _take_language(args: Sequence[str], session: Session) -> None:
    """Know the language before options are read, so that what is wrong with them is told in it."""
    for name, value in pairwise([*(part for arg in args for part in arg.split("=", 1)), ""]):
        if name == "--lang" and value in ("ko", "en"):
            session.give("lang", value)


def _tell_interrupted(ctx: click.Context) -> None:
    click.echo(pick(Words("중단했습니다", "interrupted"), session_of(ctx).lang), err=True)
    ctx.exit(INTERRUPTED)


@contextmanager
def told(ctx: click.Context) -> Iterator[None]:
    """Turn errors into messages on stderr and exit codes, never into a traceback."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        error.ctx = error.ctx or ctx
        raise Misuse(error) from error
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except KeyboardInterrupt:
        _tell_interrupted(ctx)
    except BrokenPipeError:
        _let_go_of_output()
        ctx.exit(READER_GONE)
    except Exception as error:
        if isinstance(error, RuntimeError) and str(error) == _QUERY_INTERRUPTED:
            _tell_interrupted(ctx)
        if os.environ.get("MILEAGE_DEBUG"):
            raise
        raise Failure(_explain(error, ctx)) from error


def _let_go_of_output() -> None:
    """Whoever read our output has gone: send the rest nowhere, in silence."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
    except OSError:  # no descriptor to redirect; nothing is left to say
        return


def _explain(error: Exception, ctx: click.Context) -> str:  # noqa: PLR0911 - one for each kind of error
    """One message for an error, as a person needs it."""
    from mileage.ledger.errors import ImportRefused, InvalidFact, MileageError, Refused  # noqa: PLC0415 - only when something went wrong

    if isinstance(error, ImportRefused):
        return str(error)
    if isinstance(error, (InvalidFact, Refused)):
        at = f"{_option_of(error.field, ctx)}: " if error.field else ""
        rule = f" [{error.rule}]" if isinstance(error, Refused) else ""
        return f"{at}{error.reason}{rule}" + (f" ({error.remedy})" if error.remedy else "")
    if isinstance(error, MileageError):
        return str(error)
    problems = getattr(error, "problems", None)
    if problems:  # a RulebookError, known by what it has: its module is slow to import
        return "\n".join(map(str, problems))
    if isinstance(error, OSError):
        hint = " (look at its permissions)" if isinstance(error, PermissionError) else ""
        return f"{error.filename or ''}: {error.strerror or error}{hint}".removeprefix(": ")
    if isinstance(error, sqlite3.Error):
        return explain_sqlite(str(error))
    return f"{type(error).__name__}: {error} (a fault of this program; MILEAGE_DEBUG=1 shows where)"


_SQLITE = (
    (("locked", "busy"), "another process is writing the figures; try again when it is done"),
    (
        ("readonly", "read-only", "unable to open"),
        "a file beside the ledger cannot be written; look at the permissions of the folder",
    ),
    (
        ("malformed", "not a database", "no such table", "no such column"),
        "a file beside the ledger is damaged; if it is of the figures, run `mileage rebuild`",
    ),
    (("disk is full", "disk i/o"), "the disk is full or failing"),
)


def explain_sqlite(told: str) -> str:
    """What the database says of a file beside the ledger, and what can be done."""
    for words, meaning in _SQLITE:
        if any(word in told.lower() for word in words):
            return f"{meaning} ({told})"
    return f"SQLite: {told}"


def _option_of(field: str, ctx: click.Context) -> str:
    """The option or argument of the command that gives a field; some have other names."""
    own = f"--{field.replace('_', '-')}"
    options = {name for param in ctx.command.params for name in param.opts}
    found = next((name for name in (own, *_OTHER_NAMES.get(field, ())) if name in options), own)
    return found if found.startswith("-") else found.upper()


_OTHER_NAMES = {
    "occurred_on": ("--on", "--opened-on"),
    "recorded_by": ("--by",),
    "fact": ("key",),
    "key": ("--own-key",),
}


class _Day(click.ParamType):  # type: ignore[type-arg]  # generic in later versions
    """A civil date."""

    name = "yyyy-mm-dd"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        if isinstance(value, date):
            return value
        from mileage.ledger.fields import parse_date  # noqa: PLC0415 - slow, and not for --help

        try:
            return parse_date(value)
        except ValueError as error:
            ko = f"{value!r}: 2005-03-02처럼 적은, 달력에 있는 날짜가 아닙니다"
            self.fail(session_of(ctx).pick(Words(ko, str(error))), param, ctx)


class _Instant(click.ParamType):  # type: ignore[type-arg]  # generic in later versions
    """An instant, or a date for the end of that day; the ledger's zone where none is given."""

    name = "instant"

    def convert(self, value: Any, param: Any, ctx: Any) -> date | datetime:
        if isinstance(value, date):
            return value
        if "T" not in value:
            return DAY.convert(value, param, ctx)
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            words = Words(
                f"{value!r}: 2005-03-02T17:30+09:00처럼 적은 때가 아닙니다",
                "not an instant such as 2005-03-02T17:30+09:00",
            )
            self.fail(session_of(ctx).pick(words), param, ctx)


class _Whole(click.ParamType):  # type: ignore[type-arg]  # generic in later versions
    """A whole number from a least one on, up to what a database counts."""

    name = "integer"

    def __init__(self, least: int) -> None:
        self.least = least

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        text = str(value)
        short = text.isascii() and text.isdecimal() and len(text) <= len(str(NUMBER_MOST))
        number = int(text) if short else -1
        if not self.least <= number <= NUMBER_MOST:
            words = Words(
                f"{value!r}: {self.least} 이상의 정수가 아닙니다",
                f"{value!r} is no whole number from {self.least} on",
            )
            self.fail(session_of(ctx).pick(words), param, ctx)
        return number


POSITIVE = _Whole(1)
COUNT = _Whole(0)
DAY = _Day()
INSTANT = _Instant()
