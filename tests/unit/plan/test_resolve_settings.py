"""params.yaml to plan: every setting of a variant with values that may not stand there."""

import pytest

from remnist.errors import UserError
from remnist.plan.resolve import resolve

MLP = {"name": "mlp", "hidden": [8], "activation": "relu", "batch_norm": False, "dropout": 0.0}
MIXER = {
    "name": "mixer", "patch_size": 7, "patch_embedding": True, "dim": 64, "depth": 1, "tokens_mlp_dim": 8,
    "channels_mlp_dim": 8, "norm_axis": "channels", "zero_init_head": False,
}  # fmt: skip
RESMLP = {"name": "resmlp", "patch_size": 7, "dim": 8, "depth": 1, "channels_mlp_dim": 8, "layer_scale": 0.1}
PERMUTATOR = {"name": "vision_permutator", "patch_size": 7, "dim": 8, "depth": 1, "channels_mlp_dim": 8}
CNN = {"name": "cnn", "widths": [4, 4, 4]}
WRONG: list[tuple[str, dict, dict[str, list]]] = [  # a section, its settings in order, and wrong values
    ("model", MLP, {
        "hidden": [None, [[8]], ["8"], [8.5], [-1], [70_000], {}],
        "activation": [None, "RELU", 1],
        "batch_norm": [1, "yes", None],
        "dropout": [-0.1, 1.0, None, [0.5]],
    }),
    ("model", MIXER, {
        "name": [["mixer"], 7],
        "patch_size": [0, 3, 29, "7"],
        "patch_embedding": [1],
        "dim": [0, 7.5],
        "depth": [0, True],
        "tokens_mlp_dim": [-8, None],
        "channels_mlp_dim": [0],
        "norm_axis": ["batch", 0],
        "zero_init_head": ["no"],
    }),
    ("model", RESMLP, {"layer_scale": [0, -1.0, "small"], "depth": [1.5], "patch_size": [5], "hidden": [[8]]}),
    ("model", PERMUTATOR, {"dim": [10, "8"], "depth": [None], "tokens_mlp_dim": [8]}),
    ("model", CNN, {"widths": [[4, 4], [4, 4, 4, 4], [4, 4, 0], 4], "dropout": [0.5]}),
    ("train", {"optimizer": "adam", "betas": [0.9, 0.99]}, {
        "betas": [[0.9], [0.9, 1.0], [0.9, 0.99, 0.999], 0.9, [-0.1, 0.9]],
        "alpha": [0.9],
        "momentum": [0.9],
    }),
    ("train", {"optimizer": "rmsprop", "alpha": 0.9}, {"alpha": [1, "0.9", None], "betas": [[0.9, 0.99]]}),
    ("train", {}, {
        "lr": [0, "0.1", True, [0.1]],
        "weight_decay": [-1, "none"],
        "l2_penalty": [-1, None],
        "batch_size": [2.0, "32", -1],
        "epochs": [0, True, None],
        "random_shift": [9, 0.5],
        "numerics": [None],
        "device": ["gpu", 0],
        "loss": ["nll", None],
        "schedule": ["step", None],
        "label_smoothing": [-0.1],
        "optimiser": ["sgd"],
        "learning_rate": [0.1],
    }),
    ("data", {}, {
        "image_size": [-1, 2_000, 28.5, "28"],
        "normalize": [1, "true"],
        "validation": [10],
        "path": ["/etc/passwd"],
    }),
]  # fmt: skip


@pytest.mark.parametrize(
    ("section", "right", "key", "value"),
    [(section, right, key, value) for section, right, wrong in WRONG for key in wrong for value in wrong[key]],
    ids=lambda part: str(part)[:24],
)
@pytest.mark.fault("bad parameters")
def test_wrong_setting_of_a_variant_is_one_line(params, section, right, key, value):
    params["variants"] = {"x": {section: right}}
    resolve(params)
    params["variants"] = {"x": {section: right | {key: value}}}
    with pytest.raises(UserError) as error:
        resolve(params)
    [line] = str(error.value).splitlines()
    assert line.startswith(f"variants.x.{section}.{key}")
