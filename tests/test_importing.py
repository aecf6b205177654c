"""Import of CSV and JSON Lines files: all or nothing, bad rows set aside, bad files explained."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import tracemalloc
from decimal import Decimal

import pytest
from mileage.ledger import ImportRefused, InvalidFact, Ledger, UnknownKind, rowfiles
from mileage.ledger import importing as importing_module
from mileage.ledger import ledger as ledger_module
from mileage.ledger.importing import import_file

HEADER = "kind,occurred_on,proposal,title,channel,authors,grade,reason\n"


def submission(number, day="2005-03-02", authors="P1:60;P2:40", title="서식 줄이기"):
    return f"proposal.submitted,{day},2005-{number},{title},online,{authors},,\n"


def adoption(number, day="2005-05-02"):
    return f"proposal.adopted,{day},2005-{number},,,,gold,\n"


@pytest.fixture
def put(tmp_path):
    """Write a file beside the ledger and return its path."""

    def write(content, name="year.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def refused(ledger, path, **options):
    """Import a file that must be refused whole; return its problems."""
    before = ledger.position
    with pytest.raises(ImportRefused) as error:
        import_file(ledger, path, by="officer", **options)
    assert ledger.position == before, "nothing of a refused file may be stored"
    return error.value.problems


class TestWhole:
    def test_rows_are_recorded_in_the_order_of_the_file(self, ledger, put):
        """A file is recorded row by row, with its name as the source and the importer's id."""
        path = put(HEADER + submission(1) + submission(2) + adoption(1))
        result = import_file(ledger, path, by="officer")
        assert (result.file, result.rows, result.recorded) == ("year.csv", 3, 3)
        assert (result.repeated, result.rejected, result.problems) == (0, 0, ())
        told = [each.fact for each in ledger.facts()][-3:]
        assert [fact.key for fact in told] == [
            "proposal.submitted:2005-1",
            "proposal.submitted:2005-2",
            "proposal.adopted:2005-1",
        ]
        assert {(fact.source, fact.recorded_by) for fact in told} == {("year.csv", "officer")}

    def test_750_entries_sent_twice_and_one_changed(self, ledger, put):
        """Sent again, 750 entries are 750 repeats; with one line changed, nothing is taken."""
        contest = "contest.opened,2005-04-01,best,Best,,,agency,gold;silver\n"
        header = "kind,occurred_on,contest,title,entry,entrants,scope,grades\n"
        rows = [
            f"contest.entered,2005-05-{1 + n % 28:02},best,Case {n},e{n},P{1 + n % 3},,\n"
            for n in range(750)
        ]
        path = put(header + contest + "".join(rows))
        assert import_file(ledger, path, by="officer").recorded == 751
        position = ledger.position
        again = import_file(ledger, path, by="another", source="second letter")
        assert (again.recorded, again.repeated) == (0, 751)
        rows[400] = rows[400].replace("Case 400", "Case four hundred")
        rows.append("contest.entered,2005-06-01,best,New,e750,P1,,\n")
        problems = refused(ledger, put(header + contest + "".join(rows)))
        assert [(each.line, each.rule) for each in problems] == [(403, "key.conflict")]
        assert "contest.entered:best:e400" in problems[0].reason
        assert "four hundred" not in str(problems[0])
        assert ledger.position == position

    def test_all_problems_are_found_at_once(self, ledger, put):
        """Every bad row of a file is listed with its line, field and rule, in order."""
        path = put(
            HEADER
            + submission(1)
            + submission(2, day="2005-02-30")
            + submission(3, authors="P1:50;P2:40")
            + "\n"
            + submission(4, authors="P1;P9")
            + "proposal.submited,2005-03-02,2005-5,T,online,P1,,\n"
            + "proposal.rejected,2005-05-02,2005-1,,,,,\n"
            + submission(6, day="2005-12-21")
            + submission(7, day="2000-03-01")
            + ",2005-03-02,2005-8,T,online,P1,,\n"
            + "proposal.submitted,,2005-9,T,online,P1,,\n"
            + "proposal.implemented,2005-03-02,2005-1,T,,,,\n"
            + "rulebook.adopted,2005-03-02,2005-1,T,,,,\n"
        )
        assert [(each.line, each.field, each.rule) for each in refused(ledger, path)] == [
            (3, "occurred_on", "fact.invalid"),
            (4, "authors", "fact.invalid"),
            (6, "authors", "member.unknown"),
            (7, "kind", "kind.unknown"),
            (8, "reason", "fact.invalid"),
            (9, "occurred_on", "fact.in-the-future"),
            (10, "authors", "member.not-serving"),
            (11, "kind", "fact.invalid"),
            (12, "occurred_on", "fact.invalid"),
            (13, "title", "fact.invalid"),
            (14, "kind", "fact.invalid"),
        ]

    def test_a_row_refused_for_an_earlier_row_says_so(self, ledger, put):
        """Rows that fail only because their thing's first row failed point at that line."""
        path = put(
            HEADER
            + submission(1, authors="P1:90")
            + adoption(1)
            + "proposal.implemented,2005-06-01,2005-1,,,,,\n"
            + adoption(2)
        )
        problems = refused(ledger, path)
        assert [each.line for each in problems] == [2, 3, 4, 5]
        pointing = "line 2, about proposal:2005-1, was refused: correct that one first"
        assert [each.remedy for each in problems[1:3]] == [pointing, pointing]
        assert problems[3].remedy == "record proposal.submitted first"

    def test_a_reference_to_a_refused_row_says_so(self, ledger, put):
        """A row about a person, or an entry of a contest, refused earlier points at that line."""
        header = "kind,occurred_on,person,unit,rank,contest,title,entry,entrants,scope,grades\n"
        path = put(
            header
            + "member.joined,2005-01-03,P7,NOWHERE,G5,,,,,,\n"
            + "contest.opened,2005-04-01,,,,best,Best,,,world,gold\n"
            + "contest.entered,2005-05-01,,,,best,Case,e1,P1,,\n"
            + "learning_club.joined,2005-05-01,P7,,,,,,,,\n"
            + "member.promoted,2005-05-01,P7,,G4,,,,,,\n"
        )
        remedies = {each.line: each.remedy for each in refused(ledger, path)}
        assert remedies[4] == "line 3, about contest:best, was refused: correct that one first"
        assert remedies[6] == "line 2, about member:P7, was refused: correct that one first"

    def test_two_rows_of_one_file_with_one_key(self, ledger, put):
        """The same row twice in a file is one fact; the same key for another content a problem."""
        assert import_file(ledger, put(HEADER + submission(1) * 2), by="o").repeated == 1
        path = put(HEADER + submission(2) + submission(2, title="Other"))
        (problem,) = refused(ledger, path)
        assert "another row of this file" in problem.reason
        assert (problem.line, problem.field, problem.rule) == (3, "key", "key.conflict")

    def test_corrections_are_rows_too(self, ledger, put):
        """A file can void what an earlier row of it recorded."""
        path = put(
            "kind,occurred_on,key,proposal,title,channel,authors,fact,reason\n"
            "proposal.submitted,2005-03-02,letter-1,1,T,online,P1,,\n"
            "fact.voided,2005-03-03,,,,,,letter-1,typo\n"
        )
        assert import_file(ledger, path, by="officer").recorded == 2
        assert ledger.state("proposal:1") is None

    def test_the_list_of_problems_is_bounded(self, ledger, put):
        """After 1,000 problems only the number of the others is told."""
        path = put(HEADER + "".join(adoption(n) for n in range(1_500)))
        problems = refused(ledger, path)
        assert len(problems) == 1_001
        assert problems[-1].reason == "500 more problems are not listed"

    def test_columns_of_the_envelope(self, ledger, put):
        """A row's own key, source and recorder go before those of the import."""
        path = put(
            "occurred_on,proposal,title,channel,authors,key,source,recorded_by\n"
            "2005-03-02, 1 ,T,online, P1 ; P2 ,letter-1,paper,clerk\n"
            "2005-03-02,2,T,online,P1,,,\n"
        )
        import_file(ledger, path, by="officer", source="letters", kind="proposal.submitted")
        told = [each.fact for each in ledger.facts()][-2:]
        assert [(fact.key, fact.source, fact.recorded_by) for fact in told] == [
            ("letter-1", "paper", "clerk"),
            ("proposal.submitted:2", "letters", "officer"),
        ]
        assert [share.percent for share in told[0].data.authors] == [50, 50]

    def test_progress_ends_with_the_whole(self, ledger, put):
        """Progress never goes back, and ends with all bytes of the file."""
        path = put(HEADER + "".join(submission(n) for n in range(2_500)))
        told = []
        import_file(ledger, path, by="officer", progress=lambda *now: told.append(now))
        total = path.stat().st_size
        assert len(told) > 2
        assert told == sorted(told)
        assert told[-1] == (total, total)

    def test_more_things_than_are_kept_in_memory(self, ledger, put, monkeypatch):
        """Streams that were dropped from memory are read again, with the same outcome."""
        monkeypatch.setattr(ledger_module, "STREAMS_MAX", 20)
        monkeypatch.setattr(ledger_module, "BATCH_ROWS", 7)
        rows = [submission(n) for n in range(300)] + [adoption(n) for n in range(300)]
        assert import_file(ledger, put(HEADER + "".join(rows)), by="o").recorded == 600
        assert ledger.state("proposal:2005-0").stage == "adopted"
        (problem,) = refused(ledger, put(HEADER + adoption(5, day="2005-05-03")))
        assert problem.rule == "key.conflict"


