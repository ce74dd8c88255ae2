"""What the templates of the review fill in, and how it is shown."""

from pathlib import Path
from typing import Any

import pandas as pd

from remnist.report import markdown, units

TEMPLATES = Path(__file__).with_name("templates")

Json = Any  # what DVC reports: values of params and metrics of any type, and Vega-Lite
Changes = dict[str, dict[str, Json]]  # by the path of a value within its file, `old` and `new`


def render(template: str, **content: object) -> str:
    """Fill in a template.

    Args:
        template: its file's name in templates/.
        content: what it names; it may name nothing else.
    """
    environment = markdown.environment(TEMPLATES)
    environment.filters |= {"change": change, "difference": difference, "spread": spread}
    return environment.get_template(template).render(content) + "\n"


def difference(value: float | None, metric: str = "accuracy") -> str:
    """Return a difference in its metric's unit, with its sign; nothing where there is none."""
    unit = units.of_differences(metric)
    return "" if value is None else f"{unit.factor * value:+.{unit.decimals}f}"


def spread(accuracies: pd.Series) -> str:
    """Return a mean accuracy with its standard deviation; nothing where there are no seeds."""
    if accuracies.empty:
        return ""
    return markdown.accuracy(accuracies.mean(), accuracies.std() if len(accuracies) > 1 else None)


def change(summary: Changes, variant: str, metric: str) -> str:
    """Return by how much a variant's metric changed, nothing where it did not or is not in both revisions."""
    by = summary.get(f"{variant}.{metric}", {}).get("diff")
    return "" if by is None else f"{by:+.4f}"
