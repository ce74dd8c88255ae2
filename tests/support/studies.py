"""Studies made up for tests: the measurements that given accuracies would leave behind."""

import numpy as np
import pandas as pd

from remnist.report.tables import Results

IMAGES = 1_000


def study(
    accuracies: dict[str, list[float]],
    *,
    losses: dict[str, list[float]] | None = None,
    never_right: dict[str, list[bool]] | None = None,
    validation: dict[str, list[list[float]]] | None = None,
    train: float = 1.0,
) -> Results:
    """Return the measurements of variants that had these accuracies on 1,000 test images, a hundred of each digit.

    Args:
        accuracies: by variant, of each seed from 0.
        losses: of each seed; 0.1 where nothing else is said.
        never_right: whether a seed gets no image of digit 3 right; its other digits have its accuracy.
        validation: the accuracy after each epoch, of each seed; one epoch of 0.9 where nothing else is said.
        train: accuracy on training images after the last epoch.
    """
    labels = np.arange(IMAGES).astype(np.uint8) % 10
    runs, digits, curves, answers = [], [], [], {}
    for variant, of_seeds in accuracies.items():
        right = np.array([np.arange(IMAGES) < round(accuracy * IMAGES) for accuracy in of_seeds])
        answers[variant] = np.where(right, labels, (labels + 1) % 10).astype(np.uint8)
        for seed, accuracy in enumerate(of_seeds):
            run = {"variant": variant, "seed": seed}
            loss = (losses or {}).get(variant, [0.1] * len(of_seeds))[seed]
            runs.append(run | {"parameters": 7, "accuracy": accuracy, "loss": loss, "roc_auc_macro": 0.99,
                               "roc_auc_micro": 0.99, "roc_auc_worst_digit": 0.98})  # fmt: skip
            lost = (never_right or {}).get(variant, [False] * len(of_seeds))[seed]
            digits += [run | {"digit": str(d), "accuracy": 0.0 if lost and d == 3 else accuracy} for d in range(10)]
            for epoch, held in enumerate((validation or {}).get(variant, [[0.9]] * len(of_seeds))[seed], 1):
                for part, value in (("train", train), ("validation", held)):
                    curves.append(run | {"epoch": epoch, "part": part, "loss": 0.1, "accuracy": value})
    return Results(
        plan={variant: {"data": {"name": "mnist", "validation": 5000}, "train": {"numerics": "portable"},
                        "seeds": list(range(len(seeds)))} for variant, seeds in accuracies.items()},
        test_images=IMAGES,
        labels=dict.fromkeys(accuracies, labels),
        answers=answers,
        ensembles=pd.DataFrame([{"variant": v, "members": 5, "average": np.mean(a) + 0.01, "vote": np.mean(a) + 0.005}
                                for v, a in accuracies.items()]),
        runs=pd.DataFrame(runs),
        per_digit=pd.DataFrame(digits),
        confusion=pd.DataFrame(columns=["variant", "actual", "predicted", "rate"]),
        roc=pd.DataFrame(columns=["variant", "curve", "false_positive_rate", "true_positive_rate"]),
        curves=pd.DataFrame(curves),
    )  # fmt: skip