class TestEncodings:
    @pytest.mark.parametrize(
        ("encoding", "option"),
        [
            ("utf-8", "utf-8"),
            ("utf-8-sig", "utf-8"),
            ("utf-8-sig", "UTF8"),
            ("cp949", "cp949"),
            ("utf-16", "utf-16"),
        ],
    )
    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
    def test_hangul_arrives(self, ledger, put, encoding, option, newline):
        """Hangul arrives whole from every encoding, with every kind of line end."""
        path = put((HEADER + submission(1)).replace("\n", newline), encoding=encoding)
        import_file(ledger, path, by="officer", encoding=option)
        assert [*ledger.facts()][-1].fact.data.title == "서식 줄이기"

    def test_a_wrong_encoding_is_placed(self, ledger, put):
        """A cp949 file read as UTF-8 is refused by line and byte, with the option to try."""
        text = HEADER + submission(1, title="Forms") + submission(2)
        path = put(text, encoding="cp949")
        (problem,) = refused(ledger, path)
        byte = text.index("서") + 1
        assert (problem.line, problem.rule) == (3, "import.decoding")
        assert problem.reason == f"byte {byte:,} of the file is not utf-8"
        assert problem.remedy == "wrong encoding: try --encoding cp949"

    def test_the_place_is_right_beyond_the_first_chunk(self, ledger, put):
        """The byte is counted right where a character is cut in two by the reader's chunks."""
        good = "가" * 400_000 + "\n"
        content = b"\xef\xbb\xbf" + good.encode() + b"ab\xff"
        (problem,) = refused(ledger, put(content))
        assert problem.line == 2
        assert f"byte {len(content):,} " in problem.reason

    def test_a_file_cut_within_a_character(self, ledger, put):
        """A file that ends in the middle of a character is refused."""
        (problem,) = refused(ledger, put((HEADER + "가").encode()[:-1]))
        assert (problem.line, problem.rule) == (2, "import.decoding")

    @pytest.mark.parametrize("encoding", ["cp94900", "hex", "rot13", "a\0b"])
    def test_an_unknown_encoding(self, ledger, put, encoding):
        """A codec that does not exist or makes no text is refused by name."""
        (problem,) = refused(ledger, put(HEADER), encoding=encoding)
        assert (problem.line, problem.rule) == (0, "import.encoding")


