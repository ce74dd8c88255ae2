"""Files are replaced whole or not at all, and nothing that the stages read is unpickled."""

import ast
from pathlib import Path

import pytest

from remnist.commands import demo
from remnist.files import replace_content, write_bytes, write_json


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_json(path, 1)

    def full(self: Path, content: bytes) -> None:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write_bytes(path, b"2")
    assert path.read_text() == "1\n"
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_what_json_cannot_hold_leaves_the_old_file(tmp_path):
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", float("nan"))
    assert (tmp_path / "a.json").read_text() == "1\n"


@pytest.mark.parametrize("exists", [True, False])
def test_a_folders_content_is_replaced(tmp_path, exists):
    old, new = tmp_path / "plots", tmp_path / "plots.tmp"
    new.mkdir()
    (new / "a").write_text("new")
    if exists:
        old.mkdir()
        for name in "ab":
            (old / name).write_text("old")
    replace_content(old, new)
    assert {file.name: file.read_text() for file in old.iterdir()} == {"a": "new"}
    assert not new.exists()


def test_nothing_unpickles():
    """safetensors, JSON, YAML's safe subset and CSV are all that is read."""
    forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    for folder in ("src", "stages", "benchmarks"):
        for file in (demo.ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                match node:
                    case ast.Import(names=names):
                        imported = {name.name.split(".")[0] for name in names}
                    case ast.ImportFrom(module="joblib", names=[ast.alias(name="cpu_count")]):
                        continue
                    case ast.ImportFrom(module=str(module)):
                        imported = {module.split(".")[0]}
                    case ast.Call(func=ast.Attribute(value=ast.Name(id="torch" | "np" | "pd" as library), attr=name)):
                        assert name not in ("load", "read_pickle"), f"{file}: {library}.{name}"
                        continue
                    case _:
                        continue
                assert not imported & forbidden, file
