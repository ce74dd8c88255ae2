"""Variants for tests: the study's own on scikit-learn's digits, with whatever changes, and small models."""

import math
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from remnist import models
from remnist.files import read_yaml
from remnist.plan.resolve import lineage, resolve
from remnist.settings import Model, Settings, Variant, tags

ROOT = Path(__file__).resolve().parents[2]
# A small network of each kind. Those with convolutions have no smaller form.
SMALL: dict[str, dict[str, Any]] = {
    "mlp": {"hidden": [12, 8], "activation": "relu", "batch_norm": False, "dropout": 0.0},
    "mixer": {
        "patch_size": 4, "patch_embedding": True, "dim": 6, "depth": 2, "tokens_mlp_dim": 5, "channels_mlp_dim": 7,
        "norm_axis": "channels", "zero_init_head": False,
    },
    "resmlp": {"patch_size": 4, "dim": 6, "depth": 2, "channels_mlp_dim": 7, "layer_scale": 0.1},
    "vision_permutator": {"patch_size": 4, "dim": 20, "depth": 2, "channels_mlp_dim": 7},
    "residual_cnn": {"dropout": 0.0},
    "cnn": {"widths": [3, 4, 5]},
}  # fmt: skip


@cache
def _read(name: str) -> Any:
    return read_yaml(ROOT / name)


def study(name: str = "params.yaml") -> Any:
    """Return the content of a file of the study, to change at will."""
    return deepcopy(_read(name))


def digits(name: str = "mlp-baseline", **changes: Any) -> Variant:
    """Return a variant on scikit-learn's digits, one epoch where it states none, with changes of its sections.

    Args:
        name: in params.yaml.
        changes: as a variant there states them, such as `train={"epochs": 2}`.
    """
    params = study()
    params["data"]["name"] = "digits"
    params["train"]["epochs"] = 1
    stated = params["variants"][name]
    for section, settings in changes.items():
        if isinstance(settings, dict):
            settings = (stated.get(section) or {}) | settings
        stated[section] = settings
    params["variants"] = {each: params["variants"][each] for each in lineage(name, params["variants"])}
    return resolve(params)[name]


def choose(section: str, selector: str, name: str, **settings: Any) -> Any:
    """Return the settings of a choice, those that it has no use for left out."""
    kind: type[Settings] = tags(section, selector)[name]
    return kind.model_validate({selector: name} | {key: settings[key] for key in settings if key in kind.model_fields})


def small_settings(name: str, **changes: Any) -> Model:
    """Return the settings of a small model."""
    settings: Model = tags("model", "name")[name].model_validate({"name": name} | SMALL[name] | changes)
    return settings


def small_model(name: str, image_size: int = 20, **changes: Any) -> nn.Module:
    """Build a small model of three classes, on grey images."""
    return models.build(small_settings(name, **changes), image_shape=(1, image_size, image_size), classes=3)


def parameters(model: nn.Module) -> int:
    """Count the parameters."""
    return sum(parameter.numel() for parameter in model.parameters())


def fill(module: nn.Module, value: float) -> None:
    """Set every weight of the linear layers, and no bias."""
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, nn.Linear):
                layer.weight.fill_(value)
                if layer.bias is not None:
                    layer.bias.zero_()


def gelu(x: float) -> float:
    return x * (1 + math.erf(x / math.sqrt(2))) / 2
