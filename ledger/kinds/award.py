"""Awards to people with good proposals and results, with certificates (우수제안자 포상)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Code, Label, Reference, Share, Shares, Text, Whole

from .registry import Activity, Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = ["Award", "AwardGranted", "AwardWithdrawn"]


@attrs.frozen
class Award:
    """State of an award.

    Attributes:
        since: Date on which it was granted or withdrawn last.
        stands: Whether it is granted.
        certificates: Numbers of its certificates, each time it was granted.
    """

    since: date
    stands: bool
    certificates: frozenset[str] = frozenset()


def decide(state: Award | None, command: Command, context: Context) -> tuple[Data, ...]:
    """Guard an award: granted once at a time, withdrawn while it stands; one number, one award."""
    data, day = command.data, command.occurred_on
    name = f"award {data.award}"
    if isinstance(data, AwardGranted):
        if state and state.stands:
            raise Refused("award.already-granted", f"{name} is granted already", field="award")
        _check_certificate(data, context)
    elif state is None:
        raise Refused(
            "award.unknown",
            f"{name} was never granted",
            field="award",
            remedy="record award.granted first",
        )
    elif not state.stands:
        raise Refused("award.already-withdrawn", f"{name} is withdrawn already", field="award")
    if state and day < state.since:
        raise Refused(
            "award.before-last-stage",
            f"{day} is before {state.since}, when {name} got this far",
            field="occurred_on",
        )
    return (data,)


def _check_certificate(data: AwardGranted, context: Context) -> None:
    """Refuse the number of another award's certificate, withdrawn ones too: it was given out."""
    for stream, other in context.things("award:", data.certificate):
        code = stream.partition(":")[2]
        if other and code != data.award and data.certificate in other.certificates:
            raise Refused(
                "award.certificate-taken",
                f"certificate {data.certificate} is the one of award {code}",
                field="certificate",
                remedy="give each award a number of its own",
            )


def evolve(state: Award | None, fact: Fact) -> Award | None:
    """Fold one fact into an award's state."""
    if isinstance(fact.data, AwardGranted):
        certificates = (state.certificates if state else frozenset()) | {fact.data.certificate}
        return Award(fact.occurred_on, stands=True, certificates=certificates)
    return state and attrs.evolve(state, since=fact.occurred_on, stands=False)


kinds.add_programme(Programme("award", Label("포상", "Award"), decide=decide, evolve=evolve))


@kind(
    "award.granted",
    ko="포상 수여",
    en="Award granted",
    category="award",
    id_fields=("award",),
    identity=("award", "occurred_on"),
    title="title",
    activity=Activity(people="recipients", grade="grade"),
)
@attrs.frozen
class AwardGranted(Data):
    """One or several persons get an award, with its certificate; the prize is in whole won."""

    award: Annotated[str, Code("포상 번호", "Award")]
    title: Annotated[str, Text("포상명", "Title", length_max=500)]
    recipients: Annotated[tuple[Share, ...], Shares("수상자", "Recipients")]
    basis: Annotated[str, Text("공적 요지", "Basis")]
    certificate: Annotated[str, Code("상장 번호", "Certificate number")]
    grade: Annotated[str | None, Code("등급", "Grade", optional=True)] = None
    prize: Annotated[int | None, Whole("부상(원)", "Prize (won)", optional=True)] = None
    proposal: Annotated[
        str | None, Reference("제안", "Proposal", of=("proposal",), optional=True)
    ] = None


@kind(
    "award.withdrawn",
    ko="포상 취소",
    en="Award withdrawn",
    category="award",
    id_fields=("award",),
    identity=("award", "occurred_on"),
    withdraws=("award.granted",),
)
@attrs.frozen
class AwardWithdrawn(Data):
    """An award is withdrawn, for a reason; it no longer counts from that day on."""

    award: Annotated[str, Code("포상 번호", "Award")]
    reason: Annotated[str, Text("사유", "Reason")]
