"""Numerics are pinned before any test imports torch, as in a stage."""

import gc
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remnist.learning import numerics
from remnist.runtime.isolation import isolate

isolate()
numerics.settle()
os.environ.update(
    {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
     (("NAME", "Tests"), ("EMAIL", "tests@example.org"))}
)  # fmt: skip

from remnist.settings import Variant  # noqa: E402 (after the pins)
from tests.support import variants  # noqa: E402
from tests.support.repository import Repository  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
COUNTS = ROOT / "tests/README.md"
TABLE = "| what was tried | times |"
FAULTS: Counter[str] = Counter()


@pytest.fixture
def params() -> dict[str, Any]:
    """The study's parameters, fresh for each test."""
    content: dict[str, Any] = variants.study()
    return content


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """scikit-learn's digits as preprocess writes them."""
    from safetensors.numpy import save_file

    from remnist.data import preparation, sources

    folder = tmp_path_factory.mktemp("digits")
    sources.fetch("digits", folder / "raw", None)
    path = folder / "images.safetensors"
    save_file(preparation.split(sources.read("digits", folder / "raw"), 143), path)
    return path


@pytest.fixture
def variant() -> Variant:
    """The baseline on digits, one epoch."""
    return variants.digits()


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The project on digits, run and committed: made once, since it takes half a minute."""
    return Repository(tmp_path_factory.mktemp("study") / "project")


@pytest.fixture
def study(whole: Repository) -> Iterator[Repository]:
    """The same, as committed, for each test."""
    yield whole
    whole.reset()


@pytest.fixture
def quick_collections() -> Iterator[None]:
    """statsmodels collects garbage at each correction, 40 ms with what the tests have loaded."""
    gc.freeze()
    yield
    gc.unfreeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-faults", action="store_true", help=f"write to {COUNTS.name} how many faults were tried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the report of each test, which may run in another process, say what fault it tries and how often."""
    for item in items:
        for mark in item.iter_markers("fault"):
            item.user_properties.append(("fault", (mark.args[0], mark.kwargs.get("times", 1))))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count a fault that was tried and cost nothing."""
    if report.when == "call" and report.passed:
        for kind, times in (value for name, value in report.user_properties if name == "fault"):
            FAULTS[kind] += times


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if session.config.getoption("--record-faults") and exitstatus == 0 and not hasattr(session.config, "workerinput"):
        before = COUNTS.read_text(encoding="utf-8").split(TABLE)[0]
        rows = [f"| {kind} | {times:,} |" for kind, times in sorted(FAULTS.items())]
        rows.append(f"| **all** | **{FAULTS.total():,}** |")
        COUNTS.write_text("\n".join([before + TABLE, "| --- | ---: |", *rows, ""]), encoding="utf-8")
