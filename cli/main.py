"""The command ``mileage``: what it can do, without importing any of it."""

from __future__ import annotations

import sys

import click

from .base import LazyGroup
from .texts import Words

__all__ = ["main", "mileage"]

COMMANDS = {
    "init": ("recording", Words("원장을 새로 만듦", "Make a new ledger")),
    "record": ("recording", Words("있었던 일 하나를 기록", "Record one fact")),
    "void": ("recording", Words("잘못 기록한 것을 취소", "Void a fact recorded in error")),
    "import": ("importing", Words("CSV·JSON Lines 파일을 기록", "Record the rows of files")),
    "kinds": (
        "recording",
        Words("기록할 수 있는 종류와 항목", "List the kinds of facts and their fields"),
    ),
    "history": ("history", Words("기록된 그대로의 내력", "Show facts as they were recorded")),
    "statement": ("asking", Words("한 사람의 점수 내역", "Show a person's points, one by one")),
    "balance": ("asking", Words("사람별 점수 합계", "Show what people's points add up to")),
    "explain": (
        "explaining",
        Words("점수마다 그 까닭", "Explain a person's points, or a selection"),
    ),
    "ranking": ("asking", Words("점수 순위", "Rank people by points")),
    "unrewarded": (
        "asking",
        Words("보상하는 규칙이 없는 활동", "List activities that no rule rewards"),
    ),
    "eligible": ("eligibility", Words("제도별 선정 대상", "Show who gets into a programme")),
    "entitlement": (
        "entitlements",
        Words("제도별 혜택: 부여, 승인, 불허, 취소", "Grant, approve, refuse and revoke"),
    ),
    "redeem": ("benefits", Words("마일리지 사용", "Redeem a person's points")),
    "awards": ("benefits", Words("포상과 상장 목록", "List awards and their certificates")),
    "contest": (
        "contests",
        Words("경진대회의 출품과 수상", "Show the results of contests"),
    ),
    "budget": (
        "budgets",
        Words("학습동아리·학습단 지원금", "Show the money of learning clubs and study teams"),
    ),
    "learning": ("learning", Words("학습계획 대비 실적", "Show progress against learning plans")),
    "indicators": (
        "indicators",
        Words("성과지표의 목표와 실적", "Show indicators against their targets"),
    ),
    "overview": (
        "overview",
        Words("한 해의 현황을 한 화면에", "Show the state of a year at a look"),
    ),
    "compare": (
        "compare",
        Words("여러 기관의 원장을 나란히 비교", "Compare the ledgers of several organisations"),
    ),
    "report": ("report", Words("기간의 평가 보고서", "Write the evaluation office's report")),
    "competition": ("competition", Words("국·지방청 평가 순위", "Rank the units of an evaluation")),
    "rules": (
        "rules",
        Words("규칙집: 점검, 시험, 비교, 채택", "Check, test, compare and adopt rulebooks"),
    ),
    "close": ("closing", Words("기간 마감", "Close a period")),
    "reopen": ("closing", Words("마감한 기간을 다시 엶", "Open a closed period again")),
    "periods": ("closing", Words("마감한 기간과 그 뒤의 차액", "List closed periods")),
    "rebuild": (
        "publishing",
        Words("모든 점수를 다시 계산해 공표", "Work out all figures anew and publish them"),
    ),
    "catch-up": ("publishing", Words("새 기록을 점수에 반영", "Take new facts into the figures")),
    "builds": (
        "builds",
        Words("계산해 둔 점수: 목록, 바뀐 것, 되돌리기", "See builds, put one back into service"),
    ),
    "hr": ("hr", Words("인사부서에 넘길 묶음", "Hand over to HR what changed")),
    "people": ("people", Words("인사부서의 인사 파일 반영", "Take in people from HR")),
    "directory": ("directory", Words("이름과 사번", "Keep names and employee numbers")),
}


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version  # noqa: PLC0415 - slow, and not for --help

        click.echo(f"mileage {version('innovation-mileage')}")
        ctx.exit()


mileage = LazyGroup(
    name="mileage",
    lazy=COMMANDS,
    by=True,
    words=Words(
        "혁신마일리지 원장. 있었던 일은 한 번 기록되고, 점수는 언제나 거기에서 계산됩니다.",
        "An innovation-mileage ledger: facts are recorded once, points are always derived.",
    ),
    examples=(
        "mileage init --organisation 중소기업청",
        "mileage import people.csv proposals.csv",
        "mileage ranking --period 2005 --limit 10",
        "mileage COMMAND --help",
    ),
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_version,
            help="Show the version",
        )
    ],
)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a character gets its code
            stream.reconfigure(errors="backslashreplace")
    mileage(prog_name="mileage")


if __name__ == "__main__":
    main()
