"""The notebook for lessons: committed without outputs, and run in a study as Jupyter runs it."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from remnist.commands import demo
from remnist.files import read_json
from remnist.learning import numerics
from remnist.report.verdicts import REPLICATED
from tests.support.repository import Repository

LESSON = "docs/lesson.ipynb"
VARIANT, CLAIM = "mlp-baseline", "dropout-50-no-difference"
OF_JUPYTER = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
# Prefixes of what these tests set for themselves, and of what a user has set for Jupyter.
OTHERS = (*numerics.CHOICES, "IPYTHON", "JUPYTER_", "MPLBACKEND")


def execute(folder: Path, own: Path) -> nbformat.NotebookNode:
    """Run a copy's lesson, with nothing that the user of these tests has set for Jupyter, up to an error.

    Args:
        folder: the copy of the project.
        own: a folder for what Jupyter writes.
    """
    notebook = nbformat.read(folder / LESSON, as_version=4)
    client = NotebookClient(notebook, resources={"metadata": {"path": str(folder / "docs")}})
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(OTHERS)]:
            patch.delenv(name)
        for name in OF_JUPYTER:
            patch.setenv(name, str(own))
        try:
            client.execute()
        except CellExecutionError as error:
            notebook.metadata["stopped"] = error.evalue
    return notebook


def outputs(notebook: nbformat.NotebookNode) -> Iterator[Any]:
    return (output for cell in notebook.cells for output in cell.get("outputs", []))


@pytest.fixture(scope="module")
def ran(whole: Repository, tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    notebook = execute(whole.folder, tmp_path_factory.mktemp("jupyter"))
    assert "stopped" not in notebook.metadata, notebook.metadata.get("stopped")
    return notebook


@pytest.fixture(scope="module")
def said(ran: nbformat.NotebookNode) -> str:
    """The text that it prints."""
    return "".join(output.text for output in outputs(ran) if output.output_type == "stream")


@pytest.fixture(scope="module")
def first(whole: Repository) -> dict[str, Any]:
    """The evaluation of the first seed, and the labels."""
    evaluation = read_json(whole.folder / f"evaluations/{VARIANT}.json")
    return {**evaluation["seeds"][0], "labels": evaluation["labels"]}


def test_it_is_committed_without_outputs_in_the_form_that_editors_write():
    """A change of it then shows what somebody has changed, and nothing else."""
    text = (demo.ROOT / LESSON).read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert cell.metadata == {}
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    assert notebook.metadata.keys() == {"kernelspec", "language_info"}
    assert notebook.metadata.language_info == {"name": "python"}  # without the version of whoever ran it last
    assert text == nbformat.writes(notebook) + "\n"


def test_its_answers_are_the_pipelines(said, first, whole):
    accuracy = f"{100 * first['accuracy']:.2f} %"
    assert f"seed 0: {accuracy} here, {accuracy} in evaluations/" in said
    assert "every answer is the same: True" in said
    mean = json.loads((whole.folder / "metrics/accuracy.json").read_text())[VARIANT]
    assert f"their mean: {100 * mean:.2f} % in metrics/accuracy.json" in said


def test_it_shows_the_mistakes(ran, said, first):
    wrong = sum(answer != label for answer, label in zip(first["answers"], first["labels"], strict=True))
    assert f"{wrong} of {len(first['labels'])} test images are wrong; here are {min(wrong, 30)}" in said
    assert sum("image/png" in output.get("data", {}) for output in outputs(ran)) == 4


def test_a_claim_has_the_outcome_of_the_report_at_its_margin_and_another_at_others(said, whole):
    judged = read_json(whole.folder / "metrics/claims.json")[CLAIM]
    difference, low, high = (f"{100 * judged[name]:+.2f}" for name in ("difference", "low", "high"))
    assert f"mlp-dropout-50 minus mlp-baseline: {difference} points [{low}, {high}]" in said
    assert f"margin 0.25 points: {judged['outcome']}\n" in said
    outcomes = dict(re.findall(r"^± (\S+) points: (.*)$", said, re.MULTILINE))
    assert outcomes["0.25"] == judged["outcome"] != REPLICATED
    margins = [float(margin) for margin in outcomes]
    assert margins == sorted(margins)
    assert np.all(np.abs(100 * np.array([judged["low"], judged["high"]])) < margins[-1])
    assert list(outcomes.values())[-1] == REPLICATED


@pytest.mark.usefixtures("ran")
def test_it_changes_no_file_of_the_study(whole):
    assert whole.git("status", "--porcelain") == ""
    assert whole.dvc("status") == "Data and pipelines are up to date.\n"


def test_without_weights_it_says_in_one_line_what_to_run(whole, tmp_path):
    whole.git("clone", "-q", ".", str(tmp_path / "clone"))
    notebook = execute(tmp_path / "clone", tmp_path / "jupyter")
    path = f"models/{VARIANT}/seed-0.safetensors"
    [shown] = [output for output in outputs(notebook) if output.output_type == "error"]
    [line] = shown.traceback
    expected = f"UserError: no {path} yet: run `make demo` and open demo/{LESSON}, or run `make repro` for it"
    assert re.sub(r"\x1b\[[\d;]*m", "", line).rstrip("\n") == expected
