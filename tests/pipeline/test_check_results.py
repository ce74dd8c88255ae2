"""The words of `make check-results` for a stage's entries in dvc.lock."""

import argparse
import subprocess
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from remnist.commands import check_results, demo
from remnist.commands.check_results import compare
from remnist.errors import UserError


def stage(data: str = "1" * 32, weights: str = "2" * 32, digest: str = "a") -> dict[str, Any]:
    return {
        "cmd": "python stages/train.py x",
        "deps": [{"path": "data/images.safetensors", "md5": data, "size": 3}],
        "params": {"digests.json": {"digests.0.train.x": digest}},
        "outs": [{"path": "models/x", "md5": weights}],
    }


DATA = "dvc.lock is of other code or data: data/images.safetensors"
DIGEST = "dvc.lock is of other code, settings or libraries"


@pytest.mark.parametrize(
    ("repeated", "message"),
    [
        (stage(), ""),
        (stage(weights="3" * 32), "OTHER BITS: models/x"),
        (stage() | {"outs": []}, "OTHER BITS: models/x"),
        (stage(data="3" * 32), f"{DATA}; the same bits nonetheless"),
        (stage(data="3" * 32, weights="3" * 32), f"{DATA}; other bits: models/x"),
        (stage(digest="b"), f"{DIGEST}; the same bits nonetheless"),
        (stage(digest="b", weights="3" * 32), f"{DIGEST}; other bits: models/x"),
    ],
)
def test_what_differs_is_named_by_its_cause(repeated, message):
    assert compare(stage(), repeated) == message


def test_a_lock_of_older_code_still_has_the_weights_to_compare():
    older = stage() | {
        "deps": [{"path": "src/remnist/models/mlp.py", "md5": "4" * 32}, *stage()["deps"]],
        "params": {"plan.json": {"x.digest": "a"}},
    }
    message = "dvc.lock is of other code or data: src/remnist/models/mlp.py"
    assert compare(older, stage()) == f"{message}; the same bits nonetheless"
    assert compare(older, stage(weights="3" * 32)) == f"{message}; other bits: models/x"


class Project(NamedTuple):
    """A project and the one that the check makes of it, by the stages in their dvc.lock."""

    committed: dict[str, Any]
    repeated: dict[str, Any]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run the check of one variant between two dvc.lock, without DVC."""

    def run(project: Project) -> None:
        stages = iter(project)
        monkeypatch.setattr(check_results, "read_stages", lambda _: next(stages))
        monkeypatch.setattr(demo, "copy", lambda *_: None)
        monkeypatch.setattr(demo, "leave_git", lambda *_: None)
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0))
        check_results.run(argparse.Namespace(variants=["x"]))

    return run


def whole(**changes: Any) -> dict[str, Any]:
    names = ("plan", "download", "preprocess", "train@x", "evaluate@x")
    return {name: stage(**changes) if name == "train@x" else stage() for name in names}


def test_it_passes_if_every_stage_has_the_same_bits(check, capsys):
    check(Project(whole(), whole()))
    assert capsys.readouterr().out.count("the same bits\n") == 5


def test_it_fails_if_a_stage_has_others(check, capsys):
    with pytest.raises(UserError, match=r"not all of this is as dvc\.lock has it"):
        check(Project(whole(), whole(weights="3" * 32)))
    assert "train@x                          OTHER BITS: models/x\n" in capsys.readouterr().out


def test_a_stage_that_dvc_lock_does_not_have_is_named(check):
    committed = whole()
    del committed["evaluate@x"]
    with pytest.raises(UserError, match=r"dvc\.lock: it has no evaluate@x"):
        check(Project(committed, whole()))
