"""Figures and tables as Markdown has them, one way for each kind of figure."""

import math
from typing import Any

# Columns of words.
LEFT = ("variant", "published", "claim", "compared", "expected", "verdict", "parameter", "experiments")


def table(rows: list[dict[str, str]]) -> str:
    """Lay rows out as a table, columns of figures to the right."""
    header = list(rows[0])
    align = ["---" if column in LEFT else "---:" for column in header]
    lines = [header, align, *([row[column] for column in header] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(lines: list[str]) -> str:
    """Return the lines as a list."""
    return "\n".join(f"- {line}" for line in lines)


def percent(fraction: float) -> str:
    """Return a fraction in %, two decimals."""
    return f"{fraction * 100:.2f} %"


def accuracy(figures: dict[str, Any]) -> str:
    """Return a variant's mean accuracy and its standard deviation over seeds, where there are several."""
    spread = "" if figures["accuracy_sd"] is None else f" ± {figures['accuracy_sd'] * 100:.2f}"
    return f"{figures['accuracy'] * 100:.2f}{spread} %"


def loss(value: float | None) -> str:
    """Return a loss, or that there is none."""
    return "diverged" if value is None or math.isnan(value) else f"{value:.4f}"


def p_value(value: float) -> str:
    """Return a p-value to what matters of it: near 5 % to the digit that says on which side it lies."""
    digits = 4 if 0.0495 <= value < 0.0505 else 3 if value < 0.1 else 2
    return "< 0.001" if value < 0.001 else f"{value:.{digits}f}"
