"""How the learning rate changes over a run: what its setting is multiplied by at each step.

The formulas are those of torch.optim.lr_scheduler, stepped after every batch.
"""

import math

START, END, RISE = 1 / 25, 1 / 25 / 1e4, 0.3  # of one_cycle; OneCycleLR's own
DIGITS = 12  # the cosine's last bits differ between C libraries


def factor(schedule: str, step: int, steps: int) -> float:
    """Return what the learning rate is multiplied by.

    Args:
        schedule: constant; cosine, from 1 towards 0 (Loshchilov and Hutter, arXiv 1608.03983); or one_cycle, from
            1 / 25 to 1 in the first three tenths and then to 4e-6 (Smith and Topin, arXiv 1708.07120), of the learning
            rate alone.
        step: from 0.
        steps: of the whole run.
    """
    match schedule:
        case "constant":
            return 1.0
        case "cosine":
            return _anneal(1.0, 0.0, step / steps)
        case "one_cycle":
            peak, last = RISE * steps - 1, steps - 1
            if step <= peak:
                return _anneal(START, 1.0, step / peak)
            return _anneal(1.0, END, (step - peak) / (last - peak))
        case unknown:
            raise ValueError(f"no schedule {unknown!r}")


def _anneal(start: float, end: float, progress: float) -> float:
    return round(end + (start - end) * (1 + math.cos(math.pi * progress)) / 2, DIGITS)
