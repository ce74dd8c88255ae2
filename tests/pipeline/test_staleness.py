"""A result goes stale when something that can change it changes, and never otherwise."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.support.repository import VARIANTS, Repository, ran

TRAIN = {f"train@{name}" for name in VARIANTS}
EVALUATE = {f"evaluate@{name}" for name in VARIANTS}

COMMENT = ("$", "\n# A remark.\n")
# Each a file, a pattern in it and its replacement, and the stages that are stale once the plan has been made again.
HARMLESS = {
    "comment in the loop": ("src/remnist/learning/loop.py", *COMMENT),
    "docstring in the loop": ("src/remnist/learning/loop.py", r'\A"""', '"""Said in other words: '),
    "docstring of a model": ("src/remnist/models/mlp.py", r'\A"""', '"""Said in other words: '),
    "layout of a model": ("src/remnist/models/mlp.py", r"widths = \[(.*)\]", r"widths = [\n            \1\n        ]"),
    "error text in the loop": ("src/remnist/learning/loop.py", "torch finds no CUDA device here", "there is none"),
    "error text in the numerics": ("src/remnist/learning/numerics.py", "native runs anywhere", "native runs"),
    "comment in the evaluation": ("src/remnist/evaluation/metrics.py", *COMMENT),
    "comment in the report": ("src/remnist/report/statistics.py", *COMMENT),
    "comment in the download": ("src/remnist/data/sources.py", *COMMENT),
    "comment in a stage": ("stages/report.py", *COMMENT),
    "evaluate stage": ("stages/evaluate.py", r"    finished\.remove\(\)\n", "    finished.remove()\n    return\n"),
    "comment in the requirements": ("requirements.txt", *COMMENT),
    "rule of a setting": ("src/remnist/settings/training.py", "le=8", "le=9"),
    "message of the plan": ("src/remnist/plan/resolve.py", "at least one variant is expected here", "none is here"),
}
UNPLANNED = {
    "progress bar": ("src/remnist/runtime/progress.py", r"remaining\} left", "remaining} to go"),
    "cluster": ("src/remnist/runtime/cluster.py", r"CONNECT_S = \d+", "CONNECT_S = 7"),
    "processes": ("src/remnist/runtime/pool.py", *COMMENT),
    "error texts": ("src/remnist/errors.py", "LONGEST = 100", "LONGEST = 99"),
    "review": ("src/remnist/review/pull_request.py", *COMMENT),
}
HARMFUL = {
    "the model": ("src/remnist/models/mlp.py", r"nn\.GELU\(\)", 'nn.GELU("tanh")', TRAIN | EVALUATE),
    "another model": ("src/remnist/models/cnn.py", r"3 if layers else 5", "5", set()),
    "a layer": ("src/remnist/models/layers.py", "AHEAD = 64", "AHEAD = 32", TRAIN | EVALUATE),
    "a loss": ("src/remnist/learning/losses.py", r"\* strength / 2\n", "* strength / 3\n", TRAIN | EVALUATE),
    "the loop": ("src/remnist/learning/loop.py", r"model\.train\(\)", "model.train(True)", TRAIN),
    "an optimiser": ("src/remnist/learning/optimizers.py", "eps=1e-8", "eps=1e-7", TRAIN),
    "a schedule": ("src/remnist/learning/schedules.py", "RISE = 0.3", "RISE = 0.4", TRAIN),
    "the numerics": ("src/remnist/learning/numerics.py", r"2\*\*30", "2**29", TRAIN | EVALUATE),
    "a metric": ("src/remnist/evaluation/metrics.py", "DECIMALS = 6", "DECIMALS = 7", EVALUATE),
    "inference": ("src/remnist/learning/inference.py", "BATCH = 200", "BATCH = 100", TRAIN | EVALUATE),
    "the statistics": ("src/remnist/report/statistics.py", "POWER = 0.8", "POWER = 0.9", {"report"}),
    "how a claim is read": (
        "src/remnist/plan/claims.py",
        r"printed = published\[variant\]",
        "printed = dict(published)[variant]",
        {"report"},
    ),
    "the seeds' evaluation": (
        "src/remnist/evaluation/seeds.py",
        "for path in weights",
        "for path in weights[:]",
        EVALUATE,
    ),
    "the preparation": ("src/remnist/data/preparation.py", "mean / 255", "mean / 256", {"preprocess"}),
    "the download": ("src/remnist/data/sources.py", "CHUNK = 2", "CHUNK = 4", {"download", "preprocess"}),
}


def edit(folder: Path, file: str, pattern: str, replacement: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    changed, count = re.subn(pattern, replacement, text, count=1)
    assert (count, changed != text) == (1, True)
    path.write_text(changed, encoding="utf-8")


def stale(study: Repository) -> set[str]:
    """The stages that would run, those that only follow from them left out."""
    return set(re.findall(r"^(\S+):$", study.dvc("status"), re.MULTILINE))


def test_nothing_is_stale_after_edits_of_what_decides_no_result(study):
    for change in UNPLANNED.values():
        edit(study.folder, *change)
    assert stale(study) == set()


def test_nothing_but_the_plan_runs_after_harmless_edits(study):
    """All at once: if one of them counted, this would name the stages that it made stale."""
    for change in HARMLESS.values():
        edit(study.folder, *change)
    assert ran(study.dvc("repro")) == {"plan"}
    assert stale(study) == set()
    assert "digests.json" not in study.git("status", "--porcelain")


@pytest.mark.parametrize("change", HARMFUL)
def test_exactly_what_it_can_change_is_stale_after_a_change_of(change, study):
    *where, expected = HARMFUL[change]
    edit(study.folder, *where)
    study.dvc("repro", "plan")
    assert stale(study) == expected


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        ("torch", TRAIN | EVALUATE),
        ("numpy", {"preprocess", "report"} | TRAIN | EVALUATE),
        ("scikit-learn", {"download"} | EVALUATE),
        ("seaborn", {"report"}),
        ("dvclive", set()),
    ],
)
def test_a_library_of_another_version_stops_a_stage_and_makes_stale_what_uses_it(library, expected, study, tmp_path):
    metadata = tmp_path / f"{library.replace('-', '_')}-99.9.dist-info/METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: {library}\nVersion: 99.9\n")
    other = {"PYTHONPATH": f"{tmp_path}{os.pathsep}src"}
    assert stale(study) == set()  # nothing that DVC sees has changed
    if expected & TRAIN:
        with pytest.raises(
            RuntimeError, match=f"error: train@{VARIANTS[0]}: {library} 99.9 installed, but the plan is of"
        ) as error:
            study.run(sys.executable, "stages/train.py", VARIANTS[0], **other)
        assert "Traceback" not in str(error.value)
        assert len(list((study.folder / "models" / VARIANTS[0]).iterdir())) == 2
    study.dvc("repro", "--force", "--single-item", "plan", **other)
    assert stale(study) == expected


def test_requirements_that_change_make_a_plan(study):
    edit(study.folder, "requirements.txt", "numpy==", "numpy==0")
    assert ran(study.dvc("repro", "plan")) == {"plan"}


def test_nothing_to_do_takes_no_stage(study):
    assert ran(study.dvc("repro")) == set()
    assert study.git("status", "--porcelain") == ""
