"""A rulebook read aloud: all it says as tables that a committee can read, compare and sign.

The tables are made from the parsed text, so that nothing in it is left out: what this module has
no words for stands under *further terms* as it is written.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from mileage.ledger.fields import Label

from .reading_evaluations import evaluation_sections
from .sections import (
    NOTHING,
    Reading,
    Section,
    both,
    days_of,
    listed,
    named,
    plain,
    same,
    stated,
    word_of,
)
from .values import MAIN_ACCOUNT
from .vocabulary import TABLES, WORDS, key_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .values import Rulebook

__all__ = ["Reading", "Section", "document_of", "read_aloud"]


def document_of(rulebook: Rulebook) -> dict[str, Any]:
    """The parsed text of a rulebook; numbers with a point are exact decimals."""
    return tomllib.loads(rulebook.text, parse_float=Decimal)


def read_aloud(rulebook: Rulebook, activities: Mapping[str, Label]) -> Reading:
    """Read a rulebook aloud, in Korean and English.

    Args:
        rulebook: A rulebook without errors.
        activities: Names of the kinds of activity.
    """
    document = document_of(rulebook)
    reader = _Reader(document, activities)
    sections = (
        _head(document["rulebook"], rulebook.digest),
        reader.accounts(),
        reader.section("rule", reader.rule),
        reader.section("cap", reader.cap),
        reader.section("programme", reader.programme),
        reader.grades(),
        *evaluation_sections(document, reader.activity),
        *_others(document),
        _labels(document.get("labels", {})),
        reader.examples(),
    )
    return Reading(rulebook.title, tuple(section for section in sections if section.rows))


def _head(head: Mapping[str, Any], digest: str) -> Section:
    rows = [(key_label("rulebook", key), both(value)) for key, value in head.items()]
    rows.append((Label("원문의 SHA-256", "SHA-256 of the text"), Label(digest, digest)))
    columns = {"item": Label("항목", "Item"), "content": Label("내용", "Content")}
    return Section(Label("규칙집", "Rulebook"), columns, rows)


def _labels(labels: Mapping[str, Any]) -> Section:
    columns = {"code": Label("코드", "Code"), "name": Label("이름", "Name")}
    rows = [(Label(code, code), both(name)) for code, name in labels.items()]
    return Section(key_label("", "labels"), columns, rows)


def _others(document: Mapping[str, Any]) -> Iterator[Section]:
    """Tables that this module has no words of its own for, entry by entry."""
    own = {"rulebook", "account", "rule", "cap", "programme", "evaluation", "labels", "example"}
    columns = {
        "entry": Label("항목", "Entry"),
        "key": Label("이름", "Key"),
        "content": Label("내용", "Content"),
    }
    for name in (key for key in document if key not in own):
        value = document[name]
        entries = value if isinstance(value, list) else [value]
        rows = []
        for number, entry in enumerate(entries, 1):
            parts = entry if isinstance(entry, dict) else {name: entry}
            head = str(parts.get("id", number))
            rows += [
                (Label(head, head), key_label(name, key), both(part)) for key, part in parts.items()
            ]
        yield Section(key_label("", name), columns, rows)


_Row = list[Label]


@frozen
class _Reader:
    document: Mapping[str, Any]
    activities: Mapping[str, Label]
    codes: Mapping[str, Any] = field(init=False)
    rules: Mapping[str, Any] = field(init=False)

    @codes.default
    def _codes(self) -> Mapping[str, Any]:
        labels: Mapping[str, Any] = self.document.get("labels", {})
        return labels

    @rules.default
    def _rules(self) -> Mapping[str, Any]:
        return {rule["id"]: rule["title"] for rule in self.document["rule"]}

    def section(self, name: str, read: Any) -> Section:
        """The table of all rules, caps or programmes: a row for each of their dated values."""
        rows = [
            (Label(str(number), str(number)), *row)
            for number, entry in enumerate(self.document.get(name, []), 1)
            for row in self._dated(name, entry, read)
        ]
        columns = {
            "number": Label("번호", "No."),
            "id": TABLES[name].keys["id"].label,
            "title": key_label(name, "title"),
            **_HEADINGS[name],
            "days": Label("시행 기간", "In force"),
            "clause": key_label("rule_value", "clause"),
            "further": Label("그 밖의 조건", "Further terms"),
        }
        return _without_empty(Section(key_label("", name), columns, rows))

    def _dated(self, name: str, entry: Mapping[str, Any], read: Any) -> Iterator[_Row]:
        values = entry.get("values", [])
        ends = [*(value["from"] for value in values[1:]), entry.get("until")]
        for value, end in zip(values or [{}], ends, strict=True):
            middle = read(entry, value)
            read_of_value = _READ[f"{name}_value"] | (_OF_GRADES if _grades(value) else frozenset())
            rest = {
                **{k: v for k, v in entry.items() if k not in _READ[name]},
                **{k: v for k, v in value.items() if k not in read_of_value},
            }
            yield [
                same(entry["id"]),
                both(entry["title"]),
                *middle,
                days_of(value.get("from"), end),
                same(value.get("clause", "")),
                _further(name, rest),
            ]

    # -- rules, caps and programmes --------------------------------------------------------------

    def rule(self, entry: Mapping[str, Any], value: Mapping[str, Any]) -> _Row:
        """What earns, for whom, how much and how it is divided."""
        return [
            self.activity(entry["activity"]),
            self._account(entry),
            _whom(entry),
            self._when(entry),
            self._points(word_of("rule", entry, "per"), value["points"], self._unit(entry)),
            word_of("rule", entry, "split"),
        ]

    def cap(self, entry: Mapping[str, Any], value: Mapping[str, Any]) -> _Row:
        """Which rules it limits, to what."""
        titles = [
            named(self.rules[rule], rule) if rule in self.rules else same(rule)
            for rule in entry["rules"]
        ]
        per, period = word_of("cap", entry, "per"), word_of("cap", entry, "period")
        count = value.get("count")
        if count is None:
            limited = self._of(entry["rules"], value["points"])
            limit = Label(f"{limited.ko}까지", f"at most {limited.en}")
        elif stated("cap", entry, "keep") == "best":
            limit = Label(f"가장 높은 {count}건만", f"only the best {count}")
        else:
            limit = Label(f"먼저 한 {count}건까지", f"only the first {count}")
        return [
            listed(titles),
            Label(
                f"{per.ko}: {period.ko}에 {limit.ko}", f"{limit.en} in one {period.en}, {per.en}"
            ),
        ]

    def programme(self, entry: Mapping[str, Any], value: Mapping[str, Any]) -> _Row:
        """What is needed, in which period, and how many get it."""
        threshold = value.get("threshold")
        needed = NOTHING
        if isinstance(threshold, dict):
            needed = _BY_GRADE
        elif threshold is not None:
            needed = _needed(threshold, self._unit(entry))
        period = word_of("programme", entry, "period")
        ties = _ties(entry.get("tie"))
        return [self._account(entry), period, needed, _quota(value), ties]

    def grades(self) -> Section:
        """The tiers and grades by rank of the programmes: a row for each, best first."""
        columns = {
            "id": TABLES["programme"].keys["id"].label,
            "title": key_label("programme", "title"),
            "days": Label("시행 기간", "In force"),
            "order": Label("순서", "Order"),
            "grade": Label("등급", "Grade"),
            "takes": Label("요건", "Takes"),
            "value": key_label("programme_value", "value"),
        }
        rows = []
        for entry in self.document.get("programme", []):
            values = entry.get("values", [])
            ends = [*(value["from"] for value in values[1:]), None]
            for value, end in zip(values, ends, strict=True):
                head = [same(entry["id"]), both(entry["title"]), days_of(value.get("from"), end)]
                for order, grade in enumerate(_grades(value), 1):
                    worth = _worth(entry, value.get("value", {}), grade)
                    takes = _takes(value, grade, self._unit(entry))
                    rows.append([*head, same(str(order)), self._code(grade), takes, worth])
        return _without_empty(Section(Label("제도의 등급", "Grades of programmes"), columns, rows))

    def activity(self, name: str) -> Label:
        """The name of a kind of activity."""
        label = self.activities.get(name)
        return named({"ko": label.ko, "en": label.en}, name) if label else same(name)

    def _points(self, per: Label, points: Any, unit: Label | None) -> Label:
        if isinstance(points, dict) and points.keys() == {"percent", "of"}:
            part, of = plain(points["percent"]), points["of"]
            title = named(self.rules[of], of) if of in self.rules else same(of)
            return Label(f"{per.ko} ‘{title.ko}’의 {part} %", f"{part} % of {title.en} {per.en}")
        if not isinstance(points, dict):
            amount = _amount(plain(points), unit)
            return Label(f"{per.ko} {amount.ko}", f"{amount.en} {per.en}")
        by_grade = [
            Label(f"{grade.ko} {_amount(plain(points), unit).ko}", f"{grade.en} {plain(points)}")
            for code, points in points.items()
            for grade in [self._code(code)]
        ]
        joined = listed(by_grade)
        return Label(
            f"{per.ko} {joined.ko}", f"{joined.en} {unit.en if unit else 'points'} {per.en}"
        )

    def accounts(self) -> Section:
        """What amounts are kept in apart from others."""
        rows = [
            (
                same(entry["id"]),
                both(entry["title"]),
                both(entry["unit"]) if "unit" in entry else NOTHING,
            )
            for entry in self.document.get("account", [])
        ]
        columns = {key: key_label("account", key) for key in ("id", "title", "unit")}
        return Section(key_label("", "account"), columns, rows)

    def _account(self, entry: Mapping[str, Any]) -> Label:
        """The account an entry is about; nothing where all are about the main one."""
        account = entry.get("account", MAIN_ACCOUNT)
        declared = {each["id"]: each["title"] for each in self.document.get("account", [])}
        if account in declared:
            return named(declared[account], account)
        return same(account) if declared else NOTHING

    def _unit(self, entry: Mapping[str, Any]) -> Label | None:
        """The unit of the account an entry is about; None for points."""
        account = entry.get("account", MAIN_ACCOUNT)
        for each in self.document.get("account", []):
            if each["id"] == account and "unit" in each:
                return Label(each["unit"]["ko"], each["unit"]["en"])
        return None

    def _of(self, rules: list[str], points: Any) -> Label:
        """An amount in the account of some rules."""
        entries = (rule for rule in self.document["rule"] if rule["id"] in rules)
        return _amount(plain(points), self._unit(next(entries, {})))

    def _when(self, entry: Mapping[str, Any]) -> Label:
        """What the fact must say: of each field one of some codes, as the labels call them."""
        parts = []
        for name, raw in entry.get("when", {}).items():
            codes = [self._code(code) for code in (raw if isinstance(raw, list) else [raw])]
            ko, en = "·".join(code.ko for code in codes), " or ".join(code.en for code in codes)
            field = self._code(name)
            parts.append(Label(f"{field.ko} {ko}", f"{field.en} {en}"))
        return listed(parts)

    def _code(self, code: str) -> Label:
        return named(self.codes[code], code) if code in self.codes else same(code)

    # -- examples --------------------------------------------------------------------------------

    def examples(self) -> Section:
        """What the examples give and expect: a row for each thing done."""
        columns = {
            "number": Label("번호", "No."),
            "title": key_label("example", "title"),
            "setting": Label("처음에", "At first"),
            "days": key_label("done", "on"),
            "given": key_label("example", "given"),
            "expected": Label("기대", "Expected"),
        }
        rows = []
        for number, example in enumerate(self.document.get("example", []), 1):
            first = [same(str(number)), both(example["title"]), _setting(example)]
            given = example["given"]
            for index, entry in enumerate(given):
                rows.append(
                    [
                        *(first if index == 0 else [same(str(number)), NOTHING, NOTHING]),
                        same(plain(entry["on"])),
                        self._done(entry),
                        _expected(example) if index == len(given) - 1 else NOTHING,
                    ]
                )
        return _without_empty(Section(key_label("", "example"), columns, rows))

    def _done(self, entry: Mapping[str, Any]) -> Label:
        parts = [self.activity(entry["activity"])] if "activity" in entry else []
        if "grade" in entry:
            parts.append(self._code(entry["grade"]))
        if "hours" in entry:
            hours = plain(entry["hours"])
            parts.append(Label(f"{hours}시간", f"{hours} hour{'s'[: hours != '1']}"))
        read = {"on", "activity", "grade", "hours", "person", "people", "shares"}
        table = "done" if "activity" in entry else "moved"
        parts += _pairs(table, {k: v for k, v in entry.items() if k not in read})
        people = [*filter(None, [entry.get("person")]), *entry.get("people", [])]
        people += [
            f"{person} {plain(share)} %" for person, share in entry.get("shares", {}).items()
        ]
        return listed([*parts, *map(same, people)])


_OF_GRADES = frozenset(("percent", "places", "round", "value"))
_BY_GRADE = Label("등급별 (아래 표)", "by grade, see below")


def _grades(value: Mapping[str, Any]) -> list[str]:
    """The tiers or grades by rank of a dated value, best first."""
    tables = (value.get(key) for key in ("threshold", "percent", "places"))
    return next((list(table) for table in tables if isinstance(table, dict)), [])


def _needed(points: Any, unit: Label | None) -> Label:
    amount = _amount(plain(points), unit)
    return Label(f"{amount.ko} 이상", f"{amount.en} or more")


def _quota(value: Mapping[str, Any]) -> Label:
    """How many can get in: a number, or a percentage of people, rounded as stated."""
    quota = value.get("quota")
    if quota is None:
        ranked = any(key in value for key in ("percent", "places"))
        return _BY_GRADE if ranked else Label("이른 사람 모두", "all who reach it")
    if not isinstance(quota, dict):
        return Label(f"{quota}명", f"{quota}")
    percent, of, how = plain(quota["percent"]), quota["of"], quota["round"]
    people = WORDS.get(("of", str(of)), Label(f"{of}명", f"{of} people"))
    rounded = WORDS.get(("round", how), same(how))
    return Label(
        f"{people.ko}의 {percent} %, {rounded.ko}", f"{percent} % of {people.en}, {rounded.en}"
    )


def _takes(value: Mapping[str, Any], grade: str, unit: Label | None) -> Label:
    """What it takes to get a grade: points, a part of those who qualify, or a place."""
    if isinstance(value.get("threshold"), dict):
        return _needed(value["threshold"][grade], unit)
    if "percent" in value:
        percent, how = plain(value["percent"][grade]), value.get("round", "")
        rounded = WORDS.get(("round", how), same(how))
        return Label(f"{percent} %, {rounded.ko}", f"{percent} %, {rounded.en}")
    places = value["places"][grade]
    return Label(f"{places}명", f"{places} {'person' if places == 1 else 'people'}")


def _worth(entry: Mapping[str, Any], values: Mapping[str, Any], grade: str) -> Label:
    if grade not in values:
        return NOTHING
    unit, amount = both(entry.get("unit", {"ko": "", "en": ""})), plain(values[grade])
    return Label(f"{amount} {unit.ko}".strip(), f"{amount} {unit.en}".strip())


_HEADINGS: Mapping[str, Mapping[str, Label]] = {
    "rule": {
        "activity": key_label("rule", "activity"),
        "account": key_label("rule", "account"),
        "whom": Label("대상", "For whom"),
        "when": key_label("rule", "when"),
        "points": key_label("rule_value", "points"),
        "split": key_label("rule", "split"),
    },
    "cap": {"rules": key_label("cap", "rules"), "limit": Label("한도", "Limit")},
    "programme": {
        "account": key_label("programme", "account"),
        "period": key_label("programme", "period"),
        "threshold": key_label("programme_value", "threshold"),
        "quota": key_label("programme_value", "quota"),
        "tie": key_label("programme", "tie"),
    },
}
# What has a column of its own; all else is among the further terms.
_READ: Mapping[str, frozenset[str]] = {
    "rule": frozenset(
        (
            *("id", "title", "activity", "account", "ranks", "units", "when"),
            *("per", "split", "until", "values"),
        )
    ),
    "rule_value": frozenset(("from", "points", "clause")),
    "cap": frozenset(("id", "title", "rules", "period", "per", "keep", "values")),
    "cap_value": frozenset(("from", "points", "count", "clause")),
    "programme": frozenset(("id", "title", "account", "period", "values", "tie")),
    "programme_value": frozenset(("from", "threshold", "quota", "clause")),
}


def _without_empty(section: Section) -> Section:
    """Leave out columns in which nothing stands."""
    kept = [
        index
        for index in range(len(section.columns))
        if any(row[index].ko or row[index].en for row in section.rows)
    ]
    names = list(section.columns)
    return Section(
        section.title,
        {names[index]: section.columns[names[index]] for index in kept},
        [[row[index] for index in kept] for row in section.rows],
    )


def _whom(entry: Mapping[str, Any]) -> Label:
    parts = []
    for key in ("ranks", "units"):
        if key in entry:
            label, codes = key_label("rule", key), ", ".join(entry[key])
            parts.append(Label(f"{label.ko} {codes}", f"{label.en.lower()} {codes}"))
    ko, en = ("; ".join(texts) for texts in ([p.ko for p in parts], [p.en for p in parts]))
    return Label(ko, en) if parts else Label("모두", "everybody")


def _ties(tie: Mapping[str, Any] | None) -> Label:
    if tie is None:
        return NOTHING
    broken = listed([WORDS["break_by", word] for word in tie["break_by"]])
    left = WORDS["otherwise", tie["otherwise"]]
    if not tie["break_by"]:
        return left
    return Label(f"{broken.ko}; 그래도 같으면 {left.ko}", f"{broken.en}; otherwise {left.en}")


def _setting(example: Mapping[str, Any]) -> Label:
    """Where and as what people serve, and which units are part of others."""
    parts = [
        Label(f"{person}: {part.ko}", f"{person}: {part.en}")
        for person, placed in example.get("people", {}).items()
        for part in [listed(_pairs("placed", placed))]
    ]
    parts += [
        Label(f"{unit}: {above} 소속", f"{unit}: part of {above}")
        for unit, above in example.get("units", {}).items()
    ]
    return Label("; ".join(each.ko for each in parts), "; ".join(each.en for each in parts))


def _expected(example: Mapping[str, Any]) -> Label:
    keys = [key for key in example if key not in {"title", "given", "people", "units"}]
    parts = []
    for key in keys:
        label, value = key_label("example", key), example[key]
        text = _by_name(value) if isinstance(value, dict) else plain(value)
        parts.append(Label(f"{label.ko}: {text}", f"{label.en}: {text}"))
    return Label("; ".join(each.ko for each in parts), "; ".join(each.en for each in parts))


def _by_name(entries: Mapping[str, Any]) -> str:
    """What is expected of each person or programme, and of each grade of it."""
    found = []
    for name, part in entries.items():
        text = f"({_by_name(part)})" if isinstance(part, dict) else plain(part)
        found.append(f"{name} {text}")
    return ", ".join(found)


def _further(name: str, rest: Mapping[str, Any]) -> Label:
    return listed(_pairs(name, rest))


def _pairs(table: str, entries: Mapping[str, Any]) -> list[Label]:
    found = []
    for key, value in entries.items():
        label, said = key_label(table, key), _said(key, value)
        found.append(Label(f"{label.ko} {said.ko}", f"{label.en.lower()} {said.en}"))
    return found


def _amount(amount: str, unit: Label | None) -> Label:
    """An amount in the unit of its account; of points where that has none."""
    if unit:
        return Label(f"{amount}{unit.ko}", f"{amount} {unit.en}")
    return Label(f"{amount}점", f"{amount} point{'s'[: amount != '1']}")


def _said(key: str, value: Any) -> Label:
    """A value in words: what a word of the grammar means, what a table of it says."""
    if isinstance(value, str) and (key, value) in WORDS:
        return WORDS[key, value]
    if isinstance(value, dict) and key in TABLES:
        parts = listed(_pairs(key, value))
        return Label(f"({parts.ko})", f"({parts.en})")
    return both(value)
