"""The models. Each class has the name of the torch module that it describes, and that module's arguments for fields."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from remnist.settings.base import Count, Fraction, Misfit, Settings, Width
from remnist.settings.data import Data, Images


class ModelSettings(Settings):
    """The questions that every model answers about itself."""

    def misfits(self, data: Data) -> Iterator[Misfit]:
        """Yield the settings that do not suit the data."""
        yield from ()

    def needs_two_images(self, data: Data) -> bool:
        """Return whether a batch of a single image leaves batch norm nothing to normalise over."""
        return False


class Mlp(ModelSettings):
    """A fully connected network."""

    name: Literal["mlp"]
    hidden: list[Width] = Field(description="width of each hidden layer, first to last")
    activation: Literal["relu", "gelu", "maxout", "relu_maxout"] = Field(description="activation of the hidden layers")
    batch_norm: bool = Field(description="normalise each hidden unit over the batch")
    dropout: Fraction = Field(description="probability to zero a hidden unit in training")

    def needs_two_images(self, data: Data) -> bool:
        """Return whether a batch of a single image leaves batch norm nothing to normalise over."""
        return self.batch_norm and bool(self.hidden)


class Convolutional(ModelSettings):
    """The models with convolutions, which need images that are large enough."""

    smallest_image: ClassVar[int]  # pixels a side below which a convolution or a pool finds nothing left

    def misfits(self, data: Data) -> Iterator[Misfit]:
        """Yield the settings that do not suit the data."""
        yield from _too_small(data, self.smallest_image)


class ResidualCnn(Convolutional):
    """Report 5's residual CNN."""

    smallest_image = 16
    name: Literal["residual_cnn"]
    dropout: Fraction = Field(description="probability to zero a channel, or a hidden unit, in training")


class Cnn(Convolutional):
    """The reference CNN."""

    smallest_image = 4
    name: Literal["cnn"]
    widths: Annotated[list[Width], Field(min_length=3, max_length=3)] = Field(
        description="channels of the three convolutions"
    )

    def needs_two_images(self, data: Data) -> bool:
        """Return whether a batch of a single image leaves batch norm nothing to normalise over."""
        return isinstance(data, Images) and data.image_size < 8  # one pixel a channel behind two pools


class Patched(ModelSettings):
    """The settings that all models on patches have."""

    patch_size: Count = Field(description="pixels a side of a patch, a divisor of data.image_size")
    dim: Width = Field(description="channels a token")
    depth: Count = Field(description="layers")
    channels_mlp_dim: Width = Field(description="hidden width of the channel-mixing MLPs")

    def misfits(self, data: Data) -> Iterator[Misfit]:
        """Yield the settings that do not suit the data."""
        yield from _too_small(data, 1)
        if isinstance(data, Images) and data.image_size % self.patch_size:
            yield "patch_size", f"a divisor of data.image_size, {data.image_size}"


class MlpMixer(Patched):
    """MLP-Mixer, and the forms of it that the reports built."""

    name: Literal["mixer"]
    patch_embedding: bool = Field(description="map each patch to dim channels; without it a token is its raw patch")
    tokens_mlp_dim: Width = Field(description="hidden width of the token-mixing MLPs")
    norm_axis: Literal["channels", "tokens"] = Field(description="axis of the LayerNorm before token mixing")
    zero_init_head: bool = Field(description="start with a head of zeros")

    def misfits(self, data: Data) -> Iterator[Misfit]:
        """Yield the settings that do not suit the data."""
        yield from super().misfits(data)
        if not self.patch_embedding and self.dim != (pixels := self.patch_size**2):
            yield "dim", f"{pixels}, the pixels of a patch, without model.patch_embedding"


class ResMlp(Patched):
    """ResMLP."""

    name: Literal["resmlp"]
    layer_scale: float = Field(gt=0, description="factor of each residual branch at the start")


class VisionPermutator(Patched):
    """Vision Permutator."""

    name: Literal["vision_permutator"]
    dim: Annotated[int, Field(ge=4, le=65_536)] = Field(
        description="channels a token, a multiple of the patches a side; a fourth of them is a hidden width"
    )

    def misfits(self, data: Data) -> Iterator[Misfit]:
        """Yield the settings that do not suit the data."""
        yield from super().misfits(data)
        if isinstance(data, Images) and (grid := data.image_size // self.patch_size) and self.dim % grid:
            yield "dim", f"a multiple of the patches a side, {grid}"


Model = Mlp | MlpMixer | ResMlp | VisionPermutator | ResidualCnn | Cnn


def _too_small(data: Data, smallest: int) -> Iterator[Misfit]:
    if not isinstance(data, Images) or data.image_size < smallest:
        yield "name", f"on images of {smallest} pixels a side or more"
