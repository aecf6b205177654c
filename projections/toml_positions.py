"""Where each key and value of a TOML text stands: the standard parser does not say.

`tomllib` decides what a text means; this module only adds line and column, read
from the syntax tree that the TOML grammar of tree-sitter makes of the same text.
A path is what leads to a value in the parsed document: ``("rule", 0, "title", "ko")``.
"""

from __future__ import annotations

import tomllib
from itertools import islice
from typing import TYPE_CHECKING

from attrs import field, frozen, mutable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tree_sitter import Node

__all__ = ["DEPTH_MAX", "Path", "Place", "UnknownSyntaxError", "locate"]

DEPTH_MAX = 16
"""How deep a path is followed: deeper than any rulebook, shallow enough for hostile texts."""

Path = tuple[str | int, ...]


@frozen
class Place:
    """Where one entry of a TOML text stands; lines and columns count from 1, in characters.

    Attributes:
        line: Line of the key, of the table's header, or of the element of an array.
        column: Column of the same.
        value_line: Line where the value begins; the same as `line` for a header or an element.
        value_column: Column where the value begins.
    """

    line: int
    column: int
    value_line: int
    value_column: int


class UnknownSyntaxError(ValueError):
    """A text that `tomllib` takes is not understood here: its TOML is newer than 1.0.

    Attributes:
        line: Line, from 1, where the syntax that is not known begins.
        column: Column of the same, from 1, in characters.
    """

    def __init__(self, line: int, column: int) -> None:
        super().__init__(f"not TOML 1.0 (line {line}, column {column})")
        self.line = line
        self.column = column


def locate(text: str) -> Mapping[Path, Place]:
    """Find every key, table and array element of a TOML text.

    Args:
        text: A text that `tomllib` accepts; for another one the answer means nothing.

    Returns:
        The place of every path of the parsed document, down to `DEPTH_MAX` steps.

    Raises:
        UnknownSyntaxError: The text uses something that TOML 1.0 does not know.
    """
    # Imported when needed: nothing but checking a rulebook pays for the native parser.
    from tree_sitter import Language, Parser  # noqa: PLC0415
    from tree_sitter_toml import language  # noqa: PLC0415

    source = text.encode()
    root = Parser(Language(language())).parse(source).root_node
    walk = _Walk(source)
    if root.has_error:
        raise UnknownSyntaxError(*walk.line_and_column(_first_error(root)))
    walk.document(root)
    return walk.places


@mutable
class _Walk:
    """One pass over a syntax tree, in the order of the text."""

    source: bytes
    places: dict[Path, Place] = field(factory=dict)
    # How many tables an array of tables has so far: a later header such as
    # [rule.sub] means the last of them.
    _tables: dict[Path, int] = field(factory=dict)

    def document(self, root: Node) -> None:
        """Note everything below the root."""
        for node in root.named_children:
            if node.type == "pair":
                self._pair((), node)
            elif node.type in {"table", "table_array_element"}:
                self._headed_table(node)

    def _headed_table(self, node: Node) -> None:
        header, *rest = _without_comments(node)
        path: Path = ()
        keys = [_key_text(part) for part in islice(_key_parts(header), DEPTH_MAX)]
        for key in keys[:-1]:
            path = self._last_table((*path, key))
            self._note(path, node, node)
        path = (*path, keys[-1])
        if node.type == "table":
            path = self._last_table(path)
        else:
            self._note(path, node, node)
            self._tables[path] = self._tables.get(path, 0) + 1
            path = self._last_table(path)
        # A header is where a table is said to be, even if a longer one named it before.
        self.places[path] = self._place(node, node)
        for pair in rest:
            self._pair(path, pair)

    def _last_table(self, path: Path) -> Path:
        count = self._tables.get(path)
        return path if count is None else (*path, count - 1)

    def _pair(self, base: Path, node: Node) -> None:
        key, value = _without_comments(node)
        path = base
        for part in islice(_key_parts(key), DEPTH_MAX):
            path = (*path, _key_text(part))
            self._note(path, part, value)
        self._value(path, value)

    def _value(self, path: Path, node: Node) -> None:
        if len(path) > DEPTH_MAX:
            return
        if node.type == "array":
            for index, element in enumerate(_without_comments(node)):
                self._note((*path, index), element, element)
                self._value((*path, index), element)
        elif node.type == "inline_table":
            for pair in _without_comments(node):
                self._pair(path, pair)

    def _note(self, path: Path, node: Node, value: Node) -> None:
        if path not in self.places:
            self.places[path] = self._place(node, value)

    def _place(self, node: Node, value: Node) -> Place:
        return Place(*self.line_and_column(node), *self.line_and_column(value))

    def line_and_column(self, node: Node) -> tuple[int, int]:
        """Tell where a node begins, both counted from 1."""
        # The parser counts bytes, a reader counts characters: Korean has three bytes to one.
        row, column_bytes = node.start_point
        before = self.source[node.start_byte - column_bytes : node.start_byte]
        return row + 1, len(before.decode()) + 1


def _first_error(node: Node) -> Node:
    """Return the first node that could not be parsed, below one that has an error."""
    while not (node.is_error or node.is_missing):
        node = next(child for child in node.children if child.has_error)
    return node


def _without_comments(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type != "comment"]


def _key_parts(node: Node) -> Iterator[Node]:
    """Yield the parts of a dotted key from left to right: the tree nests them to the left."""
    right: list[Node] = []
    while node.type == "dotted_key":
        node, last = node.named_children
        right.append(last)
    yield node
    yield from reversed(right)


def _key_text(node: Node) -> str:
    text = (node.text or b"").decode()
    if node.type == "bare_key":
        return text
    # A quoted key has the syntax of a string, so the standard parser reads its escapes.
    return str(tomllib.loads(f"key = {text}")["key"])