class TestBadFiles:
    @pytest.mark.parametrize(
        ("content", "rule", "words"),
        [
            (b"", "import.empty", "no header"),
            (b"\n", "import.column-missing", "kind"),
            (b"occurred_on,proposal\n", "import.column-missing", "'kind'"),
            (b"kind,proposal\n", "import.column-missing", "'occurred_on'"),
            (b"kind,occurred_on,titel\n", "import.column-unknown", "did you mean 'title'?"),
            (b"kind,occurred_on,a\0b\n", "import.column-unknown", r"'a\x00b'"),
            (b"kind,occurred_on,kind\n", "import.column-repeated", "column 3 'kind' comes twice"),
            (b"kind,occurred_on, \n", "import.column-unnamed", "column 3 has no name"),
            (b'kind,"occurred_on\n', "import.quotes", "quote"),
        ],
    )
    def test_headers(self, ledger, put, content, rule, words):
        """A header that cannot be used is explained before any row is read."""
        problem = refused(ledger, put(content))[0]
        assert problem.rule == rule
        assert words in str(problem)

    def test_a_header_without_rows(self, ledger, put):
        """A file of a header alone records nothing and is no error."""
        assert import_file(ledger, put(HEADER), by="officer").rows == 0

    @pytest.mark.parametrize(
        ("row", "rule", "field"),
        [
            ("proposal.adopted,2005-05-02,2005-1\n", "import.ragged", ""),
            (adoption(1).strip() + ",more\n", "import.ragged", ""),
            ('proposal.adopted,2005-05-02,"2005"-1,,,,gold,\n', "import.quotes", ""),
            (submission(2, title="a\0b"), "fact.invalid", "title"),
            (submission(2, title="x" * 1_000_000), "import.too-long", "title"),
            (submission(2, title="x" * 120_000), "import.too-long", "title"),
            (submission(2, title='"' + "x," * 100_000 + '"'), "import.too-long", "title"),
            (submission(2, title="x" * 600), "fact.invalid", "title"),
            (submission(2, title="x" * 5_000_000), "import.too-long", ""),
            (submission(2, authors=";" * 90_000), "fact.invalid", "authors"),
            (submission(2, authors="P1:1e999999999"), "fact.invalid", "authors"),
        ],
        ids=range(11),
    )
    def test_broken_rows(self, ledger, put, row, rule, field):
        """A row that cannot be read is one problem on its line; the rows after it are read on."""
        problems = refused(ledger, put(HEADER + submission(1) + row + adoption(9)))
        assert [(each.line, each.rule, each.field) for each in problems] == [
            (3, rule, field),
            (4, "proposal.unknown", "proposal"),
        ]
        assert max(len(str(each)) for each in problems) < 300

    @pytest.mark.parametrize("rows_after", [1, 50, 150])
    def test_an_open_quote_blames_its_own_line_only(self, ledger, put, rows_after):
        """A quote that is never closed is one problem; the rows after it are checked as rows."""
        after = "".join(adoption(n) for n in range(rows_after))
        problems = refused(ledger, put(HEADER + submission(1, title='"Forms') + after))
        assert [each.line for each in problems] == list(range(2, 3 + rows_after))
        assert {each.rule for each in problems[1:]} == {"proposal.unknown"}

    def test_lines_are_counted_over_cells_of_several_lines(self, ledger, put):
        """A quoted cell may have line breaks; a problem names the line its row begins on."""
        path = put(HEADER + submission(1, title='"two\nlines"') + adoption(2))
        assert [each.line for each in refused(ledger, path)] == [4]
        import_file(ledger, put(HEADER + submission(1, title='"two\nlines"')), by="officer")
        assert [*ledger.facts()][-1].fact.data.title == "two\nlines"

    def test_empty_rows_are_no_rows(self, ledger, put):
        """Empty lines, and lines of empty cells as spreadsheets leave them, are skipped."""
        path = put(HEADER + "\n,,,,,,,\n, ,\n" + submission(1) + "\n\n")
        assert import_file(ledger, path, by="officer").rows == 1

    def test_files_that_are_not_there_or_of_no_known_format(self, ledger, put, tmp_path):
        """A missing file, a folder and an unknown suffix are problems of the file."""
        (missing,) = refused(ledger, tmp_path / "nothing.csv")
        (folder,) = refused(ledger, tmp_path, format="csv")
        (suffix,) = refused(ledger, put(HEADER, name="year.xlsx"))
        rules = ["import.unreadable", "import.unreadable", "import.format"]
        assert [missing.rule, folder.rule, suffix.rule] == rules
        assert str(tmp_path) not in f"{missing} {folder} {suffix}".replace(tmp_path.name, "")
        assert import_file(ledger, put(HEADER, name="y.txt"), by="o", format="csv").rows == 0

    def test_unfit_arguments(self, ledger, put):
        """An unknown kind and an empty recorder are refused before the file is read."""
        path = put(HEADER + submission(1))
        with pytest.raises(UnknownKind, match="did you mean"):
            import_file(ledger, path, by="officer", kind="proposal.submited")
        with pytest.raises(InvalidFact, match="recorded_by"):
            import_file(ledger, path, by=" ")
        with pytest.raises(InvalidFact, match="rejects"):
            import_file(ledger, path, by="officer", rejects=path)

    def test_messages_carry_no_free_text(self, ledger, put):
        """No title, reason or name that stands in a file comes back in a message."""
        private = "홍길동의비밀"
        long = private * 200
        rows = [
            submission(1, title=long),
            submission(2, title=f"{private}\0"),
            submission(3, authors=f"{private} {private};P1:40"),
            f"proposal.rejected,2005-03-02,2005-9,,,,,{private}\n",
            f"proposal.rejected,{private},2005-9,,,,,\n",
            f"proposal.reviewed,2005-03-02,{private} {private},,,,,\n",
            f'proposal.rejected,2005-03-02,2005-9,"{private}"x,,,,\n',
        ]
        problems = refused(ledger, put(HEADER + "".join(rows)))
        assert len(problems) == len(rows)
        assert private not in "\n".join(map(str, problems))


