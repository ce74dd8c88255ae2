"""The output of runs, epoch by epoch: a progress bar or lines, and the files of their learning curves."""

import math
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dvclive.plots.metric import Metric
from dvclive.serialize import dump_json
from tqdm import tqdm

from remnist.learning.runs import Epoch, Run
from remnist.settings import Variant


class Progress:
    """Shows how far all runs are: one bar, or a line an epoch where no terminal watches; none before the first epoch.

    Args:
        variants: the settings of each variant.
        seconds: what an epoch of each takes, in any unit.
        runs: how many runs of each variant there are to do.
    """

    def __init__(self, variants: Mapping[str, Variant], seconds: Mapping[str, float], runs: Mapping[str, int]) -> None:
        self.variants, self.seconds = variants, seconds
        self.shown: dict[tuple[str, int], int] = {}  # the last epoch of each run
        self.bar = tqdm(
            total=sum(seconds[name] * variants[name].train.epochs * count for name, count in runs.items()),
            bar_format="{percentage:3.0f}%|{bar}| {elapsed}, {remaining} left{postfix}",
            disable=not sys.stderr.isatty(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()

    def show(self, name: str, epoch: Epoch) -> bool:
        """Show an epoch of a variant, if it is the next of its run; return whether it was."""
        run = (name, epoch.seed)
        if epoch.number != self.shown.get(run, -1) + 1:  # it is reported twice, or its report came late
            return False
        self.shown[run] = epoch.number
        if not epoch.number:
            return True
        where = f"{name} seed {epoch.seed} epoch {epoch.number}/{self.variants[name].train.epochs}"
        part = "validation" if "validation/accuracy" in epoch.metrics else "test"
        accuracy = f"{part} accuracy {epoch.metrics[f'{part}/accuracy']:.2%}"
        if self.bar.disable:
            print(f"{where}: train loss {epoch.metrics['train/loss']:.4f}, {accuracy}", flush=True)
        else:
            self.bar.set_postfix_str(f"{where}, {accuracy}", refresh=False)
            self.bar.update(self.seconds[name])
        return True


def log(epoch: Epoch, folder: Path) -> None:
    """Add an epoch to the files of a seed's learning curves.

    They are those of DVCLive's Live. Its own writers write them; a Live would open DVC's repository for each seed.

    Args:
        epoch: the next of its run.
        folder: the seed's.
    """
    summary: dict[str, Any] = {}
    for name, value in epoch.metrics.items():
        metric = Metric(name, str(folder / "plots"))
        metric.step = epoch.number
        logged = value if math.isfinite(value) else str(value)
        metric.dump(logged)
        part, measure = metric.summary_keys
        summary.setdefault(part, {})[measure] = logged
    dump_json(summary | {"step": epoch.number}, str(folder / "metrics.json"))  # type: ignore[no-untyped-call]


def files(run: Run) -> dict[str, str]:
    """Return the files of a run's learning curves: the text of each by its path in the seed's folder."""
    with tempfile.TemporaryDirectory() as folder:
        for epoch in run.epochs():
            log(epoch, Path(folder))
        paths = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}
