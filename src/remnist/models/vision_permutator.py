"""Vision Permutator (Hou et al., 2021, arXiv 2106.12368), in its weighted form.

Tokens stay on their grid. Three branches mix along the grid's height, its width, and the channels, and are summed with
weights, for each image and channel, from a softmax over the three. To mix along an axis of g tokens, the channels are
cut into g segments, so that an axis and a segment together have as many entries as there are channels.
"""

import torch
from torch import Tensor, nn

from remnist.models.layers import MlpBlock, Patches


class PermuteMlp(nn.Module):
    """Mix along height, width and channels; (n, g, g, dim) to the same shape.

    Args:
        grid: g, tokens a side, and segments.
        dim: channels a token, a multiple of g.
    """

    def __init__(self, grid: int, dim: int) -> None:
        super().__init__()
        self.grid = grid
        self.height = nn.Linear(dim, dim, bias=False)
        self.width = nn.Linear(dim, dim, bias=False)
        self.channels = nn.Linear(dim, dim, bias=False)
        self.reweight = nn.Sequential(nn.Linear(dim, dim // 4), nn.GELU(), nn.Linear(dim // 4, 3 * dim))
        self.projection = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Mix along the three axes."""
        g, s = self.grid, x.shape[3] // self.grid
        segments = torch.unflatten(x, 3, (g, s))  # (n, h, w, g, s)
        h = segments.permute(0, 3, 2, 1, 4).flatten(3)  # (n, g, w, h * s)
        h = self.height(h).unflatten(3, (g, s)).permute(0, 3, 2, 1, 4).flatten(3)  # (n, h, w, dim)
        w = segments.permute(0, 1, 3, 2, 4).flatten(3)  # (n, h, g, w * s)
        w = self.width(w).unflatten(3, (g, s)).permute(0, 1, 3, 2, 4).flatten(3)  # (n, h, w, dim)
        branches = torch.stack([h, w, self.channels(x)], 1)  # (n, 3, h, w, dim)
        weights = self.reweight(branches.sum(1).mean((1, 2)))  # (n, dim * 3)
        weights = weights.unflatten(1, (-1, 3)).transpose(1, 2).softmax(1)  # (n, 3, dim)
        mixed = (branches * weights[:, :, None, None]).sum(1)  # (n, h, w, dim)
        return self.projection(mixed)


class Permutator(nn.Module):
    """Permute-MLP, then an MLP of the channels, each behind a LayerNorm, with a skip connection around both."""

    def __init__(self, grid: int, dim: int, channels_mlp_dim: int) -> None:
        super().__init__()
        self.permute_norm = nn.LayerNorm(dim)
        self.permute = PermuteMlp(grid, dim)
        self.channel_norm = nn.LayerNorm(dim)
        self.channel_mixing = MlpBlock(dim, channels_mlp_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Mix along the three axes, then channels."""
        x = x + self.permute(self.permute_norm(x))
        return x + self.channel_mixing(self.channel_norm(x))


class VisionPermutator(nn.Module):
    """Images (n, c, s, s) to logits (n, classes).

    Args:
        image_shape: (c, s, s).
        classes: number of logits.
        patch_size: pixels a side of a patch; s / patch_size is the grid's side.
        dim: channels a token, a multiple of the grid's side.
        depth: Permutator blocks.
        channels_mlp_dim: hidden width of the MLPs of the channels; the paper takes 3 * dim.
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
    ) -> None:
        super().__init__()
        channels, size, _ = image_shape
        self.grid = size // patch_size
        self.patches = Patches(patch_size)
        self.stem = nn.Linear(channels * patch_size**2, dim)
        self.layers = nn.Sequential(*(Permutator(self.grid, dim, channels_mlp_dim) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Classify images."""
        x = self.stem(self.patches(x)).unflatten(1, (self.grid, self.grid))  # (n, h, w, dim)
        x = self.norm(self.layers(x))
        return self.head(x.mean((1, 2)))  # (n, dim) to (n, classes)
