"""The models: exact parameter counts, shapes, a case worked by hand."""

import pytest
import torch

from remnist import models
from remnist.resolve import resolve

# Worked out on paper: weights and biases of each linear layer.
PARAMETERS = {
    "mlp-deep-500": 509_590,
    "mlp-deep-196": 182_450,
}
BASELINE = 784 * 100 + 100 + 100 * 80 + 80 + 80 * 10 + 10


def test_every_variant_builds_with_its_exact_parameter_count(params):
    plan = resolve(params)
    assert set(PARAMETERS) <= set(plan)
    for variant, entry in plan.items():
        model = models.build(entry["model"], image_size=28, classes=10)
        count = sum(parameter.numel() for parameter in model.parameters())
        assert count == PARAMETERS.get(variant, BASELINE), variant


@pytest.mark.parametrize("hidden", [[], [7], [7, 5, 3]])
def test_mlp_maps_images_to_logits(hidden):
    settings = {"name": "mlp", "hidden": hidden, "dropout": 0.1}
    model = models.build(settings, image_size=6, classes=4)
    assert model(torch.zeros(5, 1, 6, 6)).shape == (5, 4)


def test_mlp_by_hand():
    model = models.build({"name": "mlp", "hidden": [2], "dropout": 0.0}, image_size=2, classes=2)
    first, last = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 0, 0, 0], [-1.0, 0, 0, 2.0]]))
        first.bias.copy_(torch.tensor([0.5, 0.0]))
        last.weight.copy_(torch.tensor([[1.0, 1.0], [2.0, 0.0]]))
        last.bias.zero_()
    # Pixels 1, 2, 3, 4: hidden units 1.5 and -1 + 8 = 7; then pixels 1, 0, 0, 0: 1.5 and max(0, -1).
    images = torch.tensor([[1.0, 2, 3, 4], [1.0, 0, 0, 0]]).reshape(2, 1, 2, 2)
    assert model(images).tolist() == [[8.5, 3.0], [1.5, 3.0]]


def test_dropout_is_there_in_training_and_not_in_evaluation():
    model = models.build({"name": "mlp", "hidden": [50], "dropout": 0.5}, image_size=4, classes=3)
    images = torch.rand(8, 1, 4, 4)
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))
