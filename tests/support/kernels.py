"""What the C kernels are tried with: the processors that can be had here, and layers."""

import torch

from remnist.kernels import library

# inputs, outputs, kernel, padding: the residual CNN's, and two that no block of channels fits
LAYERS = [(1, 10, 5, 0), (10, 10, 3, 1), (10, 20, 5, 0), (20, 20, 3, 1), (3, 4, 3, 1), (2, 5, 1, 0)]
PROCESSORS = [name for name in library.PROCESSORS if name != "AVX-512" or torch.cpu._is_avx512_supported()]
