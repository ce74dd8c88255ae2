"""Write the page that DVC puts its plots in, with Vega inside, so that it can be read without a network.

DVC's own page loads Vega from one. Installing writes this one to `.venv` and has `dvc plots` use it.
"""

import argparse
from pathlib import Path

import vl_convert
from markupsafe import Markup

from remnist.files import write_text
from remnist.review import rendering

VEGA_LITE = "5.20"  # the oldest that vl-convert carries, for the schema that DVC's own templates name
# As SVG a plot stays sharp, and its text can be found; a plot that cannot be drawn says why where it would stand.
EMBED = """
window.vegaEmbed = (id, spec) => vegaEmbed(id, spec, {renderer: "svg"}).catch(error => {
  document.querySelector(id).textContent = error;
});
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `remnist plots-page`."""
    parser.add_argument("file", type=Path, help="where to")


def run(arguments: argparse.Namespace) -> None:
    """Write the page to the file named on the command line."""
    write(arguments.file)


def write(file: Path) -> None:
    """Write the page, which has the places that DVC fills."""
    vega = vl_convert.javascript_bundle(EMBED, vl_version=VEGA_LITE)
    write_text(file, rendering.render("plots.html.j2", vega=Markup(vega)))  # noqa: S704