def line(**values):
    return json.dumps(values, ensure_ascii=False) + "\n"


PROPOSAL = {
    "kind": "proposal.submitted",
    "occurred_on": "2005-03-02",
    "proposal": "1",
    "title": "서식",
    "channel": "online",
}


class TestJsonLines:
    @pytest.mark.parametrize(
        "authors",
        [
            '"P1:60;P2:40"',
            '[{"person": "P1", "percent": "60"}, {"person": "P2", "percent": "40"}]',
            '[{"person": "P1", "percent": 60}, {"percent": 40.0, "person": "P2"}]',
            '[{"person": "P1", "percent": 60.0000}, {"person": "P2", "percent": 4e1}]',
        ],
    )
    def test_shares_in_every_form(self, ledger, put, authors):
        """Shares written as a cell, as texts or as numbers are the same shares, exactly."""
        text = json.dumps(PROPOSAL)[:-1] + f', "authors": {authors}, "grade": null}}\n'
        import_file(ledger, put(text, name="year.jsonl"), by="officer")
        found = [*ledger.facts()][-1].fact.data.authors
        assert [(each.person, each.percent) for each in found] == [("P1", 60), ("P2", 40)]

    def test_lists_and_exact_numbers(self, ledger, put):
        """Lists of people and codes are taken as they are, and 0.1 hours are a tenth exactly."""
        text = (
            line(kind="contest.opened", occurred_on="2005-03-02", contest="c", title="T")[:-2]
            + ', "scope": "agency", "grades": ["gold", "silver"]}\n\n'
            + line(**PROPOSAL, authors=["P1", "P2", "P3"])
            + '{"kind": "learning_club.registered", "occurred_on": "2005-03-02", "club": "c",'
            ' "title": "T", "leader": "P1"}\n'
            '{"kind": "learning_club.session_held", "occurred_on": "2005-03-02", "club": "c",'
            ' "session": "1", "topic": "T", "hours": 0.1, "attendees": ["P1"]}\n'
        )
        result = import_file(ledger, put(text, name="year.ndjson"), by="officer")
        assert (result.rows, result.recorded) == (4, 4)
        facts = [each.fact.data for each in ledger.facts()][-4:]
        assert facts[0].grades == ("gold", "silver")
        assert [each.percent for each in facts[1].authors] == [
            Decimal("33.3334"),
            Decimal("33.3333"),
            Decimal("33.3333"),
        ]
        assert facts[3].hours == Decimal("0.1")

    BAD = (
        ("{", "import.json", "not valid JSON"),
        ("[1]", "import.json", "not a JSON object"),
        ("5", "import.json", "not a JSON object"),
        ('{"kind": "a", "kind": "b"}', "import.json", "the key 'kind' twice"),
        ('{"authors": [{"person": "P1", "person": "P2"}]}', "import.json", "'person' twice"),
        ('{"hours": NaN}', "import.json", "NaN"),
        ('{"hours": -Infinity}', "import.json", "-Infinity"),
        ('{"hours": 1e99999999999999999999999}', "import.json", "absurd number"),
        ('{"hours": ' + "9" * 5_000 + "}", "import.json", "absurd number"),
        ("[" * 200_000, "import.json", "nested too deeply"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "import.json", "nested too deeply"),
        ('{"title": "' + "x" * 4_000_000 + '"}', "import.too-long", "4,000,000 characters"),
        ('{"kind": 5}', "fact.invalid", "must be a string"),
        (line(**PROPOSAL, authors="P1", more=1), "fact.invalid", "no such field"),
        (line(**PROPOSAL, authors="P1", titel="T"), "fact.invalid", "did you mean 'title'"),
        (line(**PROPOSAL, authors="P1", **{"\ud800": 1}), "fact.invalid", "no such field"),
        (line(**PROPOSAL, authors=5), "fact.invalid", "must be a list"),
        (line(**PROPOSAL, authors=[5]), "fact.invalid", "exactly person and percent"),
        (line(**PROPOSAL, authors=[{"person": "P1"}]), "fact.invalid", "exactly person and"),
        (line(**PROPOSAL, authors=[{"person": "P1", "percent": True}]), "fact.invalid", "number"),
        (line(**PROPOSAL, authors=[{"person": 1, "percent": 100}]), "fact.invalid", "a string"),
        (line(**PROPOSAL), "fact.invalid", "is missing"),
        (line(**PROPOSAL, authors=[]), "fact.invalid", "at least one"),
        (line(**PROPOSAL | {"title": 5}, authors="P1"), "fact.invalid", "must be a string"),
        (line(**PROPOSAL | {"title": "\ud800"}, authors="P1"), "fact.invalid", "U+D800"),
        (line(**PROPOSAL | {"occurred_on": 20050302}, authors="P1"), "fact.invalid", "a string"),
    )

    @pytest.mark.parametrize(("text", "rule", "words"), BAD, ids=range(len(BAD)))
    @pytest.mark.parametrize("aside", [False, True])
    def test_bad_lines(self, ledger, put, tmp_path, text, rule, words, aside):
        """A line that is no exact object of its kind is one problem, and can be set aside."""
        text = text.encode("utf-8", "backslashreplace").decode().strip()
        path = put(line(**PROPOSAL, authors="P1") + text + "\n", name="year.jsonl")
        if aside:
            kept = tmp_path / "bad.jsonl"
            result = import_file(ledger, path, by="officer", rejects=kept)
            assert (result.recorded, result.rejected) == (1, 1)
            (problem,) = result.problems
            assert json.loads(kept.read_text())["line"] == 2
        else:
            (problem,) = refused(ledger, path)
        assert (problem.line, problem.rule) == (2, rule)
        assert words in str(problem)
        assert len(str(problem)) < 300


