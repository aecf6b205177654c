"""How a fact is shown: as a JSON object and as a line of text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from mileage.ledger.facts import format_instant
from mileage.ledger.ledger import gone_keys

from .output import json_value
from .texts import pick

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from mileage.ledger import Fact, Ledger, Recorded

    from .session import Session
    from .texts import Lang

__all__ = ["data_text", "fact_json", "print_recorded"]

_TEXT_CHARS_MAX, _TEXT_BEGIN = 1_000, 40


def fact_json(position: int, fact: Fact) -> dict[str, Any]:
    """A fact as a JSON object; ``recorded_at`` is in UTC."""
    return {
        "position": position,
        "kind": fact.kind.name,
        "thing": fact.originator_id,
        "occurred_on": fact.occurred_on.isoformat(),
        "recorded_at": format_instant(fact.recorded_at),
        "recorded_by": fact.recorded_by,
        "source": fact.source,
        "key": fact.key,
        "data": {name: json_value(getattr(fact.data, name)) for name in fact.kind.fields},
    }


def data_text(fact: Fact, lang: Lang) -> str:
    """What a fact says, in one line; a long text only with its length."""
    parts = []
    for name, field in fact.kind.fields.items():
        value = getattr(fact.data, name)
        if value is None or name in fact.kind.id_fields:
            continue
        text = pick(field.describe(value), lang)
        if len(text) > _TEXT_CHARS_MAX:
            text = f"{text[:_TEXT_BEGIN].splitlines()[0]}…"
        parts.append(f"{pick(field.label, lang)} {text}")
    return ", ".join(parts)


def local_time(fact: Fact, zone: ZoneInfo) -> str:
    """When a fact was recorded, on the clocks of the ledger's zone."""
    return f"{fact.recorded_at.astimezone(zone):%Y-%m-%d %H:%M}"


def print_recorded(session: Session, ledger: Ledger, recorded: Recorded) -> None:
    """Tell what was recorded."""
    fact = recorded.fact
    if not recorded.new and _is_void(ledger, fact):
        session.warn(
            f"이 키로 기록한 것은 취소되어 있어 계산에 들어가지 않습니다. 다시 기록하려면 다른"
            f" 키를 주십시오 (--key). 키: {fact.key}",
            f"what was recorded with this key is void and does not count; to record it anew give"
            f" it another key (--key). Key: {fact.key}",
        )
    if session.format == "json":
        document = {"new": recorded.new, "fact": fact_json(recorded.position, fact)}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    label = pick(fact.kind.label, session.lang)
    said = data_text(fact, session.lang)
    line = f"#{recorded.position}  {fact.occurred_on}  {label}  {fact.originator_id}"
    click.echo(f"{line}  {said}" if said else line)
    if not recorded.new:
        session.note(
            f"이미 기록되어 있어 더하지 않았습니다 (키 {fact.key})",
            f"recorded before, nothing added (key {fact.key})",
        )


def _is_void(ledger: Ledger, fact: Fact) -> bool:
    return fact.key in gone_keys(item.fact for item in ledger.stream(fact.originator_id))
