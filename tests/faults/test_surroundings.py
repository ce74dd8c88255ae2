"""What surrounds a run: a user's environment and settings, Git, folders, limits. None changes a result."""

import os
import subprocess
import sys

import pytest

from remnist.commands import demo
from tests.support.harm import in_own_mounts
from tests.support.repository import Repository

# Each breaks a library, or changes what it computes, draws or writes, where it is heeded.
ENVIRONMENT = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "DVCLIVE_LOGLEVEL": "NONSENSE",
    "NPY_DISABLE_CPU_FEATURES": "AVX2",
    "OMP_NUM_THREADS": "7",
    "PYTHONHASHSEED": "7",
    "PYTHONIOENCODING": "ascii",
    "PYTHONOPTIMIZE": "2",
    "PYTHONSAFEPATH": "1",
    "PYTHONWARNINGS": "error",
    "REMNIST_WORKERS": "",
    "DASK_SCHEDULER_ADDRESS": "",
    "SCIPY_ARRAY_API": "1",
    "SKLEARN_WORKING_MEMORY": "none",
    "TORCH_LOGS": "+all",
    "LC_ALL": "C",
    "TZ": "Asia/Tokyo",
}
FILES = {
    ".config/matplotlib/matplotlibrc": "text.usetex: True\nlines.linewidth: 9\nsavefig.facecolor: red\n",
    ".config/dask/settings.yaml": "{ no YAML",
}
# A folder that is read-only where processes keep their semaphores, in these mounts alone.
NO_WORKERS = """
set -e
mount -t tmpfs -o ro none /dev/shm
cd "$1"
! python stages/train.py mlp-baseline 2>&1
"""
FEW_FILES = ["python", "-c", "import resource, os, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)); "
            "os.execvp(sys.argv[1], sys.argv[1:])"]  # fmt: skip


@pytest.mark.fault("environment and settings of the user", times=len(ENVIRONMENT) + len(FILES))
def test_what_a_user_has_set_changes_no_result(study, tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(content)
    committed, stages = study.hashes(), ["train@mlp-baseline", "evaluate@mlp-baseline", "report"]
    study.forget_runs()
    study.dvc("repro", "--force", "--single-item", *stages, HOME=str(tmp_path), **ENVIRONMENT)
    assert study.hashes() == committed


@pytest.mark.fault("no Git")
def test_an_archive_needs_no_git(tmp_path):
    """As downloaded: a copy of the project, on a system without Git."""
    unpacked, tools = tmp_path / "unpacked", tmp_path / "tools"
    demo.copy(unpacked, {})
    tools.mkdir()
    variables = {"PATH": str(tools), "PYTHONPATH": "src", "HOME": str(tmp_path)}

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "remnist.cli", *words]
        return subprocess.run(command, cwd=unpacked, env=variables, capture_output=True, text=True)

    assert run("demo", "small").returncode == 0
    assert (unpacked / "small/params.yaml").is_file()
    for command in ("repro", "review", "experiments"):
        done = run(command)
        assert done.returncode == 1
        assert "not a git repository" in done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr


def test_a_copy_has_what_git_would_commit():
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=demo.ROOT, text=True
    )
    there = [name for name in listed.split("\0") if (demo.ROOT / name).is_file()]
    assert sorted(demo.project_files()) == sorted(there)


@pytest.mark.fault("line ends changed by Git")
def test_a_checkout_has_the_same_line_ends_everywhere(study, tmp_path):
    clone = tmp_path / "clone"
    study.run("git", "clone", "-q", "-c", "core.autocrlf=true", "-c", "core.eol=crlf", ".", str(clone))
    for name in study.git("ls-files").splitlines():
        assert (clone / name).read_bytes() == (study.folder / name).read_bytes(), name


@pytest.mark.fault("folder whose name is too long for a socket")
def test_a_temporary_folder_of_a_long_path(study, tmp_path):
    folder = tmp_path / ("x" * 110)
    folder.mkdir()
    said = ends(study, "python", "stages/train.py", "mlp-baseline", TMPDIR=str(folder))
    assert said.startswith("error: worker processes cannot be started: AF_UNIX path too long")
    assert "TMPDIR" in said
    assert len(said.splitlines()) == 1
    assert list(folder.iterdir()) == []


@pytest.mark.fault("no shared memory")
def test_no_place_for_semaphores(study, tmp_path):
    said = in_own_mounts(NO_WORKERS, study, tmp_path)
    assert "error: worker processes cannot be started: Read-only file system" in said
    assert "/dev/shm" in said  # noqa: S108
    assert "Traceback" not in said


@pytest.mark.fault("few open files")
def test_few_open_files(study):
    said = ends(study, *FEW_FILES, "python", "stages/train.py", "mlp-baseline")
    assert said == "error: open files: 20 allowed: worker processes need 32; `ulimit -n 1024` allows more\n"


@pytest.mark.fault("terminal without the character")
def test_a_character_that_the_terminal_lacks():
    code = "from remnist.runtime.isolation import isolate; isolate(); print('▲')"
    variables = os.environ | {"PYTHONIOENCODING": "ascii"}
    assert subprocess.check_output([sys.executable, "-c", code], env=variables, text=True) == "\\u25b2\n"


@pytest.mark.fault("environment that is not activated")
def test_dvc_finds_its_own_python(tmp_path):
    """`make` writes a line that Python runs when it starts."""
    show = ["make", "--eval", "show: ; @echo '$(FIRST_ON_PATH)'", "show"]
    line = subprocess.check_output(show, cwd=demo.ROOT, text=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path)], check=True)
    python = tmp_path / "bin/python"
    [libraries] = tmp_path.glob("lib/python*/site-packages")
    (libraries / "remnist.pth").write_text(line)
    which = [str(python), "-c", "import shutil; print(shutil.which('python'))"]
    for path in ({}, {"PATH": os.environ["PATH"]}):
        assert subprocess.check_output(which, env=path, text=True) == f"{python}\n"


def ends(study: Repository, *command: str, **environment: str) -> str:
    """Return what a command that fails says, its standard error."""
    done = subprocess.run(
        command, cwd=study.folder, env=study.environment() | environment, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stdout
    return done.stderr
