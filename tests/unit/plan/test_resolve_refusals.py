"""params.yaml to plan: one clear line for each thing that is wrong."""

import copy

import pytest

from remnist.errors import UserError
from remnist.plan.resolve import resolve

MIXER = {
    "name": "mixer", "patch_size": 7, "patch_embedding": True, "dim": 64, "depth": 1, "tokens_mlp_dim": 8,
    "channels_mlp_dim": 8, "norm_axis": "channels", "zero_init_head": False,
}  # fmt: skip
PERMUTATOR = {"name": "vision_permutator", "patch_size": 28, "dim": 8, "depth": 1, "channels_mlp_dim": 8}
CNN = {"name": "cnn", "widths": [4, 4, 4]}
LAST_OF_ONE = "leaves a last batch of one image, which batch norm cannot normalise"
BAD = [
    ("model.dropout", 1.5, "model.dropout: 1.5: allowed: less than 1"),
    ("model.dropout", "0.5", 'model.dropout: "0.5": allowed: a valid number'),
    ("model.dropout", float("nan"), "model.dropout: NaN: allowed: a finite number"),
    ("model.dropout", True, "model.dropout: true: allowed: a valid number"),
    ("model.hidden", [100, 0], "model.hidden.1: 0: allowed: greater than or equal to 1"),
    ("model.hidden", 100, "model.hidden: 100: allowed: a valid list"),
    ("model.hiden", [1], "model.hiden: [1]: no setting of model; allowed: name, hidden, activation, batch_norm,"),
    ("model.name", "mlpp", 'model.name: "mlpp": allowed: mlp'),
    ("model", [1], "model: [1]: a mapping is expected here"),
    ("train.optimizer", "sdg", 'train.optimizer: "sdg": allowed: sgd, adam, adamw, rmsprop, adagrad'),
    ("train.optimizer", ["sgd"], 'train.optimizer: ["sgd"]: allowed: sgd, adam, adamw, rmsprop, adagrad'),
    (
        "train.loss",
        "mse",
        'train.loss: "mse": allowed: cross_entropy, cross_entropy_of_softmax, kl_divergence, mse_one',
    ),
    ("train.schedule", "linear", 'train.schedule: "linear": allowed: constant, cosine, one_cycle'),
    ("train.label_smoothing", 1, "train.label_smoothing: 1: allowed: less than 1"),
    ("train.reduction", "sum", "train.reduction: \"sum\": allowed: 'mean' or 'batchmean'"),
    ("train.random_shift", -1, "train.random_shift: -1: allowed: greater than or equal to 0"),
    ("model.activation", "tanh", "model.activation: \"tanh\": allowed: 'relu', 'gelu', 'maxout' or 'relu_maxout'"),
    ("train.lr", -1, "train.lr: -1: allowed: greater than 0"),
    ("train.lr", float("inf"), "train.lr: Infinity: allowed: a finite number"),
    ("train.batch_size", 0, "train.batch_size: 0: allowed: greater than or equal to 1"),
    ("train.epochs", 2.5, "train.epochs: 2.5: allowed: a valid integer"),
    ("train.numerics", "fast", "train.numerics: \"fast\": allowed: 'portable' or 'native'"),
    ("train.momentum", 1, "train.momentum: 1: allowed: less than 1"),
    ("data.name", "mnits", 'data.name: "mnits": allowed: mnist, fashion_mnist, kmnist, digits'),
    *(
        ("data.validation", number, f"data.validation: {number}: allowed: 0 to 59,999 images of mnist's training set")
        for number in (-1, 60_000, 70_000)
    ),
    ("data.validation", 0.5, "data.validation: 0.5: allowed: a valid integer"),
    ("seeds", [], "seeds: []: List should have at least 1 item"),
    ("seeds", [1, 1], "seeds: [1, 1]: each seed stands here once"),
    ("seeds", [-1], "seeds.0: -1: allowed: greater than or equal to 0"),
    ("modle", {}, "modle: {}: no setting of the study"),
    ("variants", {}, "variants: {}: at least one variant"),
    ("variants", ["a"], 'variants: ["a"]: a mapping is expected here'),
    ("variants.x", 3, "variants.x: 3: a mapping is expected here"),
    (
        "variants.x",
        {"trian": {}},
        "variants.x.trian: {}: no setting of a variant; allowed: like, data, model, train, seeds",
    ),
    ("variants.x", {"model": {"dropout": 2}}, "variants.x.model.dropout: 2: allowed: less than 1"),
    (
        "variants.x",
        {"train": {"momentum": 0.5, "optimizer": "adam"}},
        "variants.x.train.momentum: 0.5: no setting of adam",
    ),
    (
        "variants.x",
        {"data": {"name": "digits"}},
        'variants.x.data.name: "digits": all variants share it; set data.name',
    ),
    (
        "variants.x",
        {"seeds": 0},
        "variants.x.seeds: 0: allowed: a list of seeds, or how many of the study's, 1 or more",
    ),
    ("variants.x", {"seeds": "3"}, 'variants.x.seeds: "3": allowed: a valid list'),
    (
        "variants.x",
        {"train": {"reduction": "mean"}},
        'variants.x.train.reduction: "mean": no setting of sgd, cross_entropy, constant; allowed:',
    ),
    ("variants.x", {"data": {"image_size": 0}}, "variants.x.data.image_size: 0: allowed: greater than or equal to 1"),
    (
        "variants.x",
        {"model": MIXER | {"patch_size": 5}},
        "variants.x.model.patch_size: 5: allowed: a divisor of data.image_size, 28",
    ),
    (
        "variants.x",
        {"model": MIXER | {"patch_embedding": False}},
        "variants.x.model.dim: 64: allowed: 49, the pixels of a patch, without model.patch_embedding",
    ),
    (
        "variants.x",
        {"model": {"name": "vision_permutator", "patch_size": 7, "dim": 30, "depth": 1, "channels_mlp_dim": 8}},
        "variants.x.model.dim: 30: allowed: a multiple of the patches a side, 4",
    ),
    (
        "variants.x",
        {"model": {"name": "residual_cnn"}, "data": {"image_size": 14}},
        'variants.x.model.name: "residual_cnn": allowed: on images of 16 pixels a side or more',
    ),
    (
        "variants.x",
        {"model": MIXER, "data": {"name": "xor"}},
        'variants.x.model.name: "mixer": allowed: on images of 1 pixels a side or more',
    ),
    (
        "variants.x",
        {"model": {"batch_norm": True}, "train": {"batch_size": 59_999}},
        "variants.x.train.batch_size: 59999: leaves a last batch of one image",
    ),
    *(
        (
            "variants.x",
            {"model": PERMUTATOR | {"dim": dim}},
            f"variants.x.model.dim: {dim}: allowed: greater than or equal to 4",
        )
        for dim in (1, 2, 3)
    ),
    (
        "variants.xor.train.random_shift",
        1,
        "variants.xor.train.random_shift: 1: no setting of sgd, cross_entropy, constant on xor; allowed: optimizer,",
    ),
    (
        "variants.x",
        {"data": {"image_size": 4}, "train": {"random_shift": 4}},
        "variants.x.train.random_shift: 4: allowed: less than data.image_size, 4",
    ),
    (
        "variants.x",
        {"model": {"batch_norm": True}, "train": {"batch_size": 1}},
        f"variants.x.train.batch_size: 1: {LAST_OF_ONE}",
    ),
    (
        "variants.x",
        {"data": {"name": "xor"}, "model": {"batch_norm": True}, "train": {"batch_size": 3}},
        f"variants.x.train.batch_size: 3: {LAST_OF_ONE}",
    ),
    (
        "variants.x",
        {"data": {"name": "xor"}, "model": {"batch_norm": True}, "train": {"batch_size": 1}},
        f"variants.x.train.batch_size: 1: {LAST_OF_ONE}",
    ),
    (
        "variants.x",
        {"model": CNN, "data": {"image_size": 7}, "train": {"batch_size": 59_999}},
        f"variants.x.train.batch_size: 59999: {LAST_OF_ONE}",
    ),
    (
        "variants.x",
        {"model": CNN, "data": {"image_size": 4}, "train": {"batch_size": 1}},
        f"variants.x.train.batch_size: 1: {LAST_OF_ONE}",
    ),
    ("variants.lr-0-001", {"seeds": [0.5]}, "variants.lr-0-001.seeds.0: 0.5: allowed: a valid integer"),
]


