"""What `make check-results` says of a stage's entries in dvc.lock."""

from typing import Any

import pytest

from remnist.commands.check_results import compare


def stage(data: str = "1" * 32, weights: str = "2" * 32, digest: str = "a") -> dict[str, Any]:
    return {
        "cmd": "python stages/train.py x",
        "deps": [{"path": "data/images.safetensors", "md5": data, "size": 3}],
        "params": {"plan.json": {"x.digest": digest}},
        "outs": [{"path": "models/x", "md5": weights}],
    }


@pytest.mark.parametrize(
    ("repeated", "told"),
    [
        (stage(), ""),
        (stage(weights="3" * 32), "OTHER BITS: models/x"),
        (stage(data="3" * 32), "dvc.lock is of other code or data: data/images.safetensors"),
        (stage(data="3" * 32, weights="3" * 32), "dvc.lock is of other code or data: data/images.safetensors"),
        (stage(digest="b", weights="3" * 32), "dvc.lock is of other settings"),
        (stage() | {"outs": []}, "OTHER BITS: models/x"),
    ],
)
def test_what_differs_is_named_by_its_cause(repeated, told):
    assert compare(stage(), repeated) == told
