"""Text in terminal cells: a Hangul syllable takes two, a combining mark none."""

from __future__ import annotations

import unicodedata

__all__ = ["clean", "cut", "pad", "width", "wrap"]


def width(text: str) -> int:
    """Cells that a text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(char: str) -> int:
    # Vowels and finals of decomposed Hangul join the syllable before them.
    if "\u1160" <= char <= "\u11ff" or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """Fill a text with spaces to a width; ``right`` moves it to the right."""
    space = " " * max(0, cells - width(text))
    return space + text if right else text + space


def cut(text: str, cells: int) -> tuple[str, str]:
    """Divide a text so that the first part takes at most so many cells, but not less than one."""
    taken = 0
    for index, char in enumerate(text):
        taken += _cells(char)
        if taken > cells and index:
            return text[:index], text[index:]
    return text, ""


def wrap(text: str, cells: int) -> list[str]:
    """Break a text into lines of at most so many cells, between words where that is possible."""
    lines = [""]
    for word in text.split(" "):
        line = f"{lines[-1]} {word}" if lines[-1] else word
        if width(line) <= cells:
            lines[-1] = line
            continue
        if lines[-1]:
            lines.append("")
        rest = word
        while width(rest) > cells and len(rest) > 1:
            lines[-1], rest = cut(rest, cells)
            lines.append("")
        lines[-1] = rest
    return [line.rstrip() for line in lines]


def clean(text: str) -> str:
    """Make a text fit for one line: what would move the cursor or hide itself becomes a space."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " for char in text)
