"""Markdown from templates: figures as text, and texts that no character of theirs can turn into something else."""

import math
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from remnist.errors import printable

# What Markdown, HTML or mathematics in it takes for more than a character; not so an underscore in a word, a bracket
# alone, or a minus before a figure.
SPECIAL = re.compile(r"(^[#+-]+(?=\s)|[\\`*<>|~$&]|(?<!\w)_|_(?!\w)|\](?=\())")
NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")


def environment(templates: Path) -> Environment:
    """Return Jinja's environment for a folder of Markdown templates; what they do not define is an error."""
    made = Environment(
        loader=FileSystemLoader(templates), undefined=StrictUndefined, finalize=escape,
        autoescape=True,  # by `escape`, since it returns Markup; what macros return is not escaped again
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {
        "code": code,
        "percent": percent,
        "loss": loss,
        "p_value": p_value,
        "number": number,
        "sentence": sentence,
    }
    return made


def escape(value: object) -> Markup:
    """Return a text as Markdown shows it unchanged, on one line; what is Markup stays."""
    return value if isinstance(value, Markup) else Markup(SPECIAL.sub(r"\\\1", printable(str(value))))  # noqa: S704


def code(text: str) -> Markup:
    """Return a text as code, in a table too."""
    text = printable(text).replace("|", r"\|")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " * bool(longest)
    return Markup(f"{fence}{space}{text}{space}{fence}")  # noqa: S704


def percent(fraction: float) -> str:
    """Return a fraction in %, two decimals."""
    return f"{fraction * 100:.2f} %"


def accuracy(mean: float, deviation: float | None) -> str:
    """Return a mean accuracy and its standard deviation over seeds, where there are several."""
    spread = "" if deviation is None else f" ± {deviation * 100:.2f}"
    return f"{mean * 100:.2f}{spread} %"


def loss(value: float | None) -> str:
    """Return a loss, or that there is none."""
    return "diverged" if value is None or math.isnan(value) else f"{value:.4f}"


def p_value(value: float) -> Markup:
    """Return a p-value, near 5 % to the digit that says on which side it lies."""
    digits = 4 if 0.0495 <= value < 0.0505 else 3 if value < 0.1 else 2
    return Markup("< 0.001" if value < 0.001 else f"{value:.{digits}f}")  # noqa: S704


def sentence(text: str) -> str:
    """Return a text with a capital at its start; Jinja's own filter would lower the rest."""
    return text[:1].upper() + text[1:]


def number(count: int) -> str:
    """Return a number as a word up to twelve, capitalised, in digits beyond."""
    return NUMBERS[count] if count < len(NUMBERS) else str(count)
