"""Words of the example: what proposals, clubs and contest entries are about, and reasons given."""

from __future__ import annotations

__all__ = [
    "ADJUSTMENTS",
    "ASSIGNMENTS",
    "CLUB_THEMES",
    "COURSE_TITLES",
    "DIFFICULTIES",
    "FINDINGS",
    "MEETING_AGENDAS",
    "MERGERS",
    "PUBLICITY_TITLES",
    "REJECTIONS",
    "SESSION_TOPICS",
    "SUBJECTS",
    "WITHDRAWALS",
]

SUBJECTS = (
    "민원 서식",
    "수출 지원 창구",
    "정책자금 신청 절차",
    "벤처기업 확인 업무",
    "소상공인 상담 기록",
    "현장 방문 보고",
    "회의 자료",
    "기술개발사업 평가 양식",
    "보도자료 배포",
    "창업 교육 안내",
    "공공구매 통계",
    "전자결재 문서 분류",
    "지방청 합동 점검",
    "홈페이지 자주 묻는 질문",
    "인력 지원 사업 공고",
    "시험 장비 예약",
)

ADJUSTMENTS = (
    "간소화",
    "통합",
    "온라인 전환",
    "표준화",
    "처리 기간 단축",
    "공동 활용",
    "사전 안내 강화",
    "중복 입력 폐지",
    "점검표 도입",
    "사례집 발간",
    "알림 서비스",
    "담당자 지정",
)

CLUB_THEMES = (
    "고객만족",
    "정책품질",
    "벤처생태계",
    "지식관리",
    "전자정부",
    "갈등관리",
    "기술혁신",
    "소상공인",
    "업무프로세스",
    "성과관리",
)

SESSION_TOPICS = (
    "우수사례 학습",
    "현장 애로 토론",
    "외부 전문가 초빙",
    "과제 중간 점검",
    "독서 토론",
    "타 기관 사례 조사",
    "개선안 작성",
    "발표 준비",
)

REJECTIONS = (
    "이미 시행 중인 내용",
    "예산 대비 효과 미흡",
    "관계 법령상 곤란",
    "구체적 실행 방안 부족",
    "다른 부서 소관",
)

WITHDRAWALS = (
    "보완 후 다시 제출",
    "다른 제안과 통합",
    "제안자 사정",
)

COURSE_TITLES = (
    "혁신 기본과정",
    "고객만족 행정",
    "업무 프로세스 개선",
    "갈등관리 기법",
    "토론회의 진행",
)
PUBLICITY_TITLES = ("혁신 소식", "우수사례 모음", "실패에서 배우기", "현장의 목소리")

ASSIGNMENTS = ("벤처기업 확인제도", "정책자금 평가", "민원 창구", "시험연구 장비 개방", "성과지표")
MEETING_AGENDAS = (
    "혁신교육 추진 현황",
    "우수사례 확산 방안",
    "학습동아리 지원 계획",
    "하반기 중점 과제",
)
MERGERS = ("먼저 제출된 제안과 같은 내용", "온라인과 서면으로 두 번 접수됨")
DIFFICULTIES = (
    "인증 서류의 중복 제출",
    "정책자금 상담 대기",
    "수출 보험 안내 부족",
    "공공구매 정보 부족",
)
FINDINGS = (
    ("학습", "학습 결과가 업무 개선으로 이어지는 경로가 분명하지 않음"),
    ("보상", "작은 성과에 대한 보상이 늦음"),
    ("고객", "지방청마다 민원 안내가 다름"),
)
"""What the outside diagnosis found: area and finding."""
