"""The answers of stored weights on the test set."""

import math

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from remnist import models
from remnist.data import loading
from remnist.errors import UserError
from remnist.evaluation.predictions import predict_test_set, probabilities
from tests.support.variants import parameters


def test_stored_weights_answer_as_the_model_that_they_were_taken_from(prepared, tmp_path, variant):
    torch.manual_seed(0)
    model = models.build(variant.model, image_shape=(1, 28, 28), classes=10).eval()
    save_file(model.state_dict(), tmp_path / "seed-0.safetensors")
    found = predict_test_set(variant, tmp_path / "seed-0.safetensors", prepared)
    images, labels = loading.load(prepared, "test", variant.data)
    with torch.no_grad():
        logits = model(images)
    assert np.array_equal(found.labels, labels.numpy())
    assert np.allclose(found.probabilities, torch.softmax(logits, 1).numpy())
    assert found.loss == pytest.approx(torch.nn.functional.cross_entropy(logits, labels).item())
    assert found.parameters == parameters(model)
    flat = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    assert found.weight_norm == pytest.approx(flat.norm().item())


@pytest.mark.parametrize("value", [math.nan, math.inf, torch.finfo(torch.float32).max])
def test_weights_of_any_size_have_a_norm(prepared, tmp_path, variant, value):
    model = models.build(variant.model, image_shape=(1, 28, 28), classes=10)
    weights = {name: torch.full_like(tensor, value) for name, tensor in model.state_dict().items()}
    save_file(weights, tmp_path / "seed-0.safetensors")
    found = predict_test_set(variant, tmp_path / "seed-0.safetensors", prepared)
    expected = abs(value) * math.sqrt(parameters(model))
    assert found.weight_norm == pytest.approx(expected, nan_ok=True)


def test_probabilities_of_confident_answers_do_not_tie():
    [[first, second]] = probabilities(torch.tensor([[0.0, 30.0]]))
    assert 0 < first < 1e-12
    assert second < 1
    assert first == pytest.approx(math.exp(-30))


def test_logits_that_are_not_finite_make_all_classes_equally_likely():
    answers = probabilities(torch.tensor([[math.nan, 1.0], [math.inf, 0.0], [0.0, 0.0]]))
    assert answers.tolist() == [[0.5, 0.5]] * 3


def test_damaged_weights_are_an_error_of_one_line(prepared, tmp_path, variant):
    weights = tmp_path / "seed-0.safetensors"
    weights.write_bytes(b"\x10\0\0\0\0\0\0\0not what it was")
    for path in (weights, tmp_path / "missing.safetensors"):
        with pytest.raises(UserError) as error:
            predict_test_set(variant, path, prepared)
        assert len(str(error.value).splitlines()) == 1
