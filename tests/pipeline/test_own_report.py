"""A teacher judges another report, by what docs/your-own-report.md says and without touching the code."""

import json
import re

import pytest
from ruamel.yaml import YAML

from remnist.commands import demo
from tests.support.repository import Repository

PAGE = demo.ROOT / "docs/your-own-report.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The project with the page's two blocks of YAML, run."""
    folder, yaml = tmp_path_factory.mktemp("own") / "project", YAML()
    variants, claims = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    demo.copy(folder, {"data": {"name": "digits"}, "seeds": list(range(8))})
    params = yaml.load(folder / "params.yaml")
    params["variants"] = yaml.load(variants)["variants"]
    yaml.dump(params, folder / "params.yaml")
    (folder / "claims.yaml").write_text(claims, encoding="utf-8")
    demo.leave_git(folder)
    Repository.run_in(folder, "dvc", "repro", "--quiet")
    return folder


def test_each_statement_is_judged(folder):
    judged = json.loads((folder / "metrics/claims.json").read_text())
    assert judged.keys() == {"width-gains", "dropout-no-difference", "slower"}
    assert judged["width-gains"]["effect"] == "confirmed"
    assert judged["width-gains"]["published"] == pytest.approx(0.1)
    assert judged["slower"]["effect"] == "confirmed"
    assert all(entry["seeds"] == [8, 8] for entry in judged.values())


def test_the_report_is_of_that_report_and_of_no_other(folder):
    report = (folder / "REPORT.md").read_text(encoding="utf-8")
    assert report.startswith("# A report on digits, run again")
    assert "64 hidden units gain 10 points over 4" in report
    assert "MNIST" not in report.replace("docs/processors.csv", "")
    assert (folder / "plots/claims.png").exists()
