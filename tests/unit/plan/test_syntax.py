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
# What Python's own dump of a tree writes differently from version to version, and more of the same kind.
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
    except* Exception if False else Exception:
        raise
    finally:
        del a[1:2, ::3, ...], b.c
'''.replace("    except* Exception if False else Exception:\n        raise\n", "")
TRICKY += r'''

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
EXPECTED = ""


def sha(source: str | bytes) -> str:
    content = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
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
