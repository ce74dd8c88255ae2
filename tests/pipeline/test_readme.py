"""The README's figures are those of the committed results, and what it names is there."""

import json
import re
from collections import Counter

import pytest
from ruamel.yaml import YAML

from remnist.commands import demo

README = (demo.ROOT / "README.md").read_text()
SUMMARY = json.loads((demo.ROOT / "metrics/summary.json").read_text())
ROW = re.compile(r"^\| `([\w-]+)` \|.*\| ([\d.]+) ± ([\d.]+) % \| (\d+) \|$", re.MULTILINE)


def test_table_agrees_with_the_summary():
    rows = ROW.findall(README)
    assert len(rows) >= 5
    for variant, accuracy, deviation, seeds in rows:
        figures = SUMMARY[variant]
        assert f"{figures['accuracy'] * 100:.2f}" == accuracy, variant
        assert f"{figures['accuracy_sd'] * 100:.2f}" == deviation, variant
        assert figures["seeds"] == int(seeds), variant


def test_figures_of_its_findings_are_the_reports():
    findings, report = README.partition("\n## ")[0], (demo.ROOT / "REPORT.md").read_text()
    figures = re.findall(r"[\d.]+ ± [\d.]+ %|[+-]?[\d.]+ \[[^]]+\]", findings)
    assert len(figures) >= 20
    assert [figure for figure in figures if figure not in report.replace(" points", "")] == []


def test_count_of_verdicts_is_the_reports():
    claims = json.loads((demo.ROOT / "metrics/claims.json").read_text())
    [counts] = re.findall(rf"{len(claims)} claims of five reports: (.*)\.", README)
    parts = re.split(r"[,;] (?=\d)", counts)  # an outcome may have a comma, as "replicated, smaller"
    stated = {outcome: int(count) for count, outcome in (part.split(" ", 1) for part in parts)}
    assert stated == Counter(claim["outcome"] for claim in claims.values())


def test_summary_is_of_the_study_in_params():
    params = YAML(typ="safe").load(demo.ROOT / "params.yaml")
    assert list(SUMMARY) == list(params["variants"])
    assert json.loads((demo.ROOT / "plan.json").read_text()).keys() == params["variants"].keys()


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"`((?:src|tests|\.dvc)/[\w./]+|[A-Za-z]+\.(?:yaml|md))`", README)))
)
def test_files_that_it_names_are_there(name):
    assert (demo.ROOT / name).exists()


def test_no_place_is_left_to_fill_in():
    assert "@@" not in README


def test_make_targets_that_it_names_are_there():
    makefile = (demo.ROOT / "Makefile").read_text()
    for target in set(re.findall(r"\bmake ([a-z-]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_table_of_speed_is_the_benchmarks():
    page = (demo.ROOT / "docs/bench.md").read_text()
    assert page[page.index("| | ") :].partition("\n\n")[0] in README
