"""Write the page that DVC puts its plots in, with Vega inside, so that it can be read without a network.

DVC's own page loads Vega from one. Installing writes this one to `.venv` and has `dvc plots` use it.
"""

import argparse
from pathlib import Path

import vl_convert

VEGA_LITE = "5.20"  # the oldest that vl-convert carries, for the schema that DVC's own templates name
# As SVG a plot stays sharp, and its text can be found; a plot that cannot be drawn says why where it would stand.
EMBED = """
window.vegaEmbed = (id, spec) => vegaEmbed(id, spec, {renderer: "svg"}).catch(error => {
  document.querySelector(id).textContent = error;
});
"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{refresh_tag}
<title>Plots</title>
<style>
body { font-family: system-ui, sans-serif; margin: 1.5rem; color: #222; }
.vega-embed { display: block !important; margin-bottom: 2.5rem; overflow-x: auto; }  /* not side by side */
img { max-width: 100%; }
</style>
<script>VEGA</script>
</head>
<body>
{plot_divs}
</body>
</html>
"""


def main() -> None:
    """Write the page to the file named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    write(parser.parse_args().file)


def write(file: Path) -> None:
    """Write the page, which has the places that DVC fills."""
    vega = vl_convert.javascript_bundle(EMBED, vl_version=VEGA_LITE)
    file.write_text(PAGE.replace("VEGA", vega, 1), encoding="utf-8")


if __name__ == "__main__":
    main()
