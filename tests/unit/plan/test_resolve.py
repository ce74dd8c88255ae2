"""params.yaml to plan: the merge, and one clear line for each thing that is wrong."""

import copy
import json

import pytest

from remnist.errors import UserError
from remnist.plan.resolve import resolve


def variants(plan: dict, section: str, key: str) -> dict:
    return {name: entry[section].get(key) for name, entry in plan.items()}


def test_variant_states_only_what_it_changes(params):
    plan = resolve(params)
    assert list(plan) == list(params["variants"])
    baseline = {"name": "mlp", "hidden": [100, 80], "activation": "relu", "batch_norm": False, "dropout": 0.2}
    assert plan["mlp-baseline"]["model"] == baseline
    assert plan["mlp-dropout-50"]["model"] == baseline | {"dropout": 0.5}
    assert plan["lr-1e-4"]["train"]["lr"] == 0.0001
    assert plan["mlp-baseline"]["seeds"] == params["seeds"]
    assert len({entry["digest"] for entry in plan.values()}) == len(plan)


def test_default_reaches_exactly_the_variants_that_do_not_set_it(params):
    before = resolve(params)
    params["model"]["dropout"] = 0.35
    after = resolve(params)
    changed = {name for name in before if before[name] != after[name]}
    own = {name for name, v in params["variants"].items() if "dropout" in (v.get("model") or {})}
    without = {name for name, entry in before.items() if "dropout" not in entry["model"]}
    assert "mixer-standard" in without
    assert changed == set(before) - own - without
    assert 0 < len(own) < len(before)


def test_default_of_another_optimizer_changes_nothing(params):
    before = resolve(params)
    params["train"]["momentum"] = 0.8
    after = resolve(params)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"mlp-baseline", "mlp-dropout-50", "mlp-deep-500", "mlp-wide-588"}
    assert "momentum" not in after["mlp-adam"]["train"]
    assert "betas" not in after["mlp-baseline"]["train"]


def test_changed_default_optimizer_keeps_variants_that_name_theirs(params):
    params["train"]["optimizer"] = "adam"
    plan = resolve(params)
    assert plan["mlp-baseline"]["train"]["betas"] == [0.9, 0.999]
    assert plan["momentum-90"]["train"]["optimizer"] == "sgd"


def test_empty_variant_and_null_section_are_the_defaults(params):
    params["variants"] = {"a": {}, "b": None, "c": {"model": None}}
    plan = resolve(params)
    assert plan["a"] == plan["b"] == plan["c"]


def test_whole_number_and_float_resolve_alike(params):
    params["variants"] = {"a": {"model": {"dropout": 0}}, "b": {"model": {"dropout": 0.0}}}
    plan = resolve(params)
    assert json.dumps(plan["a"]) == json.dumps(plan["b"])


def test_digits_hold_out_at_most_a_tenth(params):
    params["data"]["name"] = "digits"
    assert set(variants(resolve(params), "data", "validation").values()) == {143, None}  # XOR holds nothing out
    params["data"]["validation"] = 50
    assert set(variants(resolve(params), "data", "validation").values()) == {50, None}


