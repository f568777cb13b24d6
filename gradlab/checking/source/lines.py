"""A person's line as it stands in the file, and with one expression of it exchanged."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from gradlab.checking.source.statements import Where, node_at, parsed, put

COMPOUND = (ast.For, ast.If, ast.While, ast.With)


def header(node: ast.stmt) -> str:
    """Return a statement on one line, as Python writes it; of a loop, its head."""
    if isinstance(node, COMPOUND):
        if isinstance(node, ast.For):
            return f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}:"
        if isinstance(node, ast.If | ast.While):
            word = "if" if isinstance(node, ast.If) else "while"
            return f"{word} {ast.unparse(node.test)}:"
    return ast.unparse(node)


def spliced(text: Sequence[str], statement: ast.stmt, at: Where, new: str) -> tuple[str, str]:
    """Return a line as it stands in the file, and with `new` in an expression's place.

    Where the line is longer than one, or a bracket would be missing, both are as Python writes
    them.
    """
    old = node_at(at)
    encoded = text[statement.lineno - 1].encode()
    encoded = encoded[statement.col_offset : statement.end_col_offset]
    line = encoded.decode()
    try:
        node = parsed(new, statement)
    except SyntaxError:
        return header(statement), header(statement)
    wrong = header(statement)
    with put(at, node):
        right, tree = header(statement), _dumped(statement)
    if statement.end_lineno != statement.lineno or isinstance(statement, COMPOUND):
        return wrong, right
    start = old.col_offset - statement.col_offset
    end = old.end_col_offset - statement.col_offset
    for shown in (new, f"({new})"):
        changed = (encoded[:start] + shown.encode() + encoded[end:]).decode()
        try:
            if _dumped(ast.parse(changed).body[0]) == tree:
                return line, changed
        except SyntaxError:
            continue
    return line, right


def _dumped(statement: ast.stmt) -> str:
    return ast.dump(statement)
