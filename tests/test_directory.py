"""The people directory: names apart from the facts."""

from __future__ import annotations

import pytest
from mileage.ledger import Directory, Entry, InvalidFact, LedgerFileError

KIM = Entry("P1", "김혁신", "00000048")
LEE = Entry("P2", "이혁신")


@pytest.fixture
def directory(tmp_path):
    """A directory that has no file yet."""
    opened = Directory(tmp_path / "agency.people.sqlite")
    yield opened
    opened.close()


def test_a_name_put_in_is_found(directory):
    """What is put in is found by person; leading zeros of an employee number stay."""
    assert directory.put([KIM, LEE]) == 2
    assert directory.get("P1") == KIM
    assert directory.get("P9") is None
    assert directory.find(["P2", "P9", "P1"]) == {"P1": KIM, "P2": LEE}


def test_reading_makes_no_file(directory):
    """An empty directory answers without a file, and asking makes none."""
    assert directory.get("P1") is None
    assert directory.search("김") == []
    assert not directory.path.exists()


def test_an_entry_is_replaced(directory):
    """Putting a person in again replaces the entry."""
    directory.put([KIM])
    directory.put([Entry("P1", "김새이름")])
    assert directory.get("P1") == Entry("P1", "김새이름")
    assert len(directory.search("")) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("혁신", ["P1", "P2"]),
        ("김", ["P1"]),
        ("0048", ["P1"]),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("' OR 1=1 --", []),
    ],
)
def test_search_takes_the_text_as_it_is(directory, text, found):
    """A search finds parts of names and numbers, and no character of it is a wildcard."""
    directory.put([LEE, KIM])
    assert [each.person for each in directory.search(text)] == found


def test_many_people_are_found_at_once(directory):
    """More people than the database takes in one question are found all the same."""
    people = [Entry(f"P{n}", f"이름{n}") for n in range(40_000)]
    directory.put(people)
    found = directory.find(each.person for each in people)
    assert len(found) == 40_000
    assert found["P39999"] == people[-1]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (("P 1", "김"), "person"),
        (("P1", ""), "name"),
        (("P1", "가" * 201), "name"),
        (("P1", "김\0"), "name"),
        (("P1", "김", "\x07"), "employee_number"),
    ],
)
def test_unfit_entries(values, field):
    """An entry with an unfit value cannot be made, and the error does not repeat it."""
    with pytest.raises(InvalidFact) as invalid:
        Entry(*values)
    assert invalid.value.field == field
    assert "가가" not in str(invalid.value)


def test_all_entries_or_none(directory):
    """When one of several entries is unfit, none is put in."""

    def entries():
        yield KIM
        yield Entry("P2", "")

    with pytest.raises(InvalidFact):
        directory.put(entries())
    assert directory.get("P1") is None


def test_a_file_that_is_no_directory(directory):
    """A file that is something else is refused by name, for reading and for writing."""
    directory.path.write_bytes(b"name,number\n" * 100)
    for ask in (
        lambda: directory.put([KIM]),
        lambda: directory.get("P1"),
        lambda: directory.search("김"),
    ):
        with pytest.raises(LedgerFileError, match=r"agency\.people\.sqlite") as error:
            ask()
        assert str(directory.path.parent) not in str(error.value)


def test_the_directory_is_apart_from_the_facts(ledger):
    """A ledger's directory is a file of its own; erasing it changes no fact."""
    before = [*ledger.facts()]
    ledger.directory.put([KIM])
    assert ledger.directory.path.name == "agency.people.sqlite"
    assert "김혁신".encode() not in ledger.path.read_bytes()
    ledger.close()
    ledger.directory.path.unlink()
    with type(ledger).open(ledger.path) as again:
        assert [*again.facts()] == before
        assert again.directory.get("P1") is None


def test_who_is_erased_is_gone(directory):
    """Name, number and former numbers go, from every question and from the file's bytes."""
    directory.put([KIM, LEE])
    directory.put([Entry("P1", "김혁신", "00000049")])
    assert directory.erase(["P1", "P9"]) == {"P1"}
    assert directory.erase(["P1"]) == set()
    assert directory.find(["P1", "P2"]) == {"P2": LEE}
    assert directory.search("0000004") == []
    assert directory.holders(["00000049"]) == directory.former_holders(["00000048"]) == {}
    assert directory.namesakes(["김혁신"]) == {}
    directory.close()
    content = directory.path.read_bytes()
    assert "이혁신".encode() in content
    for text in ("김혁신", "00000048", "00000049"):
        assert text.encode() not in content


def test_erasing_makes_no_file(directory):
    """Where nobody is known there is nothing to erase."""
    assert directory.erase(["P1"]) == set()
    assert not directory.path.exists()
