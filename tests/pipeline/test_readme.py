"""The README's figures are those of the committed results, and what it names is there."""

import json
import re
from collections import Counter

import pytest
from ruamel.yaml import YAML

from remnist.commands import demo

README = (demo.ROOT / "README.md").read_text()
SUMMARY = json.loads((demo.ROOT / "metrics/summary.json").read_text())
FILE = r"`((?:src|tests|benchmarks|stages|docs|\.dvc)/[\w./-]+|[A-Za-z]+\.(?:yaml|md))`"
PAGES = {path.name: path.read_text() for path in (demo.ROOT / "README.md", *(demo.ROOT / "docs").glob("*.md"))}


def test_figures_of_its_findings_are_the_reports():
    findings, report = README.partition("\n## ")[0], (demo.ROOT / "REPORT.md").read_text()
    figures = re.findall(r"[\d.]+ ± [\d.]+ %|[+-]?[\d.]+ \[[^]]+\]", findings)
    assert len(figures) >= 10
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


@pytest.mark.parametrize("page", PAGES)
def test_files_and_make_targets_that_a_page_names_are_there(page):
    for name in re.findall(FILE, PAGES[page]):
        assert (demo.ROOT / name).exists() or (demo.ROOT / "docs" / name).exists(), name
    for name in re.findall(r"\]\((?!https?:|#|\.\./\.\./actions/)([^)#]+)", PAGES[page]):
        assert (demo.ROOT / ("" if page == "README.md" else "docs") / name).exists(), name
    makefile = (demo.ROOT / "Makefile").read_text()
    for target in set(re.findall(r"\bmake ([a-z-]+)", PAGES[page])):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("page", PAGES)
def test_no_place_is_left_to_fill_in(page):
    assert "@@" not in PAGES[page]


def test_the_readme_is_short():
    assert len(README.splitlines()) < 250


def test_the_table_of_speed_is_the_benchmarks():
    page = (demo.ROOT / "docs/bench.md").read_text()
    assert page[page.index("| | ") :].partition("\n\n")[0] in README
