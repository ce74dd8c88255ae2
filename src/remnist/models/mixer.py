"""MLP-Mixer (Tolstikhin et al., NeurIPS 2021, arXiv 2105.01601), and the three forms that the reports built.

Patches are embedded; then each layer mixes tokens (the same MLP for every channel) and channels (the same MLP for
every token), each behind a LayerNorm, with a skip connection around both; the mean over the tokens goes to a linear
head. The paper's stem, a convolution whose stride is its size, is the linear layer used here.
"""

from torch import Tensor, nn

from remnist.models.layers import MlpBlock, Patches


class MixerLayer(nn.Module):
    """Token mixing, then channel mixing; (n, tokens, dim) to the same shape."""

    def __init__(self, tokens: int, dim: int, tokens_mlp_dim: int, channels_mlp_dim: int, norm_axis: str) -> None:
        super().__init__()
        self.over_tokens = norm_axis == "tokens"
        self.token_norm = nn.LayerNorm(tokens if self.over_tokens else dim)
        self.token_mixing = MlpBlock(tokens, tokens_mlp_dim)
        self.channel_norm = nn.LayerNorm(dim)
        self.channel_mixing = MlpBlock(dim, channels_mlp_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Mix tokens, then channels."""
        y = self.token_norm(x.transpose(1, 2)) if self.over_tokens else self.token_norm(x).transpose(1, 2)
        x = x + self.token_mixing(y).transpose(1, 2)  # y is (n, dim, tokens)
        return x + self.channel_mixing(self.channel_norm(x))


class MlpMixer(nn.Module):
    """Images (n, c, s, s) to logits (n, classes).

    Args:
        image_shape: (c, s, s).
        classes: number of logits.
        patch_size: pixels a side of a patch, a divisor of s.
        patch_embedding: map each patch to `dim` channels; without it a token is its raw patch, and `dim` the
            number of its pixels (report 3).
        dim: channels a token.
        depth: layers.
        tokens_mlp_dim: hidden width of the token-mixing MLPs; the paper takes dim / 2.
        channels_mlp_dim: hidden width of the channel-mixing MLPs; the paper takes 4 * dim.
        norm_axis: what the LayerNorm before token mixing normalises over: channels (the paper), or tokens
            (report 1).
        zero_init_head: start with a head of zeros (the paper's code).
    """

    def __init__(
        self,
        *,
        image_shape: tuple[int, ...],
        classes: int,
        patch_size: int,
        patch_embedding: bool,
        dim: int,
        depth: int,
        tokens_mlp_dim: int,
        channels_mlp_dim: int,
        norm_axis: str,
        zero_init_head: bool,
    ) -> None:
        super().__init__()
        channels, size, _ = image_shape
        tokens, pixels = (size // patch_size) ** 2, channels * patch_size**2
        self.patches = Patches(patch_size)
        self.stem = nn.Linear(pixels, dim) if patch_embedding else nn.Identity()
        self.layers = nn.Sequential(
            *(MixerLayer(tokens, dim, tokens_mlp_dim, channels_mlp_dim, norm_axis) for _ in range(depth))
        )
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)
        if zero_init_head:
            nn.init.zeros_(self.head.weight)
            nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Classify images."""
        x = self.stem(self.patches(x))  # (n, tokens, dim)
        x = self.norm(self.layers(x))
        return self.head(x.mean(1))  # (n, dim) to (n, classes)
