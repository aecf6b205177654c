"""Reports as Markdown and HTML: templates filled with a report's data, the same bytes each time.

Texts of the ledger are escaped in both forms. The HTML is one file that needs no network; its
charts are inline SVG and print as they are.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from mileage.ledger import format_amount
from mileage.ledger.kinds.support import ITEMS
from mileage.projections.coverage import WHY
from mileage.projections.days import day_before
from mileage.projections.measures import shown
from mileage.projections.ratios import percent_text, quotient_text, rounded

from .competition import STAGES
from .eligibility import decided_counts
from .indicators import indicator_json, indicator_outcome, target_text
from .report_words import words
from .texts import OUTCOMES, Lang, pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mileage.ledger import Label
    from mileage.projections import IndicatorResult, Report, Selection
    from mileage.projections.participation import Month

    from .texts import Bilingual

__all__ = ["FORMATS", "Names", "render"]

FORMATS = ("md", "html")
TEXT_BAR_CELLS = 20
CHART_WIDTH, CHART_HEIGHT, CHART_FOOT, CHART_HEAD = 720, 180, 24, 18
COLUMN_SHARE = 64
LISTED_MOST = 30
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&!])")


class Names(NamedTuple):
    """How ids and codes are shown.

    Attributes:
        people: Names by person, of those who have one.
        units: Names of the units by code, in the order in which units are listed.
        codes: Names of grades and the like.
    """

    people: Mapping[str, str]
    units: Mapping[str, Label]
    codes: Mapping[str, Label]


class ChartColumn(NamedTuple):
    """A column of the chart of months, in units of its view box.

    Attributes:
        x: Left edge.
        y: Upper edge.
        width: Width.
        height: Height.
        middle: Middle of its place, where its texts stand.
        name: What stands below it.
        value: What stands above it.
    """

    x: str
    y: str
    width: str
    height: str
    middle: str
    name: str
    value: int


def render(report: Report, form: str, lang: Lang, names: Names) -> str:
    """Write a report.

    Args:
        report: The report.
        form: ``md`` or ``html``.
        lang: Language of the document.
        names: How ids and codes are shown.
    """
    environment = Environment(
        loader=PackageLoader(__package__ or "mileage.cli", "templates"),
        autoescape=select_autoescape(["html.j2"]),
        finalize=_markdown if form == "md" else None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.get_template(f"report.{form}.j2")
    return template.render(r=report, lang=lang, **_helpers(report, lang, names))


def _helpers(report: Report, lang: Lang, names: Names) -> dict[str, Any]:
    """What the templates call."""
    t, zone = words(lang), ZoneInfo(report.time_zone)

    def word(text: Bilingual | None) -> str:
        return pick(text, lang) if text else ""

    return {
        "t": t,
        "word": word,
        "amount": _amount,
        "instant": lambda instant: f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        "number": lambda value: f"{value:,}",
        "percent": _percent,
        "quota": lambda quota: t.no_quota if quota is None else t.quota.format(quota=f"{quota:,}"),
        "person": lambda person: " ".join(filter(None, [person, names.people.get(person)])),
        "unit": lambda code: word(names.units[code]) if code in names.units else code or "-",
        "code": lambda code: word(names.codes[code]) if code in names.codes else code or "",
        "units": _in_order(report, names),
        "item": lambda name: word(ITEMS[name]) if name else t.returned_item,
        "why": lambda name: word(WHY[name]) if name in WHY else name,
        "outcome": lambda name: word(OUTCOMES[name]) if name in OUTCOMES else name,
        "indicator": lambda each: {
            **indicator_json(each),
            "target": target_text(each),
            "outcome": word(indicator_outcome(each)),
            "achieved": _achieved(each),
        },
        "stage": lambda name: word(STAGES[name]),
        "points": shown,
        "reached": rounded,
        "decided": lambda each: t.decided.format(**decided_counts(each)),
        "listed_most": LISTED_MOST,
        "grades": _grades,
        "prizes": lambda lines: sum(each.prize or 0 for each in lines if not each.withdrawn_on),
        "chart": _chart(report.activity.months),
        "chart_size": (CHART_WIDTH, CHART_HEIGHT),
        "chart_base": CHART_HEIGHT - CHART_FOOT,
        "share": _share,
        "text_bar": _text_bar,
        "period": _period(report.period.name, lang),
        "compared": _compared(report, lang),
    }


def _compared(report: Report, lang: Lang) -> list[list[str]]:
    """The period, the one before and what changed; nothing where there is none before."""
    before, t = report.former, words(lang)
    if before is None:
        return []
    now = (report.participation.everybody, report.activity.activities, report.activity.points)
    then = (before.everybody, before.activities, before.points)
    names = [_period(report.period.name, lang), _period(before.period.name, lang)]
    if report.day < day_before(report.period.day_until):
        days = (report.day, before.day)
        names = [
            t.up_to_day.format(period=name, day=day) for name, day in zip(names, days, strict=True)
        ]
    figures = [
        (*now, report.coverage.rewarded),
        (*then, before.rewarded),
    ]
    rows = [
        [
            name,
            f"{each.people:,}",
            f"{each.taking_part:,}",
            _percent(each.taking_part, each.people),
            f"{done:,}",
            _amount(points),
            _percent(rewarded, done),
        ]
        for name, (each, done, points, rewarded) in zip(names, figures, strict=True)
    ]
    change = [
        t.change,
        _signed(f"{now[0].people - then[0].people:,}"),
        _signed(f"{now[0].taking_part - then[0].taking_part:,}"),
        _percent_points(t, rows[0][3], rows[1][3]),
        _signed(f"{now[1] - then[1]:,}"),
        _signed(_amount(now[2] - then[2])),
        _percent_points(t, rows[0][6], rows[1][6]),
    ]
    return [*rows, change]


def _percent_points(t: Any, now: str, then: str) -> str:
    """The difference of two shares as they are shown, so that the column adds up."""
    if "-" in (now, then):
        return "-"
    change = Decimal(now.removesuffix("%")) - Decimal(then.removesuffix("%"))
    return str(t.percent_points.format(change=_signed(str(change))))


def _signed(number: str) -> str:
    """A change with its sign, also where it is more."""
    return number if number.startswith("-") or not number.strip("0.") else f"+{number}"


def _grades(selection: Selection) -> list[tuple[str, int]]:
    """How many people get each grade or tier, best first; empty where there are none."""
    chosen = [each.grade for each in selection.selected if each.grade]
    terms = [grade.grade for grade in selection.terms.grades]
    return [(grade, chosen.count(grade)) for grade in terms]


def _in_order(report: Report, names: Names) -> list[Any]:
    """The units' participation, in the order in which units are listed."""
    order = {code: place for place, code in enumerate(names.units)}
    return sorted(report.participation.units, key=lambda unit: order.get(unit.code, len(order)))


