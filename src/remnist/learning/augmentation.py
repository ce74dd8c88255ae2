"""Random shifts of the training images, drawn again at each epoch."""

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)


def draw_offsets(n: int, pixels: int, generator: Generator) -> Tensor:
    """Draw the moves of n images, down and right: (2, n), whole numbers from 0 to 2 * pixels.

    The draw is on the CPU, so that it is the same for every device, and for a whole epoch, so that a GPU waits once.
    """
    return torch.randint(0, 2 * pixels + 1, (2, n), generator=generator)


def shift(images: Tensor, offsets: Tensor, pixels: int) -> Tensor:
    """Move each image by whole pixels, down and right; pixels that move in are 0, MNIST's background.

    Args:
        images: (n, c, h, w).
        offsets: (2, n), from `draw_offsets`; an offset of `pixels` leaves an image where it is.
        pixels: largest shift; 0 returns the images as they are.
    """
    if pixels == 0:
        return images
    n, _, h, w = images.shape
    padded = F.pad(images, [pixels] * 4)
    down, right = offsets
    rows = down[:, None, None] + torch.arange(h, device=images.device)[:, None]  # (n, h, 1)
    columns = right[:, None, None] + torch.arange(w, device=images.device)  # (n, 1, w)
    image = torch.arange(n, device=images.device)[:, None, None]
    return padded[image, :, rows, columns].permute(0, 3, 1, 2)  # (n, h, w, c) to (n, c, h, w)
