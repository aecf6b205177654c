"""What the command line says, in Korean and in English."""

from __future__ import annotations

import os
from typing import Literal, NamedTuple, Protocol

__all__ = [
    "COLUMNS",
    "DECISIONS",
    "OUTCOMES",
    "STATUSES",
    "Bilingual",
    "Lang",
    "Words",
    "pick",
    "usual_lang",
]

Lang = Literal["ko", "en"]


class Bilingual(Protocol):
    """Anything with a Korean and an English text."""

    @property
    def ko(self) -> str:
        """The Korean text."""

    @property
    def en(self) -> str:
        """The English text."""


class Words(NamedTuple):
    """A text in Korean and in English."""

    ko: str
    en: str


def pick(words: Bilingual, lang: Lang) -> str:
    """The text in a language."""
    return words.ko if lang == "ko" else words.en


def usual_lang() -> Lang:
    """The language of the environment: Korean where the locale is, English elsewhere."""
    stated = os.environ.get("MILEAGE_LANG", "")
    if stated in ("ko", "en"):
        return "ko" if stated == "ko" else "en"
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "ko" if next(filter(None, names), "").lower().startswith("ko") else "en"


COLUMNS = {
    "account": Words("계정", "Account"),
    "closed_by": Words("마감한 사람", "Closed by"),
    "differences": Words("차액 건수", "Differences"),
    "origin_on": Words("원래 날짜", "Of"),
    "posted_since": Words("뒤에 올린 점수", "Posted since"),
    "activities": Words("활동", "Activities"),
    "achieved": Words("실적", "Achieved"),
    "activity": Words("활동", "Activity"),
    "adopted_on": Words("채택일", "Adopted on"),
    "after": Words("이후", "After"),
    "batch": Words("묶음", "Batch"),
    "before": Words("이전", "Before"),
    "better": Words("방향", "Better"),
    "build": Words("빌드", "Build"),
    "change": Words("증감", "Change"),
    "change_asked_percent": Words("목표 증감(%)", "Asked (%)"),
    "change_percent": Words("증감(%)", "Change (%)"),
    "clause": Words("근거", "Clause"),
    "content_sha256": Words("점수의 지문", "Digest of figures"),
    "count": Words("건수", "Count"),
    "cut": Words("깎임", "Cut"),
    "data": Words("내용", "What it says"),
    "digest": Words("지문", "Digest"),
    "ended_on": Words("조기 종료일", "Ended on"),
    "ends_on": Words("종료일", "Ends on"),
    "effective_from": Words("시행일", "Effective from"),
    "employee_number": Words("사번", "Employee number"),
    "fields": Words("항목", "Fields"),
    "file": Words("파일", "File"),
    "grade": Words("등급", "Grade"),
    "grade_after": Words("등급(이후)", "Grade after"),
    "grade_before": Words("등급(이전)", "Grade before"),
    "granted": Words("교부", "Granted"),
    "group": Words("동아리·학습단", "Club or team"),
    "indicator": Words("지표", "Indicator"),
    "item": Words("비목", "Item"),
    "key": Words("키", "Key"),
    "kind": Words("종류", "Kind"),
    "label": Words("이름", "Label"),
    "left": Words("잔액", "Left"),
    "made_at": Words("계산한 때", "Made at"),
    "measure": Words("지표", "Measure"),
    "measured_in": Words("단위", "Measured in"),
    "measured_on": Words("측정일", "Measured on"),
    "measured_source": Words("측정 출처", "Source"),
    "megabytes": Words("크기(MB)", "Size (MB)"),
    "missing": Words("부족", "Missing"),
    "name": Words("이름", "Name"),
    "occurred_on": Words("날짜", "Date"),
    "officer": Words("학습담당관", "Officer"),
    "outcome": Words("결과", "Outcome"),
    "outcome_after": Words("결과(이후)", "Outcome after"),
    "outcome_before": Words("결과(이전)", "Outcome before"),
    "percent": Words("달성률(%)", "Percent"),
    "period": Words("기간", "Period"),
    "person": Words("구성원", "Person"),
    "contest": Words("대회", "Contest"),
    "scope": Words("범위", "Scope"),
    "opened_on": Words("개최일", "Opened on"),
    "entered": Words("출품", "Entered"),
    "awarded": Words("수상", "Awarded"),
    "entry": Words("출품 번호", "Entry"),
    "entrants": Words("출품자", "Entrants"),
    "passed": Words("통과한 심사", "Through"),
    "awarded_on": Words("선정일", "Awarded on"),
    "award_withdrawn_on": Words("선정 취소일", "Award withdrawn on"),
    "shared_by": Words("공유", "Shared by"),
    "benchmarked_by": Words("벤치마킹", "Benchmarked by"),
    "place": Words("순위", "Place"),
    "plan": Words("학습계획", "Plan"),
    "points": Words("점수", "Points"),
    "position": Words("번호", "No."),
    "programme": Words("제도", "Programme"),
    "quota": Words("정원", "Quota"),
    "rank": Words("직급", "Rank"),
    "reached": Words("달성", "Reached"),
    "reason": Words("사유", "Reason"),
    "reasons": Words("까닭", "Because of"),
    "recorded": Words("기록", "Recorded"),
    "recorded_at": Words("기록 시각", "Recorded at"),
    "recorded_by": Words("기록자", "Recorded by"),
    "rejected": Words("거부", "Rejected"),
    "repeated": Words("이미 있음", "Repeated"),
    "rewarded": Words("보상", "Rewarded"),
    "rows": Words("행", "Rows"),
    "rule": Words("규칙", "Rule"),
    "rulebook": Words("규칙집", "Rulebook"),
    "rulebooks": Words("규칙집", "Rulebooks"),
    "selected_after": Words("선정(이후)", "Selected after"),
    "selected_before": Words("선정(이전)", "Selected before"),
    "sequence": Words("차수", "Batch no."),
    "settled": Words("정산", "Settled"),
    "source": Words("출처", "Source"),
    "spent": Words("집행", "Spent"),
    "starts_on": Words("시작일", "Starts on"),
    "state": Words("상태", "State"),
    "status": Words("상태", "Status"),
    "sum_negative": Words("감소 합계", "Sum of decreases"),
    "sum_positive": Words("증가 합계", "Sum of increases"),
    "target": Words("목표", "Target"),
    "elapsed_percent": Words("경과(%)", "Elapsed"),
    "targets": Words("목표 수", "Targets"),
    "thing": Words("대상", "Thing"),
    "threshold": Words("기준", "Threshold"),
    "title": Words("제목", "Title"),
    "unit": Words("소속", "Unit"),
    "value": Words("측정값", "Value"),
    "voided_by": Words("취소", "Voided by"),
    "year": Words("연도", "Year"),
    "year_before": Words("전년", "Year before"),
    "as_of": Words("기준일", "As of"),
    "accepted": Words("수락", "Accepted"),
    "approved_by": Words("승인자", "Approved by"),
    "available": Words("가용", "Available"),
    "award": Words("포상 번호", "Award"),
    "basis": Words("공적 요지", "Basis"),
    "certificate": Words("상장 번호", "Certificate"),
    "cycle": Words("대상 기간", "Cycle"),
    "decided_by": Words("결정자", "Decided by"),
    "decided_on": Words("결정일", "Decided on"),
    "decision": Words("결정", "Decision"),
    "granted_by": Words("부여자", "Granted by"),
    "granted_on": Words("수여일", "Granted on"),
    "out": Words("응답 없음", "No answer"),
    "prize": Words("부상(원)", "Prize (won)"),
    "proposal": Words("제안", "Proposal"),
    "proposed": Words("규칙의 판단", "By the rule"),
    "received": Words("수령", "Received"),
    "redeemed": Words("사용", "Redeemed"),
    "redemption": Words("사용 번호", "Redemption"),
    "share_percent": Words("지분(%)", "Share (%)"),
    "withdrawn_on": Words("취소일", "Withdrawn on"),
    "closed_on": Words("마감일", "Closed on"),
    "evaluation": Words("평가", "Evaluation"),
    "heads": Words("평균 인원", "Head-count"),
    "scheme": Words("평가 방식", "Scheme"),
    "stage": Words("단계", "Stage"),
    "total": Words("총점", "Total"),
    "action": Words("변동", "Change"),
    "code": Words("구분", "Code"),
    "cursor": Words("커서", "Cursor"),
    "delta": Words("증감", "Change"),
    "facts": Words("기록 번호", "Facts"),
    "for_period": Words("대상 기간", "For"),
    "new": Words("이후", "New"),
    "line": Words("행", "Line"),
    "noticed_at": Words("확인 시각", "Noticed at"),
    "on": Words("날짜", "Date"),
    "previous": Words("이전", "Previous"),
}
"""Headings of tables by column; the columns' own names head CSV files and stand in JSON."""

