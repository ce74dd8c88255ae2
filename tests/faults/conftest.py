"""Hostile input: damaged, swapped or made to harm; nothing may be executed, written elsewhere or lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in an empty folder, beside one that nothing may touch."""
    beside = tmp_path / "beside"
    beside.mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    yield
    assert list(beside.iterdir()) == []
