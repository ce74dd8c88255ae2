"""What changes the training images at each epoch."""

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)


def random_shift(images: Tensor, pixels: int, generator: Generator) -> Tensor:
    """Move each image by up to so many whole pixels, both ways at random; what moves in is 0, MNIST's background.

    Args:
        images: (n, c, h, w).
        pixels: largest shift; 0 returns the images as they are.
        generator: draws the shifts, on the CPU, so that they are the same for every device.
    """
    if pixels == 0:
        return images
    n, _, h, w = images.shape
    padded = F.pad(images, [pixels] * 4)
    down, right = torch.randint(0, 2 * pixels + 1, (2, n), generator=generator).to(images.device)
    rows = down[:, None, None] + torch.arange(h, device=images.device)[:, None]  # (n, h, 1)
    columns = right[:, None, None] + torch.arange(w, device=images.device)  # (n, 1, w)
    image = torch.arange(n, device=images.device)[:, None, None]
    return padded[image, :, rows, columns].permute(0, 3, 1, 2)  # (n, h, w, c) to (n, c, h, w)
