"""The plan stage on files that are wrong: it ends with a line or two, and the plan that stands is left as it is."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.variants import ROOT

COPIED = ("params.yaml", "claims.yaml", "dvc.yaml", "requirements.txt", "plan.json", "digests.json")


@pytest.fixture
def project() -> Path:
    """The study's files, and its code."""
    for name in COPIED:
        shutil.copy(ROOT / name, name)
    for name in ("src", "stages"):
        shutil.copytree(ROOT / name, name, ignore=shutil.ignore_patterns("__pycache__"))
    return Path()


def plan(**environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "stages/plan.py"]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)


def edit(name: str, old: str, new: str) -> None:
    path = Path(name)
    text = path.read_text(encoding="utf-8")
    assert re.search(old, text, re.MULTILINE), old
    path.write_text(re.sub(old, new, text, count=1, flags=re.MULTILINE), encoding="utf-8")


def test_what_is_right_is_planned(project):
    """Else the tests below could not fail for the right reason."""
    Path("plan.json").write_text("{}")
    done = plan()
    assert (done.returncode, done.stderr) == (0, "")
    assert Path("plan.json").read_bytes() != b"{}"


BAD = {
    "a misspelt variant in a claim": (
        "claims.yaml", r"variants: \[mlp-adam, mlp-baseline\]", "variants: [mlp-adm, mlp-baseline]",
        'claims.adam-below-sgd.variants.0: "mlp-adm": no variant of params.yaml; did you mean mlp-adam?'),
    "a misspelt variant in the published figures": (
        "claims.yaml", "^  mlp-deep-500: {", "  mlp-dep-500: {", 'published.mlp-dep-500: "mlp-dep-500": no variant'),
    "a level that is no number": (
        "claims.yaml", "level: 0.1", "level: .nan", "claims.mse-at-chance.level: NaN: allowed: a finite number"),
    "a margin without end": (
        "claims.yaml", "expect: same, margin: 0.1,", "expect: same, margin: .inf,",
        "claims.mse-at-chance.margin: Infinity: allowed: a finite number"),
    "a difference without a margin": (
        "claims.yaml", r"expect: less,\n     margin: 0.0025, cause", "expect: less, cause",
        "claims.adam-below-sgd: margin: a difference needs one"),
    "a misspelt part of a claim": (
        "claims.yaml", "dropout-20-above-25, dropout-20-above-30,", "dropout-20-above-25, dropout-20-above-3,",
        'claims.dropout-20-best.all_of.3: "dropout-20-above-3": no claim; did you mean dropout-20-above-30?'),
    "figures that nobody published": (
        "claims.yaml", "metric: accuracy_by_digit", "metric: loss_by_epoch, epoch: 30",
        "claims.digits-as-printed: epoch: goes with accuracy and loss"),
    "XOR against images": (
        "claims.yaml", r"variants: \[mlp-adam, mlp-baseline\]", "variants: [xor, mlp-baseline]",
        'claims.adam-below-sgd.variants: ["xor", "mlp-baseline"]: XOR\'s points and images'),
    "an unknown report": (
        "claims.yaml", r"^    \{report: 1, statement: 1,", "    {report: 6, statement: 1,",
        "claims.adam-below-sgd.report: 6: allowed: 1, 2, 3, 4, 5"),
    "a variant that a claim is about removed": (
        "params.yaml", r"^  xor: .*\n", "", 'published.xor: "xor": no variant of params.yaml'),
    "claims that are not YAML": ("claims.yaml", "^claims:", "claims: [", "claims.yaml: not YAML: "),
    "a narrow permutator": (
        "params.yaml", "name: vision_permutator,",
        "name: vision_permutator, patch_size: 28, dim: 1,",
        "variants.vision-permutator.model.dim: 1: allowed: greater than or equal to 4"),
    "shifts of XOR": (
        "params.yaml", r"batch_size: 4\}", "batch_size: 4, random_shift: 1}",
        "variants.xor.train.random_shift: 1: no setting of sgd, cross_entropy, constant on xor"),
    "shifts larger than an image": (
        "params.yaml", r"data: \{image_size: 14\}", "data: {image_size: 4}, train: {random_shift: 8}",
        "variants.image-14.train.random_shift: 8: allowed: less than data.image_size, 4"),
    "a last batch of one": (
        "params.yaml", r"batch_norm: true\}", "batch_norm: true}, train: {batch_size: 1}",
        "variants.regularize-batchnorm.train.batch_size: 1: leaves a last batch of one image"),
    "two wrong settings": (
        "params.yaml", "mlp-dropout-50: {model: {dropout: 0.5}}", "mlp-dropout-50: {model: {dropout: 5, hidden: [0]}}",
        "variants.mlp-dropout-50.model.hidden.0: 0: allowed: greater than or equal to 1"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "line"), BAD.values(), ids=BAD)
@pytest.mark.fault("bad files, by the plan stage")
def test_a_bad_file_is_an_error_and_the_plan_stays(project, name, old, new, line):
    before = {path: Path(path).read_bytes() for path in ("plan.json", "digests.json")}
    edit(name, old, new)
    done = plan()
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {line}")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert {path: Path(path).read_bytes() for path in before} == before
    assert not list(Path().glob("*.tmp"))