@pytest.mark.fault("bad parameters")
@pytest.mark.parametrize(("path", "value", "line"), BAD, ids=[f"{path}={value}" for path, value, _ in BAD])
def test_bad_value_is_one_line_with_path_value_and_what_is_allowed(params, path, value, line):
    *parents, key = path.split(".")
    section = params
    for parent in parents:
        section = section[parent]
    section[key] = value
    with pytest.raises(UserError) as error:
        resolve(params)
    assert str(error.value).startswith(line)
    assert len(str(error.value).splitlines()) == 1


def test_the_studys_data_set_is_one_of_images(params):
    params["data"]["name"] = "xor"
    with pytest.raises(UserError, match=r"data\.name: \"xor\": allowed: mnist, fashion_mnist, kmnist, digits$"):
        resolve(params)


@pytest.mark.parametrize("number", [-1, 1_437, 70_000])
def test_the_digits_are_fewer(params, number):
    params["data"] |= {"name": "digits", "validation": number}
    with pytest.raises(UserError) as error:
        resolve(params)
    assert str(error.value) == f"data.validation: {number}: allowed: 0 to 1,436 images of digits's training set"


@pytest.mark.parametrize("params", [None, [], "text", 3])
def test_parameters_that_are_no_mapping(params):
    with pytest.raises(UserError, match=r"a mapping is expected|at least one variant"):
        resolve(params)


