"""The templates of `dvc plots diff`: each draws its marks, for two revisions, from the columns that report writes."""

import csv
import json
import re
from pathlib import Path

import pytest
import vl_convert
from dvc_render.vega import VegaRenderer
from ruamel.yaml import YAML

from remnist.review.plots_page import VEGA_LITE

ROOT = Path(__file__).resolve().parents[2]
PLOTS = {name: plot for entry in YAML(typ="safe").load(ROOT / "dvc.yaml")["plots"] for name, plot in entry.items()}

TABLES = {"runs.csv", "curves.csv"}  # a row a run, and a row a run and epoch: for people, too large to draw


def test_every_plot_has_its_template_and_its_data():
    templates = {path.stem for path in (ROOT / ".dvc/plots").glob("*.json")}
    assert {plot["template"] for plot in PLOTS.values()} == templates
    data = {Path(file).name for plot in PLOTS.values() for file in plot["y"]}
    there = {path.name for path in (ROOT / "plots").glob("*.csv")}
    assert data <= there <= data | TABLES


@pytest.mark.parametrize("name", PLOTS)
def test_plot_draws_both_revisions(name):
    plot = PLOTS[name]
    [(file, y)] = plot["y"].items()
    with (ROOT / file).open() as lines:
        rows = list(csv.DictReader(lines))
    # As DVC hands them over: all text, with a column for the revision.
    points = [row | {"rev": revision} for revision in ("main", "workspace") for row in rows]
    renderer = VegaRenderer(
        points, name, template=plot["template"], template_dir=str(ROOT / ".dvc/plots"), x=plot["x"], y=y,
        title=plot["title"],
    )  # fmt: skip
    svg = vl_convert.vegalite_to_svg(json.dumps(renderer.get_filled_template()), vl_version=VEGA_LITE)
    assert plot["title"] in svg
    assert all(revision in svg for revision in ("main", "workspace"))
    # A variant that takes no class for another, as on XOR, has no errors to draw.
    drawn = [row for row in rows if name != "confusion" or (row["actual"] != row["predicted"] and float(row["rate"]))]
    variants = {row["variant"] for row in drawn}
    assert all(f">{variant}<" in svg for variant in variants)
    assert svg.count("NaN") == 0
    assert svg.count("<path") > 4 * len(variants)


def test_learning_curves_spread_from_before_the_first_epoch_to_the_last():
    rows = [
        {"variant": "a", "part": part, "epoch": str(epoch), "accuracy": str(accuracy), "loss": "0.1", "rev": revision}
        for revision in ("main", "workspace")
        for part in ("train", "test", "validation")
        for epoch, accuracy in enumerate([0.1, 0.8, 0.9, 0.95 if revision == "main" else 0.96])
    ]
    renderer = VegaRenderer(
        rows, "curves", template="learning_curves", template_dir=str(ROOT / ".dvc/plots"), x="epoch", y="accuracy"
    )
    svg = vl_convert.vegalite_to_svg(json.dumps(renderer.get_filled_template()), vl_version=VEGA_LITE)
    places = set(re.findall(r'aria-roledescription="point" transform="translate\(([\d.]+),', svg))
    assert len(places) == 4
