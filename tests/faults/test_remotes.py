"""Sharing results where a remote is wrong, damaged or cut off: one or two lines, and the next try goes on."""

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import start
from tests.support.repository import Repository
from tests.support.sharing import BUCKET, MAKE, Bucket, Folder, Server, clone, fails, make, weights

VICTIM = "models/mlp-baseline"
NO_SERVER = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    served = Server()
    yield served
    served.server.stop()


@pytest.fixture(params=["folder", "s3"])
def remote(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Bucket | Folder:
    return Folder(tmp_path / "remote") if request.param == "folder" else Bucket(server, tmp_path.name)


@pytest.fixture
def stranger(study: Repository, tmp_path: Path) -> Path:
    return clone(study.folder, tmp_path / "clone")


def stored(study: Repository, path: str) -> str:
    """Return the name that a file of the study has in a remote, or the list of a folder's files."""
    [found] = re.findall(rf"path: {path}\n.*\n +md5: (\S+)", study.git("show", "HEAD:dvc.lock"))[:1]
    return f"files/md5/{found[:2]}/{found[2:]}"


@pytest.mark.parametrize("part", ["weights", "list of weights", pytest.param("images", marks=pytest.mark.slow)])
@pytest.mark.fault("files of a remote damaged or lost", times=2)
def test_damaged_files_are_named_and_never_put_in_place(study, stranger, remote, part):
    make(study.folder, "share", remote.url, **remote.environment)
    path = {"images": "data/images.safetensors"}.get(part, VICTIM)
    name = stored(study, path)
    if part == "weights":
        path = f"{VICTIM}/seed-0.safetensors"
        digest = study.run("md5sum", path).split()[0]
        name = f"files/md5/{digest[:2]}/{digest[2:]}"
    remote.damage(name)
    said = fails(stranger, "fetch", remote.url, **remote.environment)
    assert f"damaged there: {path} ({remote.url}/{name})" in said
    there = weights(study.folder).items() - weights(stranger).items()
    assert weights(stranger).items() <= weights(study.folder).items()
    assert {each.startswith(VICTIM) for each, _ in there} == (set() if part == "images" else {True})
    remote.remove(name)
    said = fails(stranger, "fetch", remote.url, **remote.environment)
    assert f"not there: {path}; " in said
    said = make(study.folder, "share", remote.url, **remote.environment)
    assert f"new there: {int(part != 'list of weights')} files, 0 runs" in said
    assert name in remote.names()
    make(stranger, "fetch", remote.url, **remote.environment)
    assert weights(stranger) == weights(study.folder)
    assert Repository.run_in(stranger, "dvc", "status").strip() == "Data and pipelines are up to date."


@pytest.mark.parametrize("target", ["share", pytest.param("fetch", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("url", "environment", "message"),
    [
        ("", {}, "no remote: REMOTE=s3://bucket/folder names one"),
        ("s3://nowhere/x", {}, "s3://nowhere/x: The specified bucket does not exist"),
        (f"s3://{BUCKET}/x", NO_SERVER, "Could not connect to the endpoint"),
        (f"s3://{BUCKET}/x", NO_KEYS, "Unable to locate credentials"),
        ("gs://bucket/x", {}, "gs://bucket/x: gs is supported, but requires 'dvc-gs' to be installed"),
        ("nonsense://x", {}, "Unsupported URL type nonsense://"),
    ],
    ids=["none", "no bucket", "no network", "no keys", "not installed", "unknown"],
)  # fmt: skip
@pytest.mark.fault("remotes that are wrong or cannot be reached")
def test_a_wrong_remote_is_one_error(study, server, target, url, environment, message):
    assert message in fails(study.folder, target, url, **server.environment | environment)


@pytest.mark.fault("remotes that may not be written to")
def test_a_remote_that_may_not_be_written_to(study, server, tmp_path):
    server.refuse("")
    try:
        said = fails(study.folder, "share", f"s3://{BUCKET}/{tmp_path.name}", **server.environment)
    finally:
        server.allow()
    assert said == f"error: s3://{BUCKET}/{tmp_path.name}: Forbidden\n"
    (tmp_path / "file").touch()
    assert "Not a directory" in fails(study.folder, "share", str(tmp_path / "file"))


@pytest.mark.fault("share of what is not there")
def test_a_bare_clone_shares_nothing_and_says_so(stranger, tmp_path):
    remote = Folder(tmp_path / "remote")
    said = fails(stranger, "share", remote.url)
    assert said.startswith(f"error: neither here nor in {remote.url}: ") and VICTIM in said
    assert "make fetch" in said
    assert remote.names() == []
    said = fails(stranger, "fetch", remote.url)
    assert "not there: data/images.safetensors, " in said and ", and 1 more; " in said


@pytest.mark.fault("share cut off")
def test_a_share_that_is_cut_off_goes_on(study, stranger, server, tmp_path):
    """The last file cannot be written: then no folder's list is there, and whoever fetches gets nothing in part."""
    remote, cache = Bucket(server, tmp_path.name), study.folder / ".dvc/cache/files/md5"
    last = max(path.relative_to(cache).as_posix() for path in cache.glob("*/*") if path.suffix != ".dir")
    server.refuse(f"{tmp_path.name}/files/md5/{last}")
    try:
        fails(study.folder, "share", remote.url, **remote.environment)
    finally:
        server.allow()
    sent = remote.names()
    assert sent and not [name for name in sent if name.endswith(".dir") or name.startswith("runs/")]
    fails(stranger, "fetch", remote.url, **remote.environment)
    assert weights(stranger) == {}
    make(study.folder, "share", remote.url, **remote.environment)
    make(stranger, "fetch", remote.url, **remote.environment)
    assert weights(stranger) == weights(study.folder)


@pytest.mark.parametrize("target", ["share", "fetch"])
@pytest.mark.parametrize("end", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
@pytest.mark.fault("share or fetch killed or interrupted")
def test_after_a_kill_the_next_goes_on(study, stranger, server, tmp_path, target, end):
    """The first file has come when the signal does."""
    remote = Bucket(server, tmp_path.name)
    if target == "fetch":
        make(study.folder, "share", remote.url, **remote.environment)
    folder = study.folder if target == "share" else stranger
    process = start(folder, *MAKE, target, f"REMOTE={remote.url}", **remote.environment)
    cache = stranger / ".dvc/cache/files"
    while not (remote.names() if target == "share" else list(cache.rglob("*"))):
        assert process.poll() is None
        time.sleep(0.005)
    os.killpg(process.pid, end)
    output = process.communicate()[0]
    assert process.returncode
    assert "Traceback" not in output
    for each, where in (("share", study.folder), ("fetch", stranger)):
        make(where, each, remote.url, **remote.environment)
    assert weights(stranger) == weights(study.folder)


@pytest.mark.fault("fetch over changed files")
def test_what_someone_changed_is_not_lost(study, stranger, tmp_path):
    remote = Folder(tmp_path / "remote")
    make(study.folder, "share", remote.url)
    make(stranger, "fetch", remote.url)
    path = stranger / VICTIM / "seed-0.safetensors"
    path.write_bytes(b"mine")
    said = fails(stranger, "fetch", remote.url)
    assert str(path) in said and "`dvc checkout --force`" in said
    assert path.read_bytes() == b"mine"
