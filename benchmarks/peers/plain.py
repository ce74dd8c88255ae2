"""What the peers on torch share: the network of torch's own layers, and an optimiser of torch.optim."""

import torch
from safetensors.torch import load_file, save
from torch import nn

from benchmarks.peers import Job
from remnist import models
from remnist.models.layers import Dropout
from remnist.settings import Adam, Sgd, Variant


def network(job: Job) -> nn.Module:
    """Build the job's network, with the weights to start from and `nn.Dropout` in place of the project's."""
    torch.manual_seed(job.seed)
    model = models.build(job.variant.model, image_shape=(1, 28, 28), classes=10)
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, Dropout):
                setattr(module, name, (nn.Dropout2d if child.channels else nn.Dropout)(child.p))
    model.load_state_dict(load_file(job.start))
    return model.train()


def saved(model: nn.Module) -> bytes:
    """Return the weights as safetensors, which wants them contiguous."""
    return save({name: tensor.contiguous() for name, tensor in model.state_dict().items()})


def optimizer(variant: Variant, model: nn.Module, *, fused: bool) -> torch.optim.Optimizer:
    """Build the optimiser, SGD or Adam."""
    match variant.optimizer:
        case Sgd(momentum=momentum):
            return torch.optim.SGD(model.parameters(), variant.train.lr, momentum=momentum, fused=fused)
        case Adam(betas=[beta1, beta2]):
            return torch.optim.Adam(model.parameters(), variant.train.lr, (beta1, beta2), fused=fused)
        case other:
            raise ValueError(f"no peer has {other}")