class TestRejects:
    ROWS = (
        submission(1)
        + submission(2, authors="P1:50")
        + adoption(2)
        + "proposal.adopted,2005-05-02\n"
        + 'proposal.rejected,2005-05-02,"2005"-3,,,,,late\n'
        + adoption(1)
    )

    def test_bad_rows_are_set_aside_corrected_and_imported(self, ledger, put, tmp_path):
        """Good rows are recorded, bad ones written whole; corrected they import as they are."""
        bad = tmp_path / "bad.csv"
        path = put(HEADER + self.ROWS, encoding="cp949")
        result = import_file(ledger, path, by="officer", encoding="cp949", rejects=bad)
        assert (result.rows, result.recorded, result.rejected) == (6, 2, 4)
        assert [each.line for each in result.problems] == [3, 4, 5, 6]
        text = bad.read_bytes().decode("cp949")
        rows = list(csv.reader(text.splitlines()))
        assert rows[0] == ["line", "problem", *HEADER.strip().split(",")]
        assert [row[0] for row in rows[1:]] == ["3", "4", "5", "6"]
        assert rows[1][2:] == next(csv.reader([submission(2, authors="P1:50")]))
        assert "shares make 50 %" in rows[1][1]
        assert rows[3][2:] == ["proposal.adopted", "2005-05-02"]

        corrected = [rows[0], rows[1], rows[2]]
        corrected[1][7] = "P1:50;P2:50"
        with bad.open("w", encoding="cp949", newline="") as file:
            csv.writer(file).writerows(corrected)
        assert import_file(ledger, bad, by="officer", encoding="cp949").recorded == 2
        assert ledger.state("proposal:2005-2").stage == "adopted"

    def test_json_lines_set_aside_and_corrected(self, ledger, put, tmp_path):
        """A bad line keeps its keys and values; its line and problem are ignored afterwards."""
        bad = tmp_path / "bad.jsonl"
        rows = line(**PROPOSAL, authors=[{"person": "P1", "percent": 99.5}]) + "{broken\n"
        result = import_file(ledger, put(rows, name="y.jsonl"), by="officer", rejects=bad)
        assert result.rejected == 2
        first, second = map(json.loads, bad.read_text().splitlines())
        assert first["line"] == 1
        assert first["authors"] == [{"person": "P1", "percent": "99.5"}]
        assert second["unreadable"] == "{broken"
        first["authors"][0]["percent"] = "100"
        bad.write_text(json.dumps(first))
        assert import_file(ledger, bad, by="officer").recorded == 1

    def test_still_uncorrected_rows_are_refused_again(self, ledger, put, tmp_path):
        """A rejects file imported as it is has the same rows rejected, and no columns twice."""
        first, second = tmp_path / "first.csv", tmp_path / "second.csv"
        import_file(ledger, put(HEADER + self.ROWS), by="officer", rejects=first)
        again = import_file(ledger, first, by="officer", rejects=second)
        assert (again.recorded, again.rejected) == (0, 4)

        def rows(path):
            return list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))

        assert [row[2:] for row in rows(second)] == [row[2:] for row in rows(first)]
        assert rows(second)[0][:3] == ["line", "problem", "kind"]

    def test_no_file_without_bad_rows(self, ledger, put, tmp_path):
        """Without bad rows there is no rejects file."""
        bad = tmp_path / "bad.csv"
        import_file(ledger, put(HEADER + submission(1)), by="officer", rejects=bad)
        assert not list(tmp_path.glob("bad.csv*"))

    def test_a_line_too_long_to_keep_is_named(self, ledger, put, tmp_path):
        """A line beyond the limit is set aside by its number alone."""
        bad = tmp_path / "bad.csv"
        path = put(HEADER + "x" * 5_000_000 + "\n" + submission(1))
        result = import_file(ledger, path, by="officer", rejects=bad)
        assert (result.recorded, result.rejected) == (1, 1)
        assert bad.stat().st_size < 1_000

    def test_an_undecodable_file_is_refused_whole(self, ledger, put, tmp_path):
        """A wrong encoding at the end of a file leaves nothing of its beginning."""
        rows = "".join(submission(n, title="T") for n in range(5)).encode() + b"\xff"
        (problem,) = refused(ledger, put(HEADER.encode() + rows), rejects=tmp_path / "bad.csv")
        assert problem.line == 7

    def test_rows_are_committed_in_batches(self, ledger, put, tmp_path, monkeypatch):
        """What was committed before an interruption stays, and the import can be repeated."""
        monkeypatch.setattr(importing_module, "COMMIT_ROWS", 1_000)
        path = put(HEADER + "".join(submission(n) for n in range(2_500)) + adoption(9_999))
        bad, before = tmp_path / "bad.csv", ledger.position

        def interrupt(done, total):
            if done == total:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            import_file(ledger, path, by="officer", rejects=bad, progress=interrupt)
        assert ledger.position == before + 2_000
        assert not list(tmp_path.glob("bad.csv*"))
        again = import_file(ledger, path, by="officer", rejects=bad)
        assert (again.recorded, again.repeated, again.rejected) == (500, 2_000, 1)
        assert bad.exists()


