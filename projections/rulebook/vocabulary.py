"""The vocabulary of rulebooks: every table and key, how it is called and what may stand there.

The grammar reads tables as this says (a test compares the two). The JSON Schema, the reading
aloud and the comparison of rulebooks are made from it. Entries of a table come in the order in
which they are best read.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from attrs import frozen
from mileage.ledger.fields import Code, Label

from .evaluation import ACTIVITIES_MAX, AREAS_MAX, ELEMENTS_MAX, GROUPS_MAX, ORIGINS, SOURCES
from .tables import ID_PATTERN
from .values import (
    ACCOUNTS_MAX,
    BREAK_BY,
    CAP_PERIODS,
    CAP_PERS,
    CAPS_MAX,
    COUNT_MAX,
    EVALUATIONS_MAX,
    EXAMPLES_MAX,
    FULL_FROM_MAX,
    GIVEN_MAX,
    GRADES_MAX,
    KEEPS,
    LABELS_MAX,
    MAIN_ACCOUNT,
    MONTHS_MAX,
    ON_LEAVES,
    OTHERWISE,
    PEOPLE_MAX,
    PERIODS,
    PERS,
    POINT,
    POINTS_MAX,
    PROGRAMMES_MAX,
    QUOTA_MAX,
    QUOTA_OFS,
    ROUNDINGS,
    RULES_MAX,
    SCOPE_MAX,
    SPLITS,
    TEXT_CHARS_MAX,
    TITLE_CHARS_MAX,
    VALUE_MAX,
    VALUES_MAX,
    YEARS_MAX,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CODE", "TABLES", "WORDS", "Key", "TableWords", "default_of", "key_label"]


@frozen
class Key:
    """A key of a table.

    Attributes:
        label: How people call it.
        schema: The JSON Schema of its value; ``#/$defs/…`` names another table, ``activity`` or
            ``label``.
        required: Whether it must be there.
        default: What holds where it is not written; ``None`` where nothing does.
    """

    label: Label
    schema: Mapping[str, Any]
    required: bool = True
    default: str | None = None


@frozen
class TableWords:
    """A table of the grammar.

    Attributes:
        label: How people call it.
        keys: Its keys by name.
        one_of: Keys of which exactly one is written, if any.
    """

    label: Label
    keys: Mapping[str, Key]
    one_of: tuple[str, ...] = ()


def _text(chars_max: int = TEXT_CHARS_MAX) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": chars_max, "pattern": r"\S"}


def _words(words: tuple[str, ...]) -> dict[str, Any]:
    return {"enum": list(words)}


def _list(items: Mapping[str, Any], most: int, *, least: int = 1) -> dict[str, Any]:
    return {"type": "array", "items": dict(items), "minItems": least, "maxItems": most}


def _set(items: Mapping[str, Any], most: int, *, least: int = 1) -> dict[str, Any]:
    return {**_list(items, most, least=least), "uniqueItems": True}


def _by_code(
    items: Mapping[str, Any], most: int, *, least: int = 0, names: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "type": "object",
        "propertyNames": dict(names or CODE),
        "additionalProperties": dict(items),
        "minProperties": least,
        "maxProperties": most,
    }


def _table(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


_ID = {"type": "string", "pattern": f"^{ID_PATTERN}$"}
CODE = Code("", "").schema()
_DAY = {"type": "string", "format": "date"}
_POINTS = {"type": "number", "minimum": 0, "maximum": POINTS_MAX // POINT}
_PERCENT = {"type": "number", "minimum": 0, "maximum": 100}
_LABEL = _table("label")
_PERSONS = {"type": "integer", "minimum": 1, "maximum": QUOTA_MAX}
_PERCENT = {"type": "number", "minimum": 0, "maximum": 100}
_VALUE = {"type": "number", "minimum": 0, "maximum": VALUE_MAX}
_YEARS = {"type": "integer", "minimum": 1, "maximum": YEARS_MAX}
_MONTHS = {"type": "integer", "minimum": 1, "maximum": MONTHS_MAX}
_FROM = Key(Label("시행일", "From"), _DAY)
_CLAUSE = Key(Label("근거", "Clause"), _text())
_TITLE = Key(Label("제목", "Title"), _LABEL)
_ACCOUNT = Key(Label("계정", "Account"), _ID, required=False, default=MAIN_ACCOUNT)


def _by_grade(items: Mapping[str, Any]) -> dict[str, Any]:
    return _by_code(items, GRADES_MAX, least=1, names=_ID)


_PEOPLE = _set(CODE, PEOPLE_MAX, least=0)


def _values(name: str) -> Key:
    return Key(Label("날짜별 값", "Dated values"), _list(_table(name), VALUES_MAX))


def _tables(name: str, most: int, *, required: bool = False) -> Key:
    schema = _list(_table(name), most)
    return Key(_PLURALS[name], schema, required=required)


_PLURALS = {
    "account": Label("계정", "Accounts"),
    "rule": Label("점수 규칙", "Rules"),
    "cap": Label("한도", "Caps"),
    "programme": Label("연계 제도", "Programmes"),
    "evaluation": Label("조직 평가", "Evaluations of units"),
    "group": Label("평가군", "Groups"),
    "area": Label("평가영역", "Areas"),
    "elements": Label("평가요소", "Elements"),
    "example": Label("예", "Examples"),
}
_LABELS = {
    "account": Label("계정", "Account"),
    "rulebook": Label("규칙집", "Rulebook"),
    "rule": Label("점수 규칙", "Rule"),
    "cap": Label("한도", "Cap"),
    "programme": Label("연계 제도", "Programme"),
    "evaluation": Label("조직 평가", "Evaluation of units"),
    "group": Label("평가군", "Group"),
    "area": Label("평가영역", "Area"),
    "elements": Label("평가요소", "Element"),
    "example": Label("예", "Example"),
}

TABLES: Mapping[str, TableWords] = MappingProxyType(
    {
        "": TableWords(
            Label("규칙집", "Rulebook"),
            {
                "rulebook": Key(_LABELS["rulebook"], _table("rulebook")),
                "account": _tables("account", ACCOUNTS_MAX),
                "rule": _tables("rule", RULES_MAX, required=True),
                "cap": _tables("cap", CAPS_MAX),
                "programme": _tables("programme", PROGRAMMES_MAX),
                "evaluation": _tables("evaluation", EVALUATIONS_MAX),
                "labels": Key(
                    Label("코드의 이름", "Names of codes"),
                    _by_code(_LABEL, LABELS_MAX, names=_ID),
                    required=False,
                ),
                "example": _tables("example", EXAMPLES_MAX),
            },
        ),
        "rulebook": TableWords(
            _LABELS["rulebook"],
            {
                "id": Key(Label("규칙집", "Rulebook"), _ID),
                "title": _TITLE,
                "source": Key(Label("출처", "Source"), _text()),
            },
        ),
        "account": TableWords(
            _LABELS["account"],
            {
                "id": Key(_LABELS["account"], _ID),
                "title": _TITLE,
                "unit": Key(Label("단위", "Unit"), _LABEL, required=False),
            },
        ),
        "rule": TableWords(
            _LABELS["rule"],
            {
                "id": Key(Label("규칙", "Rule"), _ID),
                "title": _TITLE,
                "activity": Key(Label("활동", "Activity"), _table("activity")),
                "account": _ACCOUNT,
                "ranks": Key(Label("직급", "Ranks"), _set(CODE, SCOPE_MAX), required=False),
                "units": Key(Label("소속", "Units"), _set(CODE, SCOPE_MAX), required=False),
                "when": Key(
                    Label("조건", "When"),
                    _by_code({"anyOf": [CODE, _set(CODE, SCOPE_MAX)]}, SCOPE_MAX, least=1),
                    required=False,
                ),
                "per": Key(Label("단위", "Per"), _words(PERS), required=False, default="activity"),
                "confirm": Key(
                    Label("확인 뒤에 인정", "Counts when confirmed"),
                    {"type": "boolean"},
                    required=False,
                ),
                "split": Key(
                    Label("배분", "Division"), _words(SPLITS), required=False, default="each"
                ),
                "until": Key(Label("종료일", "Until"), _DAY, required=False),
                "values": _values("rule_value"),
            },
        ),
        "rule_value": TableWords(
            Label("날짜별 점수", "Dated points"),
            {
                "from": _FROM,
                "points": Key(
                    Label("점수", "Points"),
                    {
                        "anyOf": [
                            _POINTS,
                            _by_code(_POINTS, GRADES_MAX, least=1, names=_ID),
                            _table("relative"),
                        ]
                    },
                ),
                "clause": _CLAUSE,
            },
        ),
        "relative": TableWords(
            Label("다른 규칙의 비율", "In percent of another rule"),
            {
                "percent": Key(
                    Label("퍼센트", "Percent"),
                    {"type": "number", "exclusiveMinimum": 0, "maximum": 1_000},
                ),
                "of": Key(Label("기준 규칙", "Of the rule"), _ID),
            },
        ),
        "cap": TableWords(
            _LABELS["cap"],
            {
                "id": Key(Label("한도", "Cap"), _ID),
                "title": _TITLE,
                "rules": Key(Label("대상 규칙", "Rules"), _set(_ID, RULES_MAX)),
                "period": Key(Label("기간", "Period"), _words(CAP_PERIODS)),
                "per": Key(
                    Label("대상", "For"), _words(CAP_PERS), required=False, default="person"
                ),
                "keep": Key(Label("인정", "Keeps"), _words(KEEPS), required=False, default="first"),
                "values": _values("cap_value"),
            },
        ),
        "cap_value": TableWords(
            Label("날짜별 한도", "Dated limit"),
            {
                "from": _FROM,
                "points": Key(Label("점수", "Points"), _POINTS, required=False),
                "count": Key(
                    Label("건수", "Count"),
                    {"type": "integer", "minimum": 1, "maximum": COUNT_MAX},
                    required=False,
                ),
                "clause": _CLAUSE,
            },
            one_of=("points", "count"),
        ),
        "programme": TableWords(
            _LABELS["programme"],
            {
                "id": Key(Label("제도", "Programme"), _ID),
                "title": _TITLE,
                "period": Key(Label("기간", "Period"), _words(PERIODS)),
                "account": _ACCOUNT,
                "unit": Key(Label("값의 단위", "Unit of the values"), _LABEL, required=False),
                "ranks": Key(Label("직급", "Ranks"), _set(CODE, SCOPE_MAX), required=False),
                "units": Key(Label("소속", "Units"), _set(CODE, SCOPE_MAX), required=False),
                "exclude_recent": Key(
                    Label("최근 수혜자 제외", "Recent participants left out"),
                    _table("exclude_recent"),
                    required=False,
                ),
                "four_eyes": Key(
                    Label("이중 결재", "Approved by a second person"),
                    {"type": "boolean"},
                    required=False,
                ),
                "exclude_sanctioned": Key(
                    Label("제한 중인 사람 제외", "People under a sanction left out"),
                    {"anyOf": [{"type": "boolean"}, _table("exclude_sanctioned")]},
                    required=False,
                ),
                "months_served": Key(
                    Label("기간 중 근무 개월", "Months served in the period"),
                    {"anyOf": [_MONTHS, _table("months_served")]},
                    required=False,
                ),
                "on_leave": Key(
                    Label("휴직자", "People on leave"),
                    _words(ON_LEAVES),
                    required=False,
                    default="exclude",
                ),
                "values": _values("programme_value"),
                "tie": Key(Label("동점", "Ties"), _table("tie"), required=False),
            },
        ),
        "programme_value": TableWords(
            Label("날짜별 조건", "Dated terms"),
            {
                "from": _FROM,
                "threshold": Key(
                    Label("기준 점수", "Threshold"), {"anyOf": [_POINTS, _by_grade(_POINTS)]}
                ),
                "quota": Key(
                    Label("정원", "Quota"),
                    {"anyOf": [_PERSONS, _table("quota")]},
                    required=False,
                ),
                "percent": Key(
                    Label("등급별 비율(%)", "Percent by grade"), _by_grade(_PERCENT), required=False
                ),
                "places": Key(
                    Label("등급별 인원", "Places by grade"), _by_grade(_PERSONS), required=False
                ),
                "round": Key(
                    Label("인원의 끝수", "Parts of a person"), _words(ROUNDINGS), required=False
                ),
                "value": Key(
                    Label("값", "Value"), {"anyOf": [_VALUE, _by_grade(_VALUE)]}, required=False
                ),
                "clause": _CLAUSE,
            },
        ),
        "quota": TableWords(
            Label("비율로 정한 정원", "Quota in percent"),
            {
                "percent": Key(Label("비율(%)", "Percent"), _PERCENT),
                "of": Key(Label("기준 인원", "Of"), {"anyOf": [_words(QUOTA_OFS), dict(_PERSONS)]}),
                "round": Key(Label("인원의 끝수", "Parts of a person"), _words(ROUNDINGS)),
            },
        ),
        "exclude_recent": TableWords(
            Label("최근 수혜자 제외", "Recent participants left out"),
            {
                "years": Key(Label("연수", "Years"), _YEARS, required=False),
                "cycles": Key(Label("회수", "Cycles"), _YEARS, required=False),
                "programmes": Key(
                    Label("살피는 제도", "Grants of"),
                    _list(_text(), PROGRAMMES_MAX),
                    required=False,
                ),
            },
            one_of=("years", "cycles"),
        ),
        "exclude_sanctioned": TableWords(
            Label("제한 중인 사람 제외", "People under a sanction left out"),
            {"years": Key(Label("제한이 끝난 뒤 연수", "Years after its end"), _YEARS)},
        ),
        "months_served": TableWords(
            Label("기간 중 근무 개월", "Months served in the period"),
            {
                "months": Key(Label("개월", "Months"), _MONTHS),
                "full_from": Key(
                    Label("한 달로 보는 일수", "Days that make a month"),
                    {"type": "integer", "minimum": 1, "maximum": FULL_FROM_MAX},
                ),
            },
        ),
        "tie": TableWords(
            Label("동점", "Ties"),
            {
                "break_by": Key(
                    Label("우선 순서", "Broken by"), _set(_words(BREAK_BY), LABELS_MAX, least=0)
                ),
                "otherwise": Key(Label("그래도 같으면", "Otherwise"), _words(OTHERWISE)),
            },
        ),
        "evaluation": TableWords(
            _LABELS["evaluation"],
            {
                "id": Key(_LABELS["evaluation"], _ID),
                "title": _TITLE,
                "unit": Key(Label("포상의 단위", "Unit of the prizes"), _LABEL, required=False),
                "values": _values("evaluation_value"),
                "group": _tables("group", GROUPS_MAX, required=True),
                "area": _tables("area", AREAS_MAX, required=True),
            },
        ),
        "evaluation_value": TableWords(
            Label("날짜별 가중치", "Dated weights"),
            {
                "from": _FROM,
                "weights": Key(
                    Label("가중치(%)", "Weights (%)"),
                    _by_code(_PERCENT, AREAS_MAX, least=1, names=_ID),
                ),
                "clause": _CLAUSE,
            },
        ),
        "group": TableWords(
            _LABELS["group"],
            {
                "id": Key(_LABELS["group"], _ID),
                "title": _TITLE,
                "units": Key(Label("조직", "Units"), _set(CODE, SCOPE_MAX)),
                "places": Key(
                    Label("등급별 수", "Places by grade"), _by_grade(_PERSONS), required=False
                ),
                "value": Key(Label("포상", "Prize"), _by_grade(_VALUE), required=False),
                "otherwise": Key(Label("동점", "Ties"), _words(OTHERWISE), required=False),
            },
        ),
        "area": TableWords(
            _LABELS["area"],
            {
                "id": Key(_LABELS["area"], _ID),
                "title": _TITLE,
                "elements": _tables("elements", ELEMENTS_MAX, required=True),
            },
        ),
        "elements": TableWords(
            _LABELS["elements"],
            {
                "id": Key(_LABELS["elements"], _ID),
                "title": _TITLE,
                "source": Key(Label("산출 근거", "Source"), _words(SOURCES)),
                "weight": Key(Label("영역 내 비중(%)", "Weight (%)"), _PERCENT, required=False),
                "origin": Key(Label("과제", "Tasks"), _words(ORIGINS), required=False),
                "activities": Key(
                    Label("활동", "Activities"),
                    _set(_table("activity"), ACTIVITIES_MAX),
                    required=False,
                ),
            },
        ),
        "label": TableWords(
            Label("이름", "Name"),
            {
                "ko": Key(Label("한국어", "Korean"), _text(TITLE_CHARS_MAX)),
                "en": Key(Label("영어", "English"), _text(TITLE_CHARS_MAX)),
            },
        ),
        "example": TableWords(
            _LABELS["example"],
            {
                "title": _TITLE,
                "people": Key(
                    Label("사람", "People"), _by_code(_table("placed"), PEOPLE_MAX), required=False
                ),
                "units": Key(
                    Label("상위 조직", "Units above"), _by_code(CODE, PEOPLE_MAX), required=False
                ),
                "given": Key(
                    Label("한 일", "Given"),
                    _list({"anyOf": [_table("done"), _table("moved")]}, GIVEN_MAX),
                ),
                "expect": Key(Label("기대 점수", "Expected"), _by_code(_POINTS, PEOPLE_MAX)),
                "accounts": Key(
                    Label("다른 계정", "In other accounts"),
                    _by_code(_by_code(_POINTS, PEOPLE_MAX), ACCOUNTS_MAX),
                    required=False,
                ),
                "cuts": Key(
                    Label("기대하는 깎임", "Expected cuts"),
                    _by_code(_POINTS, PEOPLE_MAX),
                    required=False,
                ),
                "selected": Key(
                    Label("기대하는 선정", "Expected in"),
                    _by_code({"anyOf": [_PEOPLE, _by_code(_PEOPLE, PEOPLE_MAX)]}, PEOPLE_MAX),
                    required=False,
                ),
                "as_of": Key(Label("기준일", "As of"), _DAY, required=False),
            },
        ),
        "placed": TableWords(
            Label("자리", "Place"),
            {
                "unit": Key(Label("소속", "Unit"), CODE, required=False),
                "rank": Key(Label("직급", "Rank"), CODE, required=False),
            },
        ),
        "done": TableWords(
            Label("활동", "Activity"),
            {
                "on": Key(Label("날짜", "On"), _DAY),
                "activity": Key(Label("활동", "Activity"), _table("activity")),
                "grade": Key(Label("등급", "Grade"), CODE, required=False),
                "hours": Key(
                    Label("시간", "Hours"),
                    {"type": "number", "exclusiveMinimum": 0, "maximum": POINTS_MAX // POINT},
                    required=False,
                ),
                "thing": Key(Label("건", "Thing"), CODE, required=False),
                "when": Key(
                    Label("내용", "When"), _by_code(CODE, SCOPE_MAX, least=1), required=False
                ),
                "confirmed": Key(Label("확인됨", "Confirmed"), {"type": "boolean"}, required=False),
                "person": Key(Label("한 사람", "Person"), CODE, required=False),
                "people": Key(Label("사람들", "People"), _set(CODE, PEOPLE_MAX), required=False),
                "shares": Key(
                    Label("지분", "Shares"), _by_code(_POINTS, PEOPLE_MAX), required=False
                ),
            },
        ),
        "moved": TableWords(
            Label("인사 이동", "Move"),
            {
                "on": Key(Label("날짜", "On"), _DAY),
                "person": Key(Label("사람", "Person"), CODE),
                "unit": Key(Label("소속", "Unit"), CODE, required=False),
                "rank": Key(Label("직급", "Rank"), CODE, required=False),
            },
        ),
    }
)
"""Every table of the grammar by its name in the JSON Schema; the text itself has none."""

WORDS: Mapping[tuple[str, str], Label] = MappingProxyType(
    {
        ("per", "activity"): Label("건당", "each time"),
        ("per", "hour"): Label("시간당", "an hour"),
        ("per", "person"): Label("한 사람", "for a person"),
        ("per", "thing"): Label("한 사람의 한 건", "for a person in one thing"),
        ("per", "unit"): Label("한 조직 전체", "for a unit as a whole"),
        ("split", "share"): Label("지분대로 나눔", "divided by shares"),
        ("split", "each"): Label("각자 전부", "everyone all of it"),
        ("keep", "first"): Label("먼저 한 것", "the first"),
        ("keep", "best"): Label("가장 높은 것", "the best"),
        ("period", "month"): Label("한 달", "month"),
        ("period", "quarter"): Label("한 분기", "quarter"),
        ("period", "half"): Label("반기", "half-year"),
        ("period", "year"): Label("한 해", "year"),
        ("period", "lifetime"): Label("재직 기간 전체", "lifetime"),
        ("period", "rank"): Label("한 직급에 있는 동안", "time in a rank"),
        ("break_by", "activities"): Label("보상받은 활동이 많은 사람", "more rewarded activities"),
        ("break_by", "earliest"): Label("그 점수에 먼저 이른 사람", "reached it earlier"),
        ("break_by", "joined"): Label("먼저 임용된 사람", "joined earlier"),
        ("source", "scores"): Label("평가위원 점수의 평균", "mean of the evaluators' scores"),
        ("source", "task-achievement"): Label("과제 목표 달성도", "achievement of the tasks"),
        ("source", "participation"): Label(
            "활동한 구성원의 비율", "share of the people who took part"
        ),
        ("source", "points"): Label("점수 합계", "points in all"),
        ("source", "points-per-head"): Label("1인당 점수", "points a head"),
        ("source", "activities-per-head"): Label("1인당 활동 건수", "activities a head"),
        ("source", "hours-per-head"): Label("1인당 활동 시간", "hours a head"),
        ("origin", "common"): Label("공통혁신과제", "common tasks"),
        ("origin", "own"): Label("부처고유과제", "the agency's own tasks"),
        ("otherwise", "include"): Label("모두 선정", "all are in"),
        ("otherwise", "exclude"): Label("모두 제외", "none is in"),
        ("on_leave", "include"): Label("포함", "can be selected"),
        ("on_leave", "exclude"): Label("제외", "left out"),
        ("round", "down"): Label("버림", "rounded down"),
        ("round", "up"): Label("올림", "rounded up"),
        ("round", "half"): Label("반올림", "rounded half up"),
        ("of", "serving"): Label("재직 인원", "people in service"),
        ("of", "eligible"): Label("기준에 이른 인원", "people who reach the threshold"),
    }
)
"""How the words that a key may have are read."""


def key_label(table: str, key: str) -> Label:
    """How people call a key; its own name where the vocabulary does not know it."""
    known = TABLES.get(table)
    found = known.keys.get(key) if known else None
    return found.label if found else Label(key, key)


def default_of(table: str, key: str) -> str | None:
    """What holds where a key is not written."""
    known = TABLES.get(table)
    found = known.keys.get(key) if known else None
    return found.default if found else None
