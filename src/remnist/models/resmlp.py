"""ResMLP (Touvron et al., 2021, arXiv 2105.03404): one linear layer mixes the tokens, and no statistics normalise.

Where Mixer has a LayerNorm, ResMLP has an affine map of each channel, and each residual branch ends in a LayerScale.
"""

import torch
from torch import Tensor, nn

from remnist.models.layers import MlpBlock, Patches


class Affine(nn.Module):
    """Scale and shift each channel: alpha * x + beta, from alpha = 1 and beta = 0."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(dim))
        self.beta = nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, tokens, dim) to the same shape."""
        return torch.addcmul(self.beta, self.alpha, x)


class Layer(nn.Module):
    """Token mixing, then channel mixing; (n, tokens, dim) to the same shape."""

    def __init__(self, tokens: int, dim: int, channels_mlp_dim: int, layer_scale: float) -> None:
        super().__init__()
        self.token_affine = Affine(dim)
        self.token_mixing = nn.Linear(tokens, tokens)
        self.token_scale = nn.Parameter(torch.full((dim,), layer_scale))
        self.channel_affine = Affine(dim)
        self.channel_mixing = MlpBlock(dim, channels_mlp_dim)
        self.channel_scale = nn.Parameter(torch.full((dim,), layer_scale))

    def forward(self, x: Tensor) -> Tensor:
        """Mix tokens, then channels."""
        y = self.token_mixing(self.token_affine(x).transpose(1, 2)).transpose(1, 2)
        x = x + self.token_scale * y
        return x + self.channel_scale * self.channel_mixing(self.channel_affine(x))


class ResMlp(nn.Module):
    """Images (n, c, s, s) to logits (n, classes).

    Args:
        image_shape: (c, s, s).
        classes: number of logits.
        patch_size: pixels a side of a patch, a divisor of s.
        dim: channels a token.
        depth: layers.
        channels_mlp_dim: hidden width of the channel-mixing MLPs; the paper takes 4 * dim.
        layer_scale: what each residual branch is scaled by at the start; the paper takes 0.1 up to 18 layers.
    """

    def __init__(
        self,
        *,
        image_shape: tuple[int, ...],
        classes: int,
        patch_size: int,
        dim: int,
        depth: int,
        channels_mlp_dim: int,
        layer_scale: float,
    ) -> None:
        super().__init__()
        channels, size, _ = image_shape
        tokens = (size // patch_size) ** 2
        self.patches = Patches(patch_size)
        self.stem = nn.Linear(channels * patch_size**2, dim)
        self.layers = nn.Sequential(*(Layer(tokens, dim, channels_mlp_dim, layer_scale) for _ in range(depth)))
        self.affine = Affine(dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Classify images."""
        x = self.stem(self.patches(x))  # (n, tokens, dim)
        x = self.affine(self.layers(x))
        return self.head(x.mean(1))  # (n, dim) to (n, classes)