OUTCOMES = {
    "selected": Words("선정", "selected"),
    "below_threshold": Words("기준 미달", "below threshold"),
    "beyond_quota": Words("정원 초과", "beyond quota"),
    "tied_out": Words("동점 제외", "tied, left out"),
    "on_leave": Words("휴직 중", "on leave"),
    "not_serving": Words("재직 아님", "not serving"),
    "other_rank": Words("대상 직급 아님", "of another rank"),
    "other_unit": Words("대상 소속 아님", "of another unit"),
    "sanctioned": Words("제한 기간", "under a sanction"),
    "recent": Words("최근에 받음", "had it recently"),
    "too_short": Words("근무 기간 부족", "served too short"),
}

DECISIONS = {
    "granted": Words("부여", "granted"),
    "awaiting": Words("부여, 승인 대기", "granted, to be approved"),
    "approved": Words("부여·승인", "granted and approved"),
    "refused": Words("불허", "refused"),
    "revoked": Words("취소", "revoked"),
}

CHANGE_REASONS = {
    "facts": Words("기록", "facts"),
    "decision": Words("결정", "decision"),
    "correction": Words("정정", "correction"),
    "rules": Words("규칙 변경", "other rules"),
    "recalculated": Words("다시 계산", "recalculated"),
}

STATUSES = {
    "in_service": Words("적용", "in service"),
    "waiting": Words("재구축 대기", "waits for rebuild"),
    "superseded": Words("대체됨", "superseded"),
    "voided": Words("취소됨", "voided"),
}
