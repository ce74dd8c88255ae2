"""The kernels' library: compiled once, and what a user reads where it cannot be."""

import os
import shutil
import subprocess
import sys

import pytest

from remnist.errors import UserError
from remnist.kernels import library
from tests.support.variants import ROOT


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    """Nothing is compiled yet."""
    monkeypatch.setattr(library, "folder", lambda: tmp_path)
    library.load.cache_clear()
    yield
    library.load.cache_clear()


def test_it_is_compiled_once_and_leaves_one_file(tmp_path, monkeypatch):
    assert library.load().conv_forward
    [path] = tmp_path.iterdir()
    library.load.cache_clear()
    monkeypatch.setattr(library, "build", lambda path, options: pytest.fail("compiled again"))
    library.load()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.fault("no compiler for the kernels")
def test_without_a_compiler_native_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ziglang", None)
    with pytest.raises(UserError, match=r"^train\.numerics: portable: .* need the compiler ziglang.*; native "):
        library.load()
    assert not list(tmp_path.iterdir())


@pytest.mark.fault("no compiler for the kernels")
def test_what_the_compiler_says_is_passed_on_in_a_line(tmp_path, monkeypatch):
    source = tmp_path / "broken.c"
    source.write_text("int broken(\n")
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    with pytest.raises(UserError, match=r"cannot be compiled: .*error.*; native ") as error:
        library.load()
    assert len(str(error.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.fault("no compiler for the kernels")
def test_a_library_that_is_none_is_named(tmp_path):
    path = tmp_path / "damaged.so"
    path.write_bytes(b"\x7fELF")
    with pytest.raises(UserError, match=r"cannot be loaded: .*damaged\.so.*; native "):
        library.declared(path)


@pytest.mark.fault("no compiler for the kernels")
def test_set_up_goes_on_without_a_compiler(tmp_path):
    """As on a processor of another kind; a library that was compiled before is not found in this copy."""
    source = tmp_path / "src/remnist/kernels/convolutions.c"
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    source.write_text(source.read_text() + "int broken(\n")
    command = [sys.executable, "-m", "remnist.kernels.library"]
    variables = os.environ | {"PYTHONPATH": str(tmp_path / "src")}
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert (done.returncode, len(done.stderr.splitlines())) == (0, 1)
    assert done.stderr.startswith("warning: train.numerics: portable: ")