MIXER = {
    "name": "mixer", "patch_size": 7, "patch_embedding": True, "dim": 64, "depth": 1, "tokens_mlp_dim": 8,
    "channels_mlp_dim": 8, "norm_axis": "channels", "zero_init_head": False,
}  # fmt: skip
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
    ("model.activation", "tanh", "model.activation: \"tanh\": allowed: 'relu', 'gelu' or 'maxout'"),
    ("train.lr", -1, "train.lr: -1: allowed: greater than 0"),
    ("train.lr", float("inf"), "train.lr: Infinity: allowed: a finite number"),
    ("train.batch_size", 0, "train.batch_size: 0: allowed: greater than or equal to 1"),
    ("train.epochs", 2.5, "train.epochs: 2.5: allowed: a valid integer"),
    ("train.numerics", "fast", "train.numerics: \"fast\": allowed: 'portable' or 'native'"),
    ("train.momentum", 1, "train.momentum: 1: allowed: less than 1"),
    ("data.name", "mnits", 'data.name: "mnits": allowed: mnist, fashion_mnist, kmnist, digits'),
    ("data.validation", 60000, "data.validation: 60000: allowed: 1 to 59,999 images"),
    ("seeds", [], "seeds: []: List should have at least 1 item"),
    ("seeds", [1, 1], "seeds: [1, 1]: each seed stands here once"),
    ("seeds", [-1], "seeds.0: -1: allowed: greater than or equal to 0"),
    ("modle", {}, "modle: {}: no setting of the study"),
    ("variants", {}, "variants: {}: at least one variant"),
    ("variants", ["a"], 'variants: ["a"]: a mapping is expected here'),
    ("variants.x", 3, "variants.x: 3: a mapping is expected here"),
    ("variants.x", {"trian": {}}, "variants.x.trian: {}: no setting of a variant; allowed: data, model, train, seeds"),
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
        {"model": {"name": "resnet"}, "data": {"image_size": 14}},
        'variants.x.model.name: "resnet": allowed: on images of 16 pixels a side or more',
    ),
    (
        "variants.x",
        {"model": MIXER, "data": {"name": "xor"}},
        'variants.x.model.name: "mixer": allowed: on images of 1 pixels a side or more',
    ),
    (
        "variants.x",
        {"model": {"batch_norm": True}, "train": {"batch_size": 54_999}},
        "variants.x.train.batch_size: 54999: leaves a last batch of one image",
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


MLP = {"name": "mlp", "hidden": [8], "activation": "relu", "batch_norm": False, "dropout": 0.0}
RESMLP = {"name": "resmlp", "patch_size": 7, "dim": 8, "depth": 1, "channels_mlp_dim": 8, "layer_scale": 0.1}
PERMUTATOR = {"name": "vision_permutator", "patch_size": 7, "dim": 8, "depth": 1, "channels_mlp_dim": 8}
CNN = {"name": "cnn", "widths": [4, 4, 4]}
WRONG: list[tuple[str, dict, dict[str, list]]] = [  # of a section of a variant, as it may be, what may not stand there
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


def test_the_studys_data_set_is_one_of_images(params):
    params["data"]["name"] = "xor"
    with pytest.raises(UserError, match=r"data\.name: \"xor\": allowed: mnist, fashion_mnist, kmnist, digits$"):
        resolve(params)


def test_a_number_of_seeds_takes_the_first_of_the_studys(params):
    params["seeds"] = [5, 3, 8, 1]
    params["variants"] = {"a": {"seeds": 2}, "b": {"seeds": 9}, "c": {"seeds": [7]}, "d": {}}
    seeds = {name: entry["seeds"] for name, entry in resolve(params).items()}
    assert seeds == {"a": [5, 3], "b": [5, 3, 8, 1], "c": [7], "d": [5, 3, 8, 1]}


def test_only_the_settings_of_what_is_chosen_are_in_the_plan(params):
    plan = resolve(params)
    assert plan["xor"]["data"] == {"name": "xor"}
    assert plan["kldiv-batchmean"]["train"]["reduction"] == "batchmean"
    assert not {"reduction", "betas", "alpha"} & plan["mlp-baseline"]["train"].keys()
    assert not {"hidden", "dropout"} & plan["resmlp"]["model"].keys()


@pytest.mark.parametrize("params", [None, [], "text", 3])
def test_parameters_that_are_no_mapping(params):
    with pytest.raises(UserError, match=r"a mapping is expected|at least one variant"):
        resolve(params)


def test_missing_default_is_named(params):
    del params["model"]["dropout"]
    with pytest.raises(UserError, match=r"model\.dropout: null: Field required"):
        resolve(params)


def test_every_problem_is_told_at_once_and_each_once(params):
    broken = copy.deepcopy(params)
    broken["model"]["dropout"] = 3
    broken["train"]["lr"] = 0
    broken["variants"]["x.y"] = {}
    with pytest.raises(UserError) as error:
        resolve(broken)
    assert len(str(error.value).splitlines()) == 3
