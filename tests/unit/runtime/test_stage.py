"""A stage notes its inputs when it starts, and does not end well if they are others then; and how a command ends."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remnist.errors import UserError
from remnist.files import write_json
from remnist.plan import digests
from remnist.runtime.stage import Inputs, command_main, stage_main
from tests.support import variants
from tests.support.harm import refused

BASELINE = "mlp-baseline"
PIPELINE = """
stages:
  plan:
    cmd: plan
    deps: [params.yaml]
  preprocess:
    cmd: preprocess
    deps: [raw]
    params: [data.name, digests.json: [digests.0.preprocess]]
  evaluate:
    foreach: ${variants}
    do:
      cmd: evaluate
      deps: [images, "models/${key}"]
      params: [digests.json: ["digests.0.evaluate.${key}"]]
"""
PARAMS = "data: {name: digits, validation: 143}\nseeds: [0]\n"


@pytest.fixture(scope="module")
def planned() -> dict[str, Any]:
    """The content of plan.json and digests.json, by name."""
    plan = {BASELINE: variants.digits()}
    entries = {name: variant.to_json() for name, variant in plan.items()}
    return {"plan.json": entries, "digests.json": digests.of_study(plan)}


@pytest.fixture(autouse=True)
def project(planned: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small project as working directory, in which every input is there and the plan is current."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_STAGE", raising=False)
    for name, content in {
        "dvc.yaml": PIPELINE, "params.yaml": PARAMS, ".dvcignore": "# Leftovers.\n*.tmp\n", "raw/one": "1",
        "raw/deep/two": "2", "images": "3", f"models/{BASELINE}/seed-0": "4", "models/other/seed-0": "5",
    }.items():  # fmt: skip
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for name, content in planned.items():
        write_json(Path(name), content)


def edit_digests(stage: str) -> None:
    path = Path("digests.json")
    content = json.loads(path.read_text())
    digest = "0" * 16
    content["digests"][0][stage] = {BASELINE: digest} if stage == "evaluate" else digest
    write_json(path, content)


def touch_all() -> None:
    for path in Path().rglob("*"):
        os.utime(path, (1, 1))


def write_all_again() -> None:
    for path in [path for path in Path().rglob("*") if path.is_file()]:
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)


def append(name: str, text: str = "more") -> None:
    with Path(name).open("a") as file:
        file.write(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda: None,
        touch_all,
        write_all_again,
        lambda: append("raw/new.tmp"),
        lambda: append("raw/deep/new.tmp"),
        lambda: Path("raw/empty").mkdir(),
        lambda: append("images"),
        lambda: append("params.yaml", "# A remark.\n"),
        lambda: Path("params.yaml").write_text(PARAMS.replace("143", "99")),
        lambda: edit_digests("evaluate"),
        lambda: append("dvc.yaml", "# A remark.\n"),
    ],
    ids=[
        "nothing", "touched", "written again", "ignored", "ignored in a folder", "empty folder",
        "another stage's input", "remark", "another key", "another stage's digest", "pipeline",
    ],
)  # fmt: skip
def test_what_leaves_the_inputs_equal_is_no_change(change):
    inputs = Inputs("preprocess")
    change()
    inputs.check()


CHANGES: dict[str, tuple[Callable[[], object], str]] = {
    "content": (lambda: append("raw/one"), "raw"),
    "content of equal length": (lambda: Path("raw/one").write_text("9"), "raw"),
    "content in a folder": (lambda: append("raw/deep/two"), "raw"),
    "a file more": (lambda: append("raw/new"), "raw"),
    "a file less": (lambda: Path("raw/one").unlink(), "raw"),
    "another name": (lambda: Path("raw/one").rename("raw/three"), "raw"),
    "a parameter": (lambda: Path("params.yaml").write_text("data: {name: mnist}\n"), "params.yaml: data.name"),
    "no parameter": (lambda: Path("params.yaml").write_text("data: {}\n"), "params.yaml: data.name"),
    "no section": (lambda: Path("params.yaml").write_text("data: none\n"), "params.yaml: data.name"),
    "a digest": (lambda: edit_digests("preprocess"), "digests.json"),
}


@pytest.mark.parametrize(("change", "name"), CHANGES.values(), ids=CHANGES)
def test_an_input_that_changed_is_named(change, name):
    inputs = Inputs("preprocess")
    change()
    refused(inputs.check, naming=f"preprocess: changed while it ran: {name}; `dvc repro` runs it again")


def test_all_inputs_that_changed_are_named():
    inputs = Inputs("preprocess")
    append("raw/one")
    edit_digests("preprocess")
    refused(inputs.check, naming="preprocess: changed while it ran: raw, digests.json;")


def test_a_variants_inputs_are_its_own():
    inputs = Inputs("evaluate", BASELINE)
    assert inputs.settings == variants.digits()
    append("models/other/seed-0")
    inputs.check()
    append(f"models/{BASELINE}/seed-0")
    append("images")
    refused(inputs.check, naming=f"evaluate@{BASELINE}: changed while it ran: images, models/{BASELINE};")


def test_a_stage_without_a_variant_has_no_settings():
    with pytest.raises(ValueError, match="preprocess"):
        _ = Inputs("preprocess").settings


def test_an_input_that_comes_or_goes_is_a_change():
    Path("images").unlink()
    inputs = Inputs("evaluate", BASELINE)
    inputs.check()
    append("images")
    refused(inputs.check, naming="changed while it ran: images;")
    inputs = Inputs("evaluate", BASELINE)
    Path("images").unlink()
    refused(inputs.check, naming="changed while it ran: images;")


def test_plan_needs_no_plan():
    for name in ("plan.json", "digests.json"):
        Path(name).unlink()
    inputs = Inputs("plan")
    inputs.check()
    append("params.yaml", "# A remark.\n")
    refused(inputs.check, naming="plan: changed while it ran: params.yaml;")


def test_without_dvcignore_every_file_counts():
    Path(".dvcignore").unlink()
    inputs = Inputs("preprocess")
    inputs.check()
    append("raw/new.tmp")
    refused(inputs.check, naming="raw")


PIPELINES = {
    "empty": "",
    "cut short": PIPELINE[: PIPELINE.index("data.name") + 3],
    "no stages": "stages: {}\n",
    "null": "stages:\n",
    "stages in a list": "stages: []\n",
    "a null stage": "stages: {plan: , preprocess: , evaluate: }\n",
    "a null variant's stage": "stages: {plan: , preprocess: , evaluate: {foreach: [a], do: }}\n",
    "a list": "- 1\n",
    "a text": "stages\n",
    "dependencies in a text": "stages: {plan: {deps: 3}, preprocess: {deps: 3}, evaluate: {do: {deps: 3}}}\n",
    "a number": "stages: {plan: {deps: [3]}, preprocess: {deps: [3]}, evaluate: {do: {deps: [3]}}}\n",
    "not YAML": "stages: [\n",
    "not text": "\0",
}


@pytest.mark.parametrize("content", PIPELINES.values(), ids=PIPELINES)
@pytest.mark.parametrize("stage", ["plan", "preprocess", "evaluate"])
def test_a_damaged_pipeline_is_an_error_that_names_it(stage, content):
    Path("dvc.yaml").write_text(content)
    refused(Inputs, stage, BASELINE if stage == "evaluate" else None, naming="dvc.yaml")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        "null",
        "3",
        '{"digests": []}',
        '{"digests": [{}], "software": {}}',
        '{"digests": [3]}',
        "\0",
    ],
)
@pytest.mark.parametrize("stage", ["preprocess", "evaluate"])
def test_damaged_digests_are_an_error_that_names_them(stage, content):
    Path("digests.json").write_text(content)
    refused(Inputs, stage, BASELINE if stage == "evaluate" else None, naming="digests.json")


@pytest.mark.parametrize("name", ["plan.json", "digests.json", "dvc.yaml", "params.yaml"])
def test_a_file_that_is_missing_is_named(name):
    Path(name).unlink()
    refused(Inputs, "preprocess", naming=name)


def test_digests_that_are_damaged_while_a_stage_runs_are_an_error_that_names_them():
    inputs = Inputs("preprocess")
    Path("digests.json").write_text("{")
    refused(inputs.check, naming="digests.json")


def end_of(error: BaseException) -> object:
    """Return the exit status, or the message in its place, of a command that an error ends."""
    with pytest.raises(SystemExit) as end, command_main():
        raise error
    return end.value.code


def test_a_command_ends_in_a_line_where_the_user_can_mend_it():
    assert end_of(UserError("model.dropout: 7")) == "error: model.dropout: 7"
    assert end_of(OSError(28, "No space left on device", "a.json")) == "error: a.json: No space left on device"
    assert end_of(OSError(24, "Too many open files")) == "error: the system: Too many open files"
    assert end_of(KeyboardInterrupt()) == 130


def test_a_command_shows_where_it_is_wrong_itself():
    with pytest.raises(ZeroDivisionError), command_main():
        raise ZeroDivisionError


def test_a_command_that_ends_well_raises_nothing():
    with command_main():
        pass


def test_a_stage_whose_inputs_stay_ends_well():
    with stage_main("preprocess") as inputs:
        assert inputs.name == "preprocess"


def test_a_stage_whose_input_changed_does_not_end_well():
    with pytest.raises(SystemExit, match=r"^error: preprocess: changed while it ran: raw; "), stage_main("preprocess"):
        append("raw/one")


def test_preparing_the_inputs_is_no_change():
    with stage_main("preprocess", prepare=lambda: append("raw/one")):
        pass
