"""The evaluation of a variant: its seeds' stored weights on the test set."""

from pathlib import Path
from typing import Any

from remnist.evaluation.metrics import evaluate_all
from remnist.evaluation.predictions import predict_test_set
from remnist.settings import Variant


def evaluate(variant: Variant, weights: list[Path], data_path: Path) -> dict[str, Any]:
    """Evaluate each seed by itself, and all together.

    Args:
        variant: its settings.
        weights: the safetensors file of each seed, in their order.
        data_path: the file that preprocess wrote.

    Returns:
        The content of evaluations/<variant>.json.

    Raises:
        UserError: as in `predict_test_set`.
    """
    return evaluate_all(variant.seeds, [predict_test_set(variant, path, data_path) for path in weights])
