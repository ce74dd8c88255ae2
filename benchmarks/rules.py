"""How often the report's rules err: simulated studies of known truth, as large as the study, judged by its code.

It writes docs/rules.md. The spreads are those of the study: a standard deviation of 0.12 points of accuracy over seeds
of an MLP, correlated by half where seeds are pairs.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from tqdm import tqdm

from remnist.files import write_text
from remnist.plan.claims import Claim
from remnist.report import effects, statistics
from remnist.report.effects import CONFIRMED, NO_EFFECT, REVERSED, Effect
from remnist.report.measures import Sample, at_shared_seeds
from remnist.report.statistics import Floats
from remnist.runtime.stage import command_main

PAGE = Path("docs/rules.md")
SD, CORRELATION = 0.0012, 0.5  # fraction of accuracy, over seeds; between the runs of a pair
MARGIN = 0.0025  # fraction of accuracy
SEEDS = 12
MOST = "at most 5 %"
FAMILY = 20  # directions of a report
HORIZON = 30  # epochs
LOST, LACK = 0.25, 0.1  # share of the runs that lack a digit, and what that costs, fraction of accuracy

Rng = np.random.Generator
Check = Callable[[Rng], bool]


def claim(expect: str, metric: str = "accuracy") -> Claim:
    """Return a claim of two variants."""
    margin = None if metric in ("diverged", "digit_missing") else MARGIN
    stated = {"report": 1, "statement": 1, "says": "simulated", "variants": ["a", "b"], "expect": expect}
    return Claim.model_validate(stated | {"metric": metric, "margin": margin})


def runs(rng: Rng, difference: float, *, paired: bool, n: int = SEEDS, ratio: float = 1.0) -> tuple[Floats, Floats]:
    """Return accuracies of two variants that differ by this; the first scatters `ratio` times as much."""
    shared = CORRELATION if paired else 0.0
    both = rng.multivariate_normal([0, 0], [[1, shared], [shared, 1]], n).T
    return 0.97 + difference + SD * ratio * both[0], 0.97 + SD * both[1]


def effect(rng: Rng, stated: Claim, difference: float, *, paired: bool, ratio: float = 1.0) -> Effect:
    """Return the effect of a simulated claim, not yet decided."""
    samples = [Sample(pd.Series(values)) for values in runs(rng, difference, paired=paired, ratio=ratio)]
    return effects.of_samples(stated, samples, paired=paired, image_se=0.0)


def outcome(rng: Rng, expect: str, difference: float, *, paired: bool, ratio: float = 1.0) -> str:
    """Return the outcome of a claim that is alone in its report."""
    stated = claim(expect)
    found = effect(rng, stated, difference, paired=paired, ratio=ratio)
    return effects.conclude(stated, found, found.p_value).outcome


def finds_a_direction(rng: Rng) -> bool:
    """Return whether a report whose variants are all identical has a direction confirmed or reversed."""
    stated = claim("more")
    found = [effect(rng, stated, 0.0, paired=place % 2 == 0) for place in range(FAMILY)]
    corrected = statistics.holm(np.array([each.p_value for each in found]))
    outcomes = [effects.conclude(stated, *each).outcome for each in zip(found, corrected.tolist(), strict=True)]
    return any(each in (CONFIRMED, REVERSED) for each in outcomes)


def covers(rng: Rng, *, paired: bool, ratio: float = 1.0) -> bool:
    """Return whether the 95 % interval holds the true difference."""
    low, high = effect(rng, claim("more"), MARGIN, paired=paired, ratio=ratio).interval
    return low <= MARGIN <= high


def predicts(rng: Rng) -> bool:
    """Return whether the prediction interval holds the difference of one further run each."""
    low, high = statistics.Difference(*runs(rng, MARGIN, paired=False), paired=False).of_one_pair()
    first, second = runs(rng, MARGIN, paired=False, n=1)
    return bool(low <= first[0] - second[0] <= high)


def explains(rng: Rng) -> bool:
    """Return whether the interval of a share holds the true one, 65 %, of a difference of 0.8 points."""
    a, b = runs(rng, 0.008, paired=True)
    d, _ = runs(rng, 0.0052, paired=False)
    _, (low, high) = statistics.share_explained((a, b), (a, d))
    return low <= 0.65 <= high


def of_two_humps(rng: Rng, *, found_digits: bool) -> Effect | None:
    """Return the effect of two identical variants, some of whose runs lack a digit; None where too few pairs are left.

    Args:
        rng: draws the runs.
        found_digits: whether only runs with all digits count.
    """
    samples = []
    for values in runs(rng, 0.0, paired=True):
        lost = rng.random(SEEDS) < LOST
        samples.append(Sample(pd.Series(values - LACK * lost)[~lost | (not found_digits)]))
    if min(map(len, at_shared_seeds(samples))) < 2:
        return None
    return effects.of_samples(claim("more"), samples, paired=True, image_se=0.0)


def finds_in_two_humps(rng: Rng, *, found_digits: bool) -> bool:
    """Return whether such variants are found to differ."""
    found = of_two_humps(rng, found_digits=found_digits)
    return found is not None and found.p_value <= statistics.ALPHA


def covers_two_humps(rng: Rng, *, found_digits: bool) -> bool:
    """Return whether the 95 % interval of such variants, if there is one, holds zero."""
    found = of_two_humps(rng, found_digits=found_digits)
    return found is None or found.interval[0] <= 0 <= found.interval[1]


def tells_rates_apart(rng: Rng, first: float, second: float, n: int) -> bool:
    """Return whether two rates are found to differ."""
    return statistics.of_rates(int(rng.binomial(n, first)), n, int(rng.binomial(n, second)), n)[0] <= statistics.ALPHA


def tells_times_apart(rng: Rng, factor: float) -> bool:
    """Return whether two samples of times, a fourth of which lie beyond the last epoch, are found to differ."""
    scale = HORIZON / np.log(4)
    first, second = (np.ceil(rng.exponential(scale * each, SEEDS)) for each in (factor, 1.0))
    times = [np.where(each > HORIZON, np.nan, each) for each in (first, second)]
    return statistics.of_times(times[0], times[1], HORIZON)[0] <= statistics.ALPHA


def checks() -> dict[str, tuple[str, Check]]:
    """Return what is simulated, by its name, with what should come out."""

    def is_outcome(expect: str, wanted: str, difference: float, **how: float) -> Check:
        return lambda rng: outcome(rng, expect, difference, **how) == wanted  # type: ignore[arg-type]

    power = stats.nct.sf(stats.t.ppf(0.975, SEEDS - 1), SEEDS - 1, 0.001 / SD * np.sqrt(SEEDS))
    return {
        f"identical variants: of {FAMILY} claims of *more* in a report one or more is found": (MOST, finds_a_direction),
        "identical variants, claim of *more*, in pairs: found":
            ("5 %", lambda rng: not_open(outcome(rng, "more", 0, paired=True))),
        "the same, not in pairs, one variant scatters three times as much: found":
            ("5 %", lambda rng: not_open(outcome(rng, "more", 0, paired=False, ratio=3))),
        "identical variants, claim of *more*: no effect": ("", is_outcome("more", NO_EFFECT, 0, paired=True)),
        "identical variants, claim of *same*: confirmed": ("", is_outcome("same", CONFIRMED, 0, paired=True)),
        "a difference as large as the margin, claim of *same*, in pairs: confirmed":
            (MOST, is_outcome("same", CONFIRMED, MARGIN, paired=True)),
        "the same, not in pairs: confirmed": (MOST, is_outcome("same", CONFIRMED, MARGIN, paired=False)),
        "a difference as large as the margin, claim of *same*: reversed":
            (MOST, is_outcome("same", REVERSED, MARGIN, paired=True)),
        "a difference of 0.1 points, claim of *more*: confirmed":
            (f"{power * 100:.0f} %", is_outcome("more", CONFIRMED, 0.001, paired=True)),
        "a difference of twice the margin, claim of *more*: confirmed":
            ("", is_outcome("more", CONFIRMED, 2 * MARGIN, paired=False)),
        "a difference of twice the margin, claim of *more*: reversed":
            ("0 %", is_outcome("more", REVERSED, 2 * MARGIN, paired=False)),
        "a difference of twice the margin, claim of *same*: reversed":
            ("", is_outcome("same", REVERSED, 2 * MARGIN, paired=True)),
        "the 95 % interval holds the true difference, in pairs": ("95 %", lambda rng: covers(rng, paired=True)),
        "the same, not in pairs, one variant scatters three times as much":
            ("95 %", lambda rng: covers(rng, paired=False, ratio=3)),
        "the interval of one pair of runs holds the next pair": ("95 %", predicts),
        "the interval of the share that a cause explains holds the true share": ("95 %", explains),
        "identical variants, a fourth of whose runs lacks a digit, claim of *more*, all runs: found":
            ("5 %", lambda rng: finds_in_two_humps(rng, found_digits=False)),
        "the same, runs with all digits alone: found": ("5 %", lambda rng: finds_in_two_humps(rng, found_digits=True)),
        "identical variants, a fourth of whose runs lacks a digit, all runs: the 95 % interval holds zero":
            ("95 %", lambda rng: covers_two_humps(rng, found_digits=False)),
        "the same, runs with all digits alone: the 95 % interval holds zero":
            ("95 %", lambda rng: covers_two_humps(rng, found_digits=True)),
        "equal rates of 10 %, 16 runs each: found to differ": (MOST, lambda rng: tells_rates_apart(rng, 0.1, 0.1, 16)),
        "rates of 25 and 0 %, 32 runs each: found to differ":
            ("at least 80 %", lambda rng: tells_rates_apart(rng, 0.25, 0, 32)),
        "equal times to reach an accuracy, which a fourth of the runs do not: found to differ":
            ("5 %", lambda rng: tells_times_apart(rng, 1.0)),
        "times in the ratio 1 to 4: found to differ": ("", lambda rng: tells_times_apart(rng, 4.0)),
    }  # fmt: skip


def not_open(found: str) -> bool:
    """Return whether a direction was found."""
    return found in (CONFIRMED, REVERSED)


def simulate(studies: int) -> pd.DataFrame:
    """Return how often each check comes out, with the interval of that share.

    Args:
        studies: how many are simulated of each; a tenth of them where one takes long.
    """
    rows = []
    for name, (expected, check) in tqdm(checks().items(), disable=None):
        rng = np.random.default_rng(0)
        n = studies // 10 if check is finds_a_direction else studies
        found = sum(check(rng) for _ in range(n))
        low, high = stats.binomtest(found, n).proportion_ci(method="wilson")
        rows.append((name, expected, f"{100 * found / n:.1f} % [{100 * low:.1f}, {100 * high:.1f}]", n))
    return pd.DataFrame(rows, columns=["what", "expected", "came out [95 %]", "studies"])


def page(table: pd.DataFrame) -> str:
    """Return the page."""
    rows = ["| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False)]
    head = f"""# How often the rules err

`make bench-rules` simulates studies whose truth is known, and the report's own code judges them: {SEEDS} seeds a
variant, an accuracy with a standard deviation of {SD * 100:.2f} points over seeds, a margin of
{MARGIN * 100:.2f} points. *Found* is a direction that is confirmed or reversed; the other words are the
[terms](../REPORT.md#terms) of the report. In brackets stands the 95 % interval of a share. A row without an expected
share shows how often the rule decides at all.

| {" | ".join(table.columns)} |
| --- | --- | ---: | ---: |"""
    return "\n".join([head, *rows]) + "\n"


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=10_000, help="simulated studies of each kind (%(default)s)")
    table = simulate(parser.parse_args().studies)
    write_text(PAGE, page(table))
    print(table.to_string(index=False))


if __name__ == "__main__":
    with command_main():
        main()
