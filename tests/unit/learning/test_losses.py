"""The losses against a computation by hand."""

import math

import pytest
import torch

from remnist.learning.losses import Loss, build, l2_penalty, value_and_gradient
from remnist.settings import tags
from tests.support.variants import choose

SETTINGS = {"label_smoothing": 0.1, "reduction": "mean"}
LOGITS = torch.tensor([[math.log(1.0), math.log(3.0)], [0.0, 0.0]])  # probabilities 1/4, 3/4 and 1/2, 1/2
LABELS = torch.tensor([1, 0])


def loss_of(name: str, **settings) -> Loss:
    return build(choose("train", "loss", name, **SETTINGS | settings))


def loss(name: str, logits=LOGITS, labels=LABELS, **settings) -> float:
    return loss_of(name, **settings)(logits, labels).item()


def test_cross_entropy_by_hand():
    expected = (-math.log(3 / 4) - math.log(1 / 2)) / 2
    assert loss("cross_entropy", label_smoothing=0.0) == pytest.approx(expected, rel=1e-6)


def test_label_smoothing_by_hand():
    """With 0.1 shared by both classes, the label's has 0.95 and the other 0.05."""
    first = -0.95 * math.log(3 / 4) - 0.05 * math.log(1 / 4)
    assert loss("cross_entropy") == pytest.approx((first - math.log(1 / 2)) / 2, rel=1e-6)


def test_kl_divergence_by_hand():
    first = 0.95 * math.log(0.95 / (3 / 4)) + 0.05 * math.log(0.05 / (1 / 4))
    second = 0.95 * math.log(0.95 / (1 / 2)) + 0.05 * math.log(0.05 / (1 / 2))
    assert loss("kl_divergence", reduction="batchmean") == pytest.approx((first + second) / 2, rel=1e-5)
    assert loss("kl_divergence", reduction="mean") == pytest.approx((first + second) / 4, rel=1e-5)


def test_kl_divergence_by_batch_is_cross_entropy_with_label_smoothing_but_for_a_constant():
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(8, 10, generator=generator), torch.arange(8)
    entropy = -(0.91 * math.log(0.91) + 9 * 0.01 * math.log(0.01))
    divergence = loss("kl_divergence", logits, labels, reduction="batchmean")
    assert divergence + entropy == pytest.approx(loss("cross_entropy", logits, labels), rel=1e-5)
    # Its default divides by batch times classes: a tenth.
    assert loss("kl_divergence", logits, labels) == pytest.approx(divergence / 10, rel=1e-5)


def test_one_hot_targets_without_smoothing_are_allowed():
    assert loss("kl_divergence", label_smoothing=0.0, reduction="batchmean") == pytest.approx(
        (-math.log(3 / 4) - math.log(1 / 2)) / 2, rel=1e-6
    )


def test_cross_entropy_of_softmax_saturates():
    sure = torch.eye(10)[:4] * 1_000
    right, wrong = torch.arange(4), torch.arange(1, 5)
    assert loss("cross_entropy_of_softmax", sure, right) == pytest.approx(math.log(math.e + 9) - 1, rel=1e-6)
    assert loss("cross_entropy_of_softmax", sure, wrong) == pytest.approx(math.log(math.e + 9), rel=1e-6)


def test_cross_entropy_of_softmax_leaves_a_dead_class_dead():
    logits = torch.tensor([[1_000.0] + [0.0] * 9], requires_grad=True)
    value = loss_of("cross_entropy_of_softmax")(logits, torch.tensor([3]))
    [gradient] = torch.autograd.grad(value, [logits])
    assert torch.count_nonzero(gradient) == 0


def test_mse_one_hot_by_hand():
    # Image 1: (1/4, 3/4) against (0, 1); image 2: (1/2, 1/2) against (1, 0).
    expected = (2 * (1 / 4) ** 2 + 2 * (1 / 2) ** 2) / 4
    assert loss("mse_one_hot") == pytest.approx(expected, rel=1e-6)


def test_mse_of_logits_by_hand():
    # Image 1: (0, ln 3) against (0, 1); image 2: (0, 0) against (1, 0).
    expected = ((math.log(3) - 1) ** 2 + 1) / 4
    assert loss("mse_of_logits") == pytest.approx(expected, rel=1e-6)


def test_mse_of_the_argmax_measures_and_has_no_gradient():
    logits = torch.eye(10)[[0, 9]].requires_grad_()
    value = loss_of("mse_argmax")(logits, torch.tensor([3, 9]))
    assert value.item() == 4.5  # (0 - 3)^2 and 0
    assert not value.requires_grad


def test_every_loss_is_a_number_and_all_but_one_have_a_gradient():
    for name in tags("train", "loss"):
        logits = LOGITS.clone().requires_grad_()
        value = loss_of(name)(logits, LABELS)
        assert value.shape == ()
        assert value.requires_grad == (name != "mse_argmax"), name


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("name", tags("train", "loss"))
def test_value_and_gradient_are_autograds(name, smoothing):
    leaf = LOGITS.clone().requires_grad_()
    value = loss_of(name, label_smoothing=smoothing)(leaf, LABELS)
    settings = choose("train", "loss", name, **SETTINGS | {"label_smoothing": smoothing})
    own, gradient = value_and_gradient(settings)(LOGITS, LABELS)
    assert own == pytest.approx(value.item(), rel=1e-6)
    if name == "mse_argmax":
        assert gradient is None
    else:
        assert torch.equal(gradient, torch.autograd.grad(value, leaf)[0])


def test_l2_penalty_by_hand_and_its_gradient_is_weight_decay():
    weights = [torch.tensor([3.0, -1.0], requires_grad=True), torch.tensor([[2.0]], requires_grad=True)]
    value = l2_penalty(weights, 0.1)
    assert value.item() == pytest.approx(0.1 / 2 * (9 + 1 + 4))
    for gradient, weight in zip(torch.autograd.grad(value, weights), weights, strict=True):
        torch.testing.assert_close(gradient, 0.1 * weight)
