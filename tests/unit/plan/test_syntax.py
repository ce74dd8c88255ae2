"""The text of a module's syntax: the same from every Python, and blind to what can change no result."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from remnist.plan.syntax import canonical
from tests.support.variants import ROOT

VERSIONS = ("3.11", "3.12", "3.13")
SOURCES = sorted(path for folder in ("src", "stages") for path in (ROOT / folder).rglob("*.py"))
SCRIPT = """
import hashlib, json, sys
from pathlib import Path
from remnist.plan.syntax import canonical
print(json.dumps([hashlib.sha256(canonical(Path(name).read_bytes()).encode()).hexdigest() for name in sys.argv[1:]]))
"""
# Syntax that Python's own dump of a tree writes differently from version to version, and more of the same kind.
TRICKY = r'''
"""A docstring, with "quotes" and a \
line that goes on."""
from __future__ import annotations

import math as m, warnings
from collections.abc import Callable
from ..a import b as c, d

x: int = 1_000 + 0x10 - 1e-3 + 1j
y: "list[int]" = [*range(3), *(4, 5)]
empty, nothing, dots = f"", f"{x}" f"", ...
text = "a" 'b' f"c{x}d" "e" f"{y!r:>{x}}" f'{x:{"0"}{4}.2f}' f"{{literal}} {x=} {x = :.1f} {x!s}"
nested = f"{', '.join(f'{k}={v!r}' for k, v in {'a': 1, **{}}.items())}" rf"\d{x}\n" f"\N{BULLET}\t{x}\x00"
spec = f"{x:%Y-%m-%d}" f"{x:{'>'}10}" f"{(lambda: 1)()}" f"{x:,}" f"""
{x}
"""
raw, data, unicode, wide = r"\n", b"\x00\xff", u"é", "\U0001fae8 \u200b \ud800"
f = lambda a, /, b=2, *args, c, d=4, **kw: (a, b, args, c, d, kw)
g = lambda: (yield)


@f(1, *y, key=2, **{"k": 3})
class A(Base, metaclass=type):
    """A docstring."""

    field: int
    other: dict[str, Callable[..., int]] = {}

    @property
    async def method(self, a: int = 1, *, b: str | None = None, **_: object) -> None:
        """Another."""
        async with self as s, s.t() as (u, *v):
            async for w in u:
                await w
        return [i async for i in v if i if not (i := 2)]

    def empty(self): ...


def g(a, b=(), *, c=None):
    global x
    try:
        while (n := a) > 1 < b != 2 is not None not in c:
            break
        else:
            pass
    except (ValueError, OSError) as error:
        raise TypeError(f"text {a}") from error
    finally:
        del a[1:2, ::3, ...], b.c

def h(value):
    match value:
        case {"a": 1 | 2 as n, **rest} if n:
            return n, rest
        case [1, *_, -2.5 + 1j] | (x, [*y]):
            warnings.warn(f"text {n}", stacklevel=2)
        case A(field=None, other=True) | A("b" "c"):
            assert n, "text"
        case str() | m.pi:
            x[a]: int
        case _:
            return not -(+(~x)) @ y // 2 ** 3 % 4 << 5 & 6 ^ 7 if x else y[1:] and y[:1] or y[:]


try:
    pass
except* ValueError as group:
    raise
'''
EXPECTED = "2a17284eb92b65cc70ffaff8a54689ee4d767b2ac5c21c8b2645defb8446d283"


def sha(source: str | bytes) -> str:
    content = source.encode() if isinstance(source, str) else source
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def pythons() -> dict[str, str]:
    """Return the Pythons of this machine, by version: those on PATH that run, and pyenv's."""
    found = {f"{sys.version_info.major}.{sys.version_info.minor}": sys.executable}
    for version in VERSIONS:
        places = [shutil.which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
        for python in filter(None, places):
            ask = [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
            if subprocess.run(ask, capture_output=True, text=True).stdout.strip() == version:
                found.setdefault(version, str(python))
    return found


PYTHONS = pythons()


def digests_by(python: str, files: list[Path]) -> list[str]:
    """Return the digest of each file as a Python computes it."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [python, "-c", SCRIPT, *map(str, files)]
    done = subprocess.run(command, env=variables, check=True, capture_output=True, text=True)
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("version", PYTHONS)
def test_every_source_has_the_same_digest_from_every_python(version, tmp_path):
    assert len(SOURCES) > 50
    tricky = tmp_path / "tricky.py"
    tricky.write_text(TRICKY, encoding="utf-8")
    expected = [*(sha(path.read_bytes()) for path in SOURCES), EXPECTED]
    assert digests_by(PYTHONS[version], [*SOURCES, tricky]) == expected


def test_a_tricky_source_has_the_digest_that_was_stated():
    """Else a single Python has nothing but itself to be compared with."""
    assert sha(TRICKY) == EXPECTED


PLAIN = """
from functools import cache

@cache
def scale(x, factor=2.5, *names, **others):
    y = x * factor + 1
    if y > 10:
        raise ValueError(f"too large: {y}")
    return {"text": f"{y} of it", "names": names, "label": "a"}


class Kind(dict):
    limit: int = 3
"""
SAME = {
    "a comment": ("    y = x", "    # why\n    y = x"),
    "a comment behind code": ("* factor + 1", "* factor + 1  # why"),
    "a docstring": ("    y = x", '    """Scale."""\n    y = x'),
    "a docstring of several lines": ("    limit", '    """A kind.\n\n    Of its own.\n    """\n\n    limit'),
    "a docstring of the module": ("\nfrom", '"""A module."""\n\nfrom'),
    "line ends": ("\n", "\r\n"),
    "indentation": ("\n    ", "\n  "),
    "blanks": ("x * factor + 1", "(x*factor  +  1)"),
    "blank lines": ("\n\n\nclass", "\n\nclass"),
    "a line broken in two": ("x * factor + 1", "(\n        x * factor\n        + 1\n    )"),
    "quotes": ('"names"', "'names'"),
    "the writing of a number": ("2.5", "25e-1"),
    "a trailing comma": ('"label": "a"}', '"label": "a",}'),
    "an error text": ("too large:", "exceeds:"),
    "an error's figures": ('{y}")', '{y + x}")'),
    "an error without a text": ('ValueError(f"too large: {y}")', "ValueError"),
    "an error's cause": ('large: {y}")', 'large: {y}") from None'),
    "a string cut in two": ('"a"}', '"" "a"}'),
}
OTHER = {
    "a number": ("2.5", "2.6"),
    "a whole number for a float": ("2.5", "2"),
    "an operator": ("x * factor", "x / factor"),
    "a comparison": ("y > 10", "y >= 10"),
    "a name": ("scale(", "scaled("),
    "a default left out": ("factor=2.5", "factor"),
    "a decorator left out": ("@cache\n", ""),
    "a text": ('"a"}', '"b"}'),
    "an f-string": ("{y} of it", "{y} of them"),
    "an f-string's format": ("{y} of it", "{y:.2f} of it"),
    "an f-string's conversion": ("{y} of it", "{y!r} of it"),
    "an f-string for a text": ('f"{y} of it"', '"{y} of it"'),
    "another error": ("ValueError(", "KeyError("),
    "no error": ('raise ValueError(f"too large: {y}")', "pass"),
    "a module": ("functools", "itertools"),
    "an argument's kind": ("*names", "*, names"),
    "a base class": ("Kind(dict)", "Kind(list)"),
    "a type": ("limit: int", "limit: float"),
    "the order of lines": ("    y = x * factor + 1\n    if y > 10:", "    if y > 10:\n        y = x * factor + 1"),
    "a line more": ("    return", "    y = 0\n    return"),
}


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME)
def test_what_can_change_no_result_is_left_out(old, new):
    assert PLAIN.replace(old, new) != PLAIN
    assert sha(PLAIN.replace(old, new)) == sha(PLAIN)


@pytest.mark.parametrize(("old", "new"), OTHER.values(), ids=OTHER)
def test_what_can_change_a_result_shows(old, new):
    assert PLAIN.replace(old, new) != PLAIN
    assert sha(PLAIN.replace(old, new)) != sha(PLAIN)


def test_the_text_of_a_warning_is_left_out_and_the_warning_is_not():
    source = 'import warnings\nwarnings.warn("text", stacklevel=1)\nwarnings.simplefilter("error")\n'
    assert sha(source.replace("text", "other")) == sha(source)
    assert sha(source.replace('warnings.warn("text", stacklevel=1)\n', "")) != sha(source)
    assert sha(source.replace('"error"', '"ignore"')) != sha(source)


def test_line_ends_change_nothing_in_a_text_of_several_lines():
    assert sha(TRICKY.replace("\n", "\r\n")) == sha(TRICKY)
    assert sha(b"\xef\xbb\xbf" + TRICKY.encode()) == sha(TRICKY)


@pytest.mark.parametrize("content", [b"{{ table }} of {% if x %}", b"# Heading\n{{ x }} text", b"def f(:"])
def test_what_is_not_python_is_refused(content):
    with pytest.raises(SyntaxError):
        canonical(content)
