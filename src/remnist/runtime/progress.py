"""A training stage's output after each epoch: a progress bar or lines, and DVCLive's files."""

import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dvclive.live import Live
from tqdm import tqdm

from remnist.learning.runs import Epoch


class EpochLog:
    """Logs each epoch of each seed with DVCLive, to `<folder>/seed-<seed>`, and shows how far the runs are.

    Args:
        variant: the name to show.
        seeds: the variant's seeds.
        epochs: epochs of each seed.
        folder: where DVCLive's files go.
    """

    def __init__(self, variant: str, seeds: list[int], epochs: int, folder: Path) -> None:
        self.variant, self.epochs = variant, epochs
        # Left to itself DVCLive rewrites dvc.yaml and saves an experiment from inside the stage.
        self.live: dict[int, Any] = {
            seed: Live(str(folder / f"seed-{seed}"), dvcyaml=False, save_dvc_exp=False) for seed in seeds
        }
        for live in self.live.values():
            live.step = 1
        self.bar = tqdm(total=len(seeds) * epochs, desc=variant, unit="epoch", disable=not sys.stderr.isatty())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()
        if error is None:  # after Ctrl-C DVCLive could wait without end for what it had not sent
            for live in self.live.values():
                live.end()

    def __call__(self, epoch: Epoch) -> None:
        """Log an epoch if it is the next one of its seed; one that is reported twice counts once."""
        live, metrics = self.live[epoch.seed], epoch.metrics
        if epoch.number != live.step:
            return
        for name, value in metrics.items():
            live.log_metric(name, value)
        accuracy = f"validation accuracy {metrics['validation/accuracy']:.2%}"
        if self.bar.disable:
            loss = f"train loss {metrics['train/loss']:.4f}"
            print(f"{self.variant} seed {epoch.seed} epoch {live.step}/{self.epochs}: {loss}, {accuracy}", flush=True)
        else:
            self.bar.set_postfix_str(accuracy, refresh=False)
            self.bar.update()
        live.next_step()
