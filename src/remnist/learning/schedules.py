"""How the learning rate changes over a run: what its setting is multiplied by at each step.

The formulas are those of torch.optim.lr_scheduler, stepped after every batch.
"""

import math

from remnist.settings import Constant, Cosine, OneCycle, Schedule

START, END = 1 / 25, 1 / 25 / 1e4  # first and last factor of one cycle, as in OneCycleLR
RISE = 0.3  # share of the steps in which one cycle rises
DECIMALS = 12  # decimals kept; the cosine's last bits differ between C libraries


def factor(schedule: Schedule, step: int, steps: int) -> float:
    """Return the factor of the learning rate at a step.

    Args:
        schedule: constant; cosine, from 1 towards 0 (Loshchilov and Hutter, arXiv 1608.03983); or one cycle, from
            1 / 25 to 1 in the first three tenths and then to 4e-6 (Smith and Topin, arXiv 1708.07120), of the learning
            rate alone.
        step: from 0.
        steps: steps of the whole run.
    """
    match schedule:
        case Constant():
            return 1.0
        case Cosine():
            return _anneal(1.0, 0.0, step / steps)
        case OneCycle():
            peak, last = RISE * steps - 1, steps - 1
            if step <= peak:
                return _anneal(START, 1.0, step / peak)
            return _anneal(1.0, END, (step - peak) / (last - peak))


def _anneal(start: float, end: float, progress: float) -> float:
    return round(end + (start - end) * (1 + math.cos(math.pi * progress)) / 2, DECIMALS)
