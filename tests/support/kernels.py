"""The processors that the C kernels can be tried for here."""

import torch

from remnist.kernels import library

PROCESSORS = [name for name in library.PROCESSORS if name != "AVX-512" or torch.cpu._is_avx512_supported()]
