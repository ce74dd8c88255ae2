"""The shifts of training images."""

import torch

from remnist.learning.augmentation import draw_offsets, shift


def random_shift(images, pixels, generator):
    return shift(images, draw_offsets(len(images), pixels, generator), pixels)


def test_each_image_is_moved_by_itself_and_what_moves_in_is_background():
    generator = torch.Generator().manual_seed(0)
    images = torch.zeros(200, 2, 7, 7)
    images[:, :, 3, 3] = torch.tensor([1.0, 2.0])
    shifted = random_shift(images, 2, generator)
    assert shifted.shape == images.shape
    assert torch.equal(shifted.sum((2, 3)), images.sum((2, 3)))
    places = {tuple(torch.nonzero(image[0])[0].tolist()) for image in shifted}
    assert places == {(row, column) for row in range(1, 6) for column in range(1, 6)}
    for image in shifted:
        assert torch.equal(image[1], 2 * image[0])


def test_none_at_all():
    images = torch.rand(3, 1, 4, 4)
    assert random_shift(images, 0, torch.Generator()) is images


def test_pixels_move_out_of_the_image():
    moved = random_shift(torch.ones(50, 1, 4, 4), 1, torch.Generator().manual_seed(1))
    assert set(moved.sum((1, 2, 3)).tolist()) == {9.0, 12.0, 16.0}