def _amount(units: int) -> str:
    """Points as people read them, with a mark for thousands."""
    whole, point, part = format_amount(units).partition(".")
    return f"{int(whole):,}{point}{part}" if units >= 0 else f"-{_amount(-units)}"


def _percent(part: int, whole: int) -> str:
    text = percent_text(part, whole)
    return "-" if text is None else f"{text}%"


def _share(part: int, whole: int) -> str:
    """A part as a length of a bar of 100, to one place."""
    return quotient_text(100 * max(part, 0), whole, 1) or "0.0"


def _text_bar(part: int, whole: int) -> Markup:
    """A bar of text, so long as the part is of the whole."""
    filled = int(quotient_text(TEXT_BAR_CELLS * max(part, 0), whole, 0) or 0)
    return Markup("█" * filled + "░" * (TEXT_BAR_CELLS - filled))  # noqa: S704 - constant characters


def _achieved(each: IndicatorResult) -> str | None:
    """How much of the target is achieved, in percent; ``None`` where that says nothing."""
    if each.measured is None or each.target is None or each.target <= 0 or each.measured.value <= 0:
        return None
    if each.better == "higher":
        return quotient_text(100 * each.measured.value, each.target, 1)
    return quotient_text(100 * each.target, each.measured.value, 1)


def _chart(months: Sequence[Month]) -> list[ChartColumn]:
    """The columns of the chart of activities by month."""
    highest = max((month.activities for month in months), default=0)
    room = CHART_HEIGHT - CHART_FOOT - CHART_HEAD
    found = []
    for place, month in enumerate(months):
        step = 100 * CHART_WIDTH // len(months)
        left, wide = place * step, step * COLUMN_SHARE // 100
        height = 100 * room * month.activities // highest if highest else 0
        found.append(
            ChartColumn(
                x=_hundredths(left + (step - wide) // 2),
                y=_hundredths(100 * (CHART_HEIGHT - CHART_FOOT) - height),
                width=_hundredths(wide),
                height=_hundredths(height),
                middle=_hundredths(left + step // 2),
                name=month.month,
                value=month.activities,
            )
        )
    return found


def _hundredths(number: int) -> str:
    return f"{number // 100}.{number % 100:02d}"


def _period(name: str, lang: Lang) -> str:
    """A period as it stands in a title."""
    if name == "all":
        return str(words(lang).all_periods)
    if lang == "en":
        return name
    year, _, part = name.partition("-")
    halves = {"": "", "H1": " 상반기", "H2": " 하반기"}
    if part in halves:
        return f"{year}년{halves[part]}"
    return f"{year}년 {part[1]}분기" if part.startswith("Q") else f"{year}년 {int(part)}월"


def _markdown(value: Any) -> Any:
    """A value in a Markdown table: nothing in it is taken for Markdown or HTML."""
    if isinstance(value, Markup):
        return value
    text = " ".join(str(value).split())
    return _MARKDOWN.sub(r"\\\1", text)
