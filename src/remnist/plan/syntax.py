"""A module as Python parses it, as text that is the same from every supported Python.

`ast.dump` is not: Python 3.12 gave functions and classes a field, 3.13 leaves out what is empty, and each cuts
f-strings in its own way. Left out are comments, docstrings, layout, and what is said when something is raised or warned
of.
"""

import ast
from functools import cache
from typing import Any

UNSAID = ("type_comment", "kind", "ctx")  # fields of a syntax tree without meaning of their own


@cache
def canonical(content: bytes) -> str:
    """Return a module's syntax tree as text, in which only what can change a result stands.

    Raises:
        SyntaxError: the content is not Python.
    """
    return _dump(ast.parse(content))


def _dump(node: Any) -> str:
    """Write a syntax tree: each node's class and its fields, those that are absent or empty left out."""
    match node:
        case ast.Raise(exc=ast.Call(func=kind) | kind):
            return f"Raise({_dump(kind)})"
        case ast.Assert(test=test):
            return f"Assert({_dump(test)})"
        case ast.Call(func=ast.Attribute(value=ast.Name(id="warnings"), attr="warn")):
            return "Warning"
        case ast.JoinedStr(values=parts):
            return f"JoinedStr({_dump(_merged(parts))})"
        case ast.AST():
            fields = {name: value for name, value in ast.iter_fields(node) if name not in UNSAID}
            said = {name: _dump(value) for name, value in fields.items() if value is not None}
            return f"{type(node).__name__}({', '.join(f'{name}={text}' for name, text in said.items() if text)})"
        case list():
            return f"[{', '.join(_dump(part) for part in node if not _is_text(part))}]" if node else ""
        case _:
            return ascii(node)  # repr shows the letters that its Unicode tables know, more from version to version


def _is_text(node: Any) -> bool:
    """Tell whether a statement is a string by itself, such as a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _merged(parts: list[ast.expr]) -> list[ast.expr]:
    """Join the pieces of text of an f-string, which Python 3.11 and 3.12 cut differently."""
    merged: list[ast.expr] = []
    for part in parts:
        if isinstance(part, ast.Constant) and merged and isinstance(merged[-1], ast.Constant):
            merged[-1] = ast.Constant(str(merged[-1].value) + str(part.value))
        elif not (isinstance(part, ast.Constant) and part.value == ""):
            merged.append(part)
    return merged
