"""Hostile input: damaged, swapped or made to harm; nothing may be executed, written elsewhere or lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in an empty folder, next to one that nothing may touch."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    yield
    assert list(outside.iterdir()) == []