CHILD = """
import sys, time
from pathlib import Path
from mileage.ledger import Ledger
from mileage.ledger import importing, ledger
importing.COMMIT_ROWS = importing.LOOK_AHEAD_ROWS = 100
ledger.BATCH_ROWS = 50
seen = []
def progress(done, total):
    seen.append(done)
    if len(seen) == 5:
        print("under way", flush=True)
        time.sleep(60)
with Ledger.open(sys.argv[1]) as opened:
    rejects = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    importing.import_file(opened, Path(sys.argv[2]), by="o", rejects=rejects, progress=progress)
"""


@pytest.mark.parametrize("aside", [False, True])
def test_killed_in_the_middle(ledger, put, tmp_path, aside):
    """Invariant 1: a killed import leaves nothing, or whole batches; run again it completes."""
    path = put(HEADER + "".join(submission(n, title="T") for n in range(2_000)) + adoption(9_999))
    if not aside:
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    before, name, rejects = ledger.position, ledger.path, tmp_path / "bad.csv"
    ledger.close()
    arguments = [sys.executable, "-c", CHILD, str(name), str(path)]
    with subprocess.Popen(
        [*arguments, *([str(rejects)] if aside else [])], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "under way\n"
        child.send_signal(signal.SIGKILL)
    with Ledger.open(name, clock=ledger.clock) as opened:
        assert opened.position - before == (400 if aside else 0)
        assert not rejects.exists()
        again = import_file(opened, path, by="o", rejects=rejects if aside else None)
        assert (again.recorded, again.repeated) == ((1_600, 400) if aside else (2_000, 0))
        assert len([*opened.facts(before)]) == 2_000
        assert rejects.exists() is aside


def test_memory_does_not_grow_with_the_file(ledger, put, monkeypatch):
    """Reading and refusing ten times as many rows takes no more memory."""
    monkeypatch.setattr(rowfiles, "_CHUNK_BYTES", 1 << 14)

    def peak(rows):
        path = put(HEADER + (adoption(1) * rows))
        tracemalloc.start()
        refused(ledger, path)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    refused(ledger, put(HEADER + adoption(1) * 1_500))  # fills the caches
    assert peak(20_000) < 1.5 * peak(2_000)
