"""What the report says, in Korean and in English; both templates take their words from here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from .texts import Words, pick

if TYPE_CHECKING:
    from .texts import Lang

__all__ = ["words"]

_WORDS = {
    "title": Words("{period} 혁신마일리지 평가 보고서", "Innovation Mileage: Report {period}"),
    "all_periods": Words("전체 기간", "All Periods"),
    # what heads columns and names figures
    "as_of": Words("기준일", "As of"),
    "happened_by": Words("{as_of}까지 있었던 일만 반영", "only what had happened by {as_of}"),
    "known_at": Words("{instant}까지 기록된 것", "as recorded by {instant}"),
    "facts": Words("기록", "Facts"),
    "up_to": Words("#{position}까지", "up to #{position}"),
    "rulebooks": Words("규칙집", "Rulebooks"),
    "no_rulebook": Words("시행 중인 규칙집 없음", "none in force"),
    "book": Words(
        "{rulebook} (채택 #{position}, {since} – {until}, 지문 {digest})",
        "{rulebook} (adopted as #{position}, {since} – {until}, digest {digest})",
    ),
    "compared": Words("직전 기간과 비교", "Against the period before"),
    "period": Words("기간", "Period"),
    "change": Words("증감", "Change"),
    "up_to_day": Words("{period} ({day}까지)", "{period} (to {day})"),
    "percent_points": Words("{change}%p", "{change} points"),
    "staff": Words("재직 인원", "People"),
    "people": Words("재직", "People"),
    "on_leave": Words("휴직", "On leave"),
    "taking_part": Words("참여", "Taking part"),
    "participation_share": Words("참여율", "Participation"),
    "unit": Words("소속", "Unit"),
    "rank": Words("직급", "Rank"),
    "by_unit": Words("소속별", "By unit"),
    "by_rank": Words("직급별", "By rank"),
    "chart": Words("그래프", "Chart"),
    "programme": Words("분야", "Programme"),
    "activities": Words("활동", "Activities"),
    "activity": Words("활동", "Activity"),
    "persons": Words("사람", "People"),
    "points": Words("점수", "Points"),
    "rewarded": Words("보상된 활동", "Activities rewarded"),
    "by_programme": Words("분야별", "By programme"),
    "by_month": Words("월별 활동 건수", "Activities by month"),
    "month": Words("월", "Month"),
    "in_all": Words("합계", "In all"),
    "why": Words("까닭", "Why"),
    "why_not": Words("점수가 없는 까닭", "Why there are no points"),
    "count": Words("건수", "Count"),
    "place": Words("순위", "Place"),
    "person": Words("구성원", "Person"),
    "item": Words("비목", "Item"),
    "returned_item": Words("반납", "Returned"),
    "granted": Words("교부(원)", "Granted (won)"),
    "spent": Words("집행(원)", "Spent (won)"),
    "returned": Words("반납(원)", "Returned (won)"),
    "spent_share": Words("집행률", "Share spent"),
    "indicator": Words("지표", "Indicator"),
    "measured_in": Words("단위", "Measured in"),
    "year_before": Words("전년", "Year before"),
    "target": Words("목표", "Target"),
    "value": Words("실적", "Value"),
    "outcome": Words("결과", "Outcome"),
    "achieved": Words("달성률", "Achieved"),
    "measured": Words("측정", "Measured"),
    "group": Words("구분", "Group"),
    "total": Words("총점", "Total"),
    "missing": Words("미비", "Missing"),
    "award": Words("포상", "Award"),
    "certificate": Words("상장 번호", "Certificate"),
    "prize": Words("부상(원)", "Prize (won)"),
    "withdrawn": Words("취소", "Withdrawn"),
    "grade": Words("등급", "Grade"),
    "diagnosis": Words("진단", "Diagnosis"),
    "institute": Words("진단기관", "Institute"),
    "findings": Words("진단 결과", "Findings"),
    "resolved": Words("해결", "Resolved"),
    "level": Words("수준", "Level"),
    "date": Words("날짜", "Date"),
    "fact": Words("기록", "Fact"),
    "thing": Words("대상", "Thing"),
    # headings of sections
    "participation": Words("참여", "Participation"),
    "rewards": Words("보상", "Rewards"),
    "most_points": Words("점수 상위", "Most points"),
    "selections": Words("제도별 선정", "Who gets into which programme"),
    "evaluations": Words("조직 평가", "Ranking of units"),
    "awards": Words("포상", "Awards"),
    "diagnoses": Words("외부 진단", "Outside diagnosis"),
    "support": Words("학습동아리·학습단 지원금", "Support of learning clubs and teams"),
    "indicators": Words("성과지표({year}년)", "Indicators ({year})"),
    "appendix": Words("붙임. 점수가 없는 활동", "Appendix. Activities without points"),
    # sentences
    "took_part": Words(
        "{day} 현재 재직 인원 {people}명 가운데 {taking_part}명이 활동에 참여하였습니다.",
        "Of the {people} people who serve on {day}, {taking_part} took part in an activity.",
    ),
    "gone": Words(
        "그 밖에 기간 중 참여하고 퇴직한 사람이 {gone}명 있습니다.",
        "Another {gone} took part and no longer serve.",
    ),
    "about_participation": Words(
        "참여는 취소되거나 철회되지 않은 활동이 기간 중 하나 이상 있는 것입니다. 인원은 기준일의"
        " 재직자(휴직자 포함)이고 소속과 직급도 그날의 것이며, 하위 조직의 인원은 상위 조직에 넣지"
        " 않습니다. 비율은 소수점 아래 둘째 자리에서 반올림합니다.",
        "To take part is to have an activity in the period that was neither voided nor withdrawn."
        " People are those who serve on the day, on leave or not, by the unit and rank they have"
        " that day; units below a unit are counted apart. Shares are rounded to one decimal place.",
    ),
    "about_activities": Words(
        "여러 사람이 함께한 활동은 사람마다 한 건으로 셉니다.",
        "An activity of several people counts once for each of them.",
    ),
    "no_activity": Words("활동이 없습니다.", "There was no activity."),
    "covered": Words(
        "작은 성과도 반드시 보상하는지 살핍니다. 활동 {activities}건 가운데"
        " {rewarded}건({percent})에 점수가 있습니다.",
        "Is even a small result rewarded? Of {activities} activities, {rewarded} ({percent}) have"
        " points.",
    ),
    "without_points": Words("점수가 없는 활동과 그 까닭", "Activities without points, and why"),
    "about_coverage": Words(
        "취소되거나 철회된 활동은 활동 건수에 들지 않습니다. 한 건마다의 내역은 붙임에 있습니다.",
        "What was voided or withdrawn is not among the activities. Each of them is listed in the"
        " appendix.",
    ),
    "nobody": Words("점수가 있는 사람이 없습니다.", "Nobody has points."),
    "terms": Words(
        "{period} 점수 {threshold}점 이상, 정원 {quota}, 선정 {selected}명",
        "{threshold} points in {period} needed, quota {quota}, {selected} in",
    ),
    "quota": Words("{quota}명", "{quota}"),
    "no_quota": Words("없음", "none"),
    "no_programme": Words("시행 중인 제도가 없습니다.", "No programme is in force."),
    "evaluated": Words(
        "{starts} – {ends}, {stage}. {scheme}({clause}), 100점 만점.",
        "{starts} – {ends}, {stage}. {scheme} ({clause}), of 100.",
    ),
    "about_evaluations": Words(
        "이 보고서의 다른 수치와 같은 기준으로 다시 계산한 순위입니다. 공표한 순위는 mileage"
        " competition으로 봅니다. 동점은 같은 순위이고, 미비한 요소는 0으로 계산합니다.",
        "The ranking is worked out as of the same day as everything here; mileage competition"
        " shows the one that was published. Equal totals share a place; what is missing counts as"
        " 0.",
    ),
    "no_evaluation": Words(
        "기간 중에 끝난 조직 평가가 없습니다.", "No evaluation of units ends in the period."
    ),
    "decided": Words(
        "결정: 부여 {granted}, 승인 {approved}, 불허 {refused}, 취소 {revoked}, 미결정 {open}",
        "Decided: granted {granted}, approved {approved}, refused {refused}, revoked {revoked},"
        " open {open}",
    ),
    "too_many": Words(
        "선정된 사람이 많아 이름은 싣지 않습니다(mileage eligible).",
        "They are too many to be listed here (mileage eligible).",
    ),
    "awarded": Words(
        "기간 중 포상 {awards}건, 부상 {prize}원.", "{awards} awards, {prize} won in prizes."
    ),
    "no_award": Words("기간 중 포상이 없습니다.", "No award was granted in the period."),
    "no_diagnosis": Words("외부 진단이 없습니다.", "There is no outside diagnosis."),
    "about_support": Words(
        "기간 중에 교부·집행·반납한 금액입니다.",
        "What was granted, spent and returned in the period.",
    ),
    "no_support": Words(
        "기간 중 교부·집행한 지원금이 없습니다.",
        "No support was granted or spent in the period.",
    ),
    "about_indicators": Words(
        "실적은 그해에 마지막으로 측정한 값입니다. 전년 대비 목표는 전년 값에서 정확히 계산하고"
        " 소수점 아래 넷째 자리로 반올림해 보입니다.",
        "The value is the last one measured in the year. A target relative to the year before is"
        " worked out exactly and shown rounded to four decimal places.",
    ),
    "no_indicator": Words("정한 지표가 없습니다.", "No indicator is defined."),
}


def words(lang: Lang) -> SimpleNamespace:
    """All of it in one language, each as an attribute; some are to be formatted."""
    return SimpleNamespace(**{name: pick(text, lang) for name, text in _WORDS.items()})
