"""The page of results from the files of a study; the browser's part is in tests/review."""

import json
import re
import shutil

import pandas as pd
import pytest
import vl_convert
from ruamel.yaml import YAML

from remnist.errors import UserError
from remnist.files import write_json
from remnist.page import build, content, intervals
from remnist.page.charts import charts
from remnist.plan.claims import Cause, Claims
from remnist.report import ledger, stability, summaries, verdicts
from remnist.report.tables import Results
from tests.support.studies import accuracies, claim, claims_of, study

HOSTILE = "</script><b>5 < 6</b>"


@pytest.fixture(scope="module")
def results() -> Results:
    scores = {"a": accuracies(0.97), "b": accuracies(0.95), "c": accuracies(0.969), "never": accuracies(0.9)}
    tests = {name: [[0.5, 0.5 if name == "never" else 0.95]] * 12 for name in scores}
    return study(scores, test=tests, names={"a": "mlp-deep-500", "never": "mlp-dropout-50"})


@pytest.fixture(scope="module")
def claimed() -> Claims:
    return claims_of(
        {
            "better": claim(cause=Cause(words="size", control=["a", "c"]), says=HOSTILE),
            "slower": claim(metric="epochs_to_reach", reach=0.9, margin=0.5, variants=["never", "b"], statement=2),
            "diverges": claim(metric="diverged", margin=None, statement=3),
            "untold": claim(not_testable="no width is printed", margin=None, statement=4),
            "both": claim(variants=None, expect=None, margin=None, all_of=["better", "slower"], statement=5),
        }
    ).model_copy(update={"findings": ["better", "both"]})


@pytest.fixture(scope="module")
def written(tmp_path_factory, results, claimed):
    """A folder that holds what Git would; how stable outcomes are is of no interest here."""
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stability, "STUDIES", 1)
        judged = verdicts.judge(results, claimed)
    (folder / "plots").mkdir()
    for name, table in summaries.plot_data(results).items():
        table.to_csv(folder / f"plots/{name}.csv", index=False)
    write_json(folder / "metrics/summary.json", summaries.summary(results))
    write_json(folder / "metrics/ensembles.json", summaries.ensembles(results))
    (folder / "metrics/ledger.jsonl").write_text(ledger.lines(results, claimed, judged))
    write_json(folder / "plan.json", {name: variant.to_json() for name, variant in results.plan.items()})
    YAML(typ="safe").dump(claimed.model_dump(exclude_unset=True), folder / "claims.yaml")
    lock = {"stages": {"train@a": {"params": {"digests.json": {"digests.0.train.a": "12ab"}},
                                   "outs": [{"path": "models/a", "md5": "34cd.dir"}]}}}  # fmt: skip
    write_json(folder / "dvc.lock", lock)
    return folder


@pytest.fixture
def root(tmp_path, written):
    """A copy of it, which a test may damage."""
    return shutil.copytree(written, tmp_path / "study")


def row(root, name):
    [found] = [each for each in content.read(root).rows if each["id"] == name]
    return found


def test_a_row_has_the_runs_of_both_variants_and_of_the_control(root, results):
    sides = row(root, "better")["runs"]["sides"]
    assert [side["variant"] for side in sides] == ["a", "b", "c"]
    for side in sides:
        expected = 100 * results.runs.set_index("variant").loc[side["variant"], "accuracy"]
        assert side["values"] == pytest.approx(expected.tolist())


def test_a_run_that_never_gets_there_stands_at_the_last_epoch(root):
    chart = row(root, "slower")["charts"]["runs"]
    kinds = {(each[0], each[2], each[3]) for each in chart["rows"]}
    assert kinds == {("never", 2, "beyond"), ("b", 2, "run")}


def test_a_rate_has_a_square_a_run(root):
    chart = row(root, "diverges")["charts"]["rates"]
    assert len(chart["rows"]) == 24
    assert {each[2] for each in chart["rows"]} == {0}


def test_settings_that_differ_and_the_hashes_of_a_run(root, results):
    assert ("model.hidden", [500, 200, 80], [100, 80]) in row(root, "better")["differs"]
    shown = content.read(root).variants
    assert shown["a"]["hashes"] == {"settings, code and libraries of its training": "12ab", "models/a": "34cd"}
    assert shown["b"]["hashes"] == {}


