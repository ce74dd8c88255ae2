"""`remnist page`: write the page of results, one file that works without a network.

It is made of what Git holds, so that a bare clone needs no pull and no run.
"""

import argparse
import json
from pathlib import Path

import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from remnist.files import write_text
from remnist.page import content, intervals
from remnist.page.charts import charts
from remnist.report import glossary, stability
from remnist.report.document import title
from remnist.report.markdown import loss, percent, sentence

TEMPLATES = Path(__file__).with_name("templates")
OUT = Path("page/index.html")
VEGA_LITE = "6.4"  # version that belongs to the Vega in vl-convert


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `remnist page`."""
    parser.add_argument("--out", type=Path, default=OUT, help=f"the file to write (default {OUT})")


def run(arguments: argparse.Namespace) -> None:
    """Write the page."""
    write_text(arguments.out, render(content.read(Path())))
    print(f"Open {arguments.out} in a browser.")


def render(shown: content.Content) -> str:
    """Return the page as HTML, with scripts, styles, data and pictures inside."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=True,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"loss": loss, "percent": percent, "sentence": sentence, "drawn": intervals.draw}
    tables = {
        "charts": charts(),
        "claims": {row["id"]: row["charts"] for row in shown.rows},
        "variants": {name: variant["charts"] for name, variant in shown.variants.items()},
    }
    return environment.get_template("index.html.j2").render(
        title=title(shown.claims, shown.plan[shown.claims.reference].data.name),
        shown=shown,
        meanings=glossary.OUTCOMES,
        metrics=glossary.metrics(shown.claims.claims.values()),
        fragile=stability.FRAGILE,
        by_id={row["id"]: row for row in shown.rows},
        vega=Markup(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE)),  # noqa: S704
        style=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),  # noqa: S704
        script=Markup((TEMPLATES / "page.js").read_text(encoding="utf-8")),  # noqa: S704
        data=_json(tables),
    )


def _json(value: object) -> Markup:
    """Return JSON that no character of can end the script that it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704
