"""The losses, each from logits (n, classes) and labels (n,) to a scalar, the mean over the batch."""

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

Loss = Callable[[Tensor, Tensor], Tensor]

LOSSES: dict[str, Loss] = {
    "cross_entropy": F.cross_entropy,
}
