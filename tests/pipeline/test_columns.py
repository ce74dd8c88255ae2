"""The columns of `dvc exp show`, for which DVC has no setting."""

import shutil

from remnist.commands import demo
from tests.support.repository import VARIANTS, Repository


def test_experiments_have_few_columns(study):
    """DVC shows one for each leaf of params.yaml, declared metric and dependency: none for plans, digests, details."""
    study.dvc("exp", "run", "-S", "model.dropout=0.4")
    header = columns(study)
    assert "digests" in header
    assert not [name for name in header if name.startswith(("digests.", "mlp-baseline."))]
    assert set(VARIANTS) | {"dropout-50-no-difference"} < set(header)
    changed = columns(study, "--only-changed", "--drop", "models")
    assert {"model.dropout", "mlp-baseline", "batch-100"} <= set(changed)
    assert "mlp-dropout-50" not in changed
    assert len(changed) < 20


def test_experiments_of_the_whole_study_have_under_500_columns(tmp_path):
    clone = object.__new__(Repository)
    clone.folder = tmp_path / "project"
    demo.copy(clone.folder, {})
    for name in ("metrics/accuracy.json", "metrics/verdicts.json"):
        (clone.folder / "metrics").mkdir(exist_ok=True)
        shutil.copy2(demo.ROOT / name, clone.folder / name)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Copy"]):
        clone.git(*command)
    header = columns(clone)
    assert {"reference-cnn", "xor-learnt", "models/xor", "variants.xor.train.batch_size"} < set(header)
    assert len(header) < 500


def columns(repository: Repository, *arguments: str) -> list[str]:
    """The columns of `dvc exp show`."""
    return repository.dvc("exp", "show", "--csv", *arguments).splitlines()[0].split(",")