def test_a_run_whose_loss_is_not_finite_has_diverged(root):
    path = root / "plots/runs.csv"
    runs = pd.read_csv(path)
    runs.loc[0, "loss"] = float("nan")
    runs.to_csv(path, index=False)
    cells = re.findall(r'data-label="loss">(.*?)<', build.render(content.read(root)))
    assert len(cells) == len(runs)
    assert cells.count("diverged") == 1


def test_no_text_can_end_a_script_or_start_an_element(root):
    page = build.render(content.read(root))
    assert HOSTILE not in page
    assert "&lt;/script&gt;&lt;b&gt;5 &lt; 6" in page
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert set(json.loads(data[1])) == {"charts", "claims", "variants"}


def test_the_page_names_no_other_place(root):
    page = build.render(content.read(root))
    without_vega = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"(src|href)=\"(?!#|data:)", without_vega)


def test_every_link_leads_somewhere(root):
    page = build.render(content.read(root))
    places = set(re.findall(r'id="([^"]+)"', page))
    links = {link.partition("?")[0] for link in re.findall(r'href="#([^"]+)"', page)}
    assert links <= places


@pytest.mark.parametrize("file", ["metrics/ledger.jsonl", "metrics/summary.json", "plots/runs.csv", "claims.yaml"])
def test_a_missing_file_is_named(root, file):
    (root / file).unlink()
    with pytest.raises(UserError, match=rf"{file}: no such file"):
        content.read(root)


def test_a_ledger_of_other_claims_is_refused(root):
    text = (root / "metrics/ledger.jsonl").read_text()
    (root / "metrics/ledger.jsonl").write_text(text.replace('"id": "slower"', '"id": "renamed"'))
    with pytest.raises(UserError, match=r"renamed: no claim of claims\.yaml; `dvc repro` makes it again"):
        content.read(root)


def test_a_damaged_ledger_is_named(root):
    (root / "metrics/ledger.jsonl").write_text("<<<<<<< HEAD\n")
    with pytest.raises(UserError, match=r"metrics/ledger\.jsonl: not JSON"):
        content.read(root)


@pytest.mark.parametrize("name", charts())
def test_each_chart_is_drawn(name):
    rows = {
        "runs": [{"variant": "a", "run": "0", "value": 1, "kind": kind}
                 for kind in ("run", "beyond", "published", "level")],
        "rates": [{"variant": "a", "run": "0", "value": 1, "place": 0}],
        "difference": [dict.fromkeys(("mean", "published", "margin", "high", "high_with_images"), 1)
                       | dict.fromkeys(("below", "low", "low_with_images"), -1)],
        "figures": [{"figure": "a", "kind": "figure", "low": 0, "high": 1, "published": 1, "mean": 0.5},
                    {"figure": "a", "kind": "run", "value": 1}],
        "digits": [{"digit": 0, "run": 0, "kind": kind, "accuracy": 0.9} for kind in ("run", "published")],
        "confusion": [{"actual": 1, "predicted": 2, "rate": 0.1}],
    }  # fmt: skip
    curves = [{"seed": 0, "epoch": epoch, "part": "test", "accuracy": 0.9, "loss": 0.1} for epoch in (0, 1)]
    curve = [{"curve": "micro", "false_positive_rate": rate, "true_positive_rate": 0.9} for rate in (0.01, 0.1)]
    values = rows.get(name, curve if name.startswith("roc") else curves)
    colors = [{"name": f"{name}_color", "value": "grey"} for name in ("run", "faint", "text", "ground")]
    spec = charts()[name] | {"data": {"values": values}, "params": colors, "width": 300}
    svg = vl_convert.vegalite_to_svg(json.dumps(spec), vl_version=build.VEGA_LITE)
    assert "NaN" not in svg
    assert len(re.findall('aria-roledescription="(?:point|line mark|square|rule|rect mark)"', svg)) >= 1


def test_the_small_picture_keeps_order_and_edges():
    difference = {"mean": 0.4, "low": -0.1, "high": 90.0, "published": 1.0, "margin": 0.25, "unit": "points"}
    svg = intervals.draw(difference)
    low, high = (float(x) for x in re.findall(r'class="range" d="M([\d.]+) [\d.]+H([\d.]+)"', svg)[0])
    mean = float(re.findall(r'cx="([\d.]+)"', svg)[0])
    assert 0 < low < intervals.WIDTH / 2 < mean < high < intervals.WIDTH
    assert "+0.4 points [-0.1, +90], margin 0.25, published +1" in svg
    assert intervals.draw(difference | {"margin": 0.0}) == ""
