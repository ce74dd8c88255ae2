"""dvc.lock and DVC's record of who is at work, after a kill."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from remnist.commands import lock
from tests.support.variants import ROOT


def test_a_lock_file_that_is_cut_in_a_line_is_not_whole(tmp_path):
    path = tmp_path / "dvc.lock"
    shutil.copy(ROOT / "dvc.lock", path)
    assert lock.is_whole_lock(path)
    text = path.read_text()
    for end in range(len(text) - 200, len(text)):
        path.write_text(text[:end])
        assert text[end - 1] == "\n" or not lock.is_whole_lock(path)


@pytest.fixture
def dead():
    """A process that has ended, and of whose end nobody has taken note."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    yield process.pid
    process.wait()


def test_dvcs_record_goes_with_the_last_process_that_it_names(tmp_path, monkeypatch, dead):
    monkeypatch.chdir(tmp_path)
    lock.RWLOCK.parent.mkdir(parents=True)

    def is_kept(*processes: int) -> bool:
        read = {"/a": [{"pid": each, "cmd": "dvc"} for each in processes[:1]]}
        write = {f"/{each}": {"pid": each, "cmd": "dvc"} for each in processes[1:]}
        lock.RWLOCK.write_text(json.dumps({"read": read, "write": write}))
        lock.mend()
        return lock.RWLOCK.exists()

    assert not is_kept(dead)
    assert not is_kept(dead, dead)
    assert is_kept(os.getpid())
    assert is_kept(dead, os.getpid())
    assert is_kept()  # nobody is at work