def test_missing_default_is_named(params):
    del params["model"]["dropout"]
    with pytest.raises(UserError, match=r"model\.dropout: null: Field required"):
        resolve(params)


def test_every_problem_is_reported_at_once_and_each_once(params):
    broken = copy.deepcopy(params)
    broken["model"]["dropout"] = 3
    broken["train"]["lr"] = 0
    broken["variants"]["x.y"] = {}
    with pytest.raises(UserError) as error:
        resolve(broken)
    assert len(str(error.value).splitlines()) == 3


def lines(params) -> list[str]:
    with pytest.raises(UserError) as error:
        resolve(params)
    return str(error.value).splitlines()


def test_problems_of_several_variants_are_all_reported(params):
    """Also those that show only once all settings of a variant are known."""
    params["variants"] = {
        "a": {"model": {"dropout": 2, "hidden": [0]}},
        "b": {"model": MIXER | {"patch_size": 5}},
        "c": {"model": {"name": "residual_cnn"}, "data": {"image_size": 14}, "seeds": 0},
        "d": {},
    }
    assert [line.split(": ")[0] for line in lines(params)] == [
        "variants.a.model.hidden.0",
        "variants.a.model.dropout",
        "variants.b.model.patch_size",
        "variants.c.seeds",
    ]


def test_a_default_that_does_not_suit_a_variants_images_is_named_where_it_is_stated(params):
    params["train"]["random_shift"] = 4
    params["variants"] = {"small": {"data": {"image_size": 4}}}
    assert lines(params) == ["train.random_shift: 4: allowed: less than data.image_size, 4"]


def test_a_default_batch_that_leaves_one_image_is_named_where_it_is_stated(params):
    params["train"]["batch_size"] = 59_999
    params["variants"] = {"small": {"data": {"image_size": 4}, "model": CNN}}
    assert lines(params) == [f"train.batch_size: 59999: {LAST_OF_ONE}"]


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"batch_norm": True}, "train": {"batch_size": 59_998}},
        {"model": {"batch_norm": True, "hidden": []}, "train": {"batch_size": 1}},
        {"model": {"batch_norm": True}, "data": {"name": "xor"}, "train": {"batch_size": 4}},
        {"model": CNN, "data": {"image_size": 8}, "train": {"batch_size": 1}},
        {"model": CNN, "data": {"image_size": 7}, "train": {"batch_size": 10}},
        {"model": PERMUTATOR | {"dim": 4}},
        {"data": {"image_size": 4}, "train": {"random_shift": 3}},
    ],
)
def test_what_is_just_within_the_rules_is_allowed(params, change):
    params["variants"]["x"] = change
    assert "x" in resolve(params)
