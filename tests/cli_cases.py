"""What the tests of the command line share: a small agency, and a way to run commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner, Result
from mileage.cli.main import mileage

if TYPE_CHECKING:
    from pathlib import Path

RULEBOOK = """
[rulebook]
id = "test"
title = { ko = "시험 규칙집", en = "Test rules" }
source = "a test"

[[rule]]
id = "submitted"
title = { ko = "제안 제출", en = "Proposal submitted" }
activity = "proposal.submitted"
split = "share"
values = [ { from = 2005-01-01, points = 2.5, clause = "제1조" } ]

[[rule]]
id = "adopted"
title = { ko = "제안 채택", en = "Proposal adopted" }
activity = "proposal.adopted"
split = "share"
values = [ { from = 2005-01-01, points = { gold = 10, silver = 7 }, clause = "제2조" } ]

[[cap]]
id = "month"
title = { ko = "월 한도", en = "Monthly cap" }
rules = ["submitted"]
period = "month"
values = [ { from = 2005-01-01, points = 4, clause = "제3조" } ]

[[programme]]
id = "training"
title = { ko = "해외연수", en = "Training abroad" }
period = "year"
values = [ { from = 2005-01-01, threshold = 5, quota = 1, clause = "제4조" } ]
tie = { break_by = ["activities"], otherwise = "exclude" }

[labels]
gold = { ko = "금상", en = "Gold" }
silver = { ko = "은상", en = "Silver" }

[[evaluation]]
id = "units"
title = { ko = "조직 평가", en = "Evaluation of units" }
values = [ { from = 2005-01-01, weights = { work = 60, effort = 40 }, clause = "표1" } ]

[[evaluation.group]]
id = "all"
title = { ko = "모든 조직", en = "All units" }
units = ["HQ", "SEOUL"]

[[evaluation.area]]
id = "work"
title = { ko = "혁신활동", en = "Innovation" }
elements = [ { id = "points", title = { ko = "점수", en = "Points" }, source = "points-per-head" } ]

[[evaluation.area]]
id = "effort"
title = { ko = "노력도", en = "Effort" }
elements = [ { id = "leading", title = { ko = "기관장", en = "Head" }, source = "scores" } ]
"""

FACTS = """\
kind,occurred_on,unit,name_ko,name_en,parent,person,rank,proposal,title,channel,authors,grade
unit.established,2000-01-01,HQ,본청,Headquarters,,,,,,,,
unit.established,2000-01-01,SEOUL,서울지방청,Seoul Office,HQ,,,,,,,
member.joined,2001-03-02,HQ,,,,P1,G5,,,,,
member.joined,2001-03-02,SEOUL,,,,P2,G7,,,,,
member.joined,2001-03-02,HQ,,,,P3,G7,,,,,
proposal.submitted,2005-03-02,,,,,,,A-1,서식 줄이기,online,P1:60;P2:40,
proposal.submitted,2005-03-09,,,,,,,A-2,=SUM(A1),paper,P1,
proposal.submitted,2005-03-10,,,,,,,A-3,Shorter queues,online,P1,
proposal.adopted,2005-04-01,,,,,,,A-1,,,,gold
"""

NAMES = "person,name,employee_number\nP1,홍길동,00012345\nP2,=cmd|calc,00000002\n"


def run(*args: str | Path, env: dict[str, str] | None = None) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(mileage, [str(arg) for arg in args], prog_name="mileage", env=env)


def ok(*args: str | Path) -> Result:
    """Run a command that must succeed."""
    result = run(*args)
    assert result.exit_code == 0, result.output
    return result


def answer(*args: str | Path) -> Any:
    """The JSON document a command answers with."""
    return json.loads(ok(*args, "--json").stdout)


def make_agency(folder: Path) -> Path:
    """A ledger with facts, names, an adopted rulebook and published figures; all in 2005."""
    path = folder / "agency.sqlite"
    (folder / "facts.csv").write_text(FACTS, encoding="utf-8")
    (folder / "names.csv").write_text(NAMES, encoding="utf-8")
    (folder / "rules.toml").write_text(RULEBOOK, encoding="utf-8")
    at = ("--ledger", path)
    ok("init", *at, "--organisation", "중소기업청", "--opened-on", "2000-01-01")
    ok("import", *at, folder / "facts.csv", "--no-catch-up")
    ok("directory", "import", *at, folder / "names.csv")
    ok("rules", "adopt", *at, folder / "rules.toml", "--on", "2005-01-01")
    ok("rebuild", *at, "--quiet")
    return path
