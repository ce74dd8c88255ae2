"""`make share` and `make fetch` between clones, by way of a folder and of a server of S3."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.repository import VARIANTS, Repository, ran
from tests.support.sharing import Bucket, Folder, Server, clone, make, weights

FRESH = "Data and pipelines are up to date."
REMNIST = [sys.executable, "-m", "remnist.cli"]


class Fetched(NamedTuple):
    """A stranger's clone after a fetch, with what both sides said."""

    folder: Path
    remote: Bucket | Folder
    shared: str
    fetched: str


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    served = Server()
    yield served
    served.server.stop()


@pytest.fixture(scope="module", params=["folder", "s3"])
def stranger(
    request: pytest.FixtureRequest, whole: Repository, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Fetched:
    folder = tmp_path_factory.mktemp("sharing")
    remote = Folder(folder / "remote") if request.param == "folder" else Bucket(server, "results")
    shared = make(whole.folder, "share", remote.url, **remote.environment)
    project = clone(whole.folder, folder / "clone")
    assert not (project / "models").exists()
    return Fetched(project, remote, shared, make(project, "fetch", remote.url, **remote.environment))


def test_a_stranger_gets_weights_and_results_and_nothing_is_left_to_run(stranger, whole):
    assert len(weights(stranger.folder)) == 2 * len(VARIANTS)
    assert weights(stranger.folder) == weights(whole.folder)
    assert Repository.run_in(stranger.folder, "dvc", "status").strip() == FRESH
    assert ran(Repository.run_in(stranger.folder, *REMNIST, "repro")) == set()
    assert Repository.run_in(stranger.folder, *REMNIST, "check-lock").startswith("dvc.lock is fresh")
    assert Repository.run_in(stranger.folder, "git", "status", "--porcelain") == ""


@pytest.mark.parametrize("stranger", ["s3"], indirect=True)
def test_check_results_confirms_what_was_fetched(stranger):
    said = Repository.run_in(stranger.folder, *REMNIST, "check-results", VARIANTS[0])
    assert said.count("the same bits\n") == 5


def test_both_say_what_is_new_and_a_second_time_nothing_is(stranger, whole):
    url, environment = stranger.remote.url, stranger.remote.environment
    assert stranger.shared.startswith(f"{url}: all ") and " files of dvc.lock are there; " in stranger.shared
    assert stranger.fetched.startswith(f"{url}: all ") and " files of dvc.lock are here; " in stranger.fetched
    assert "; new" in stranger.shared and ": 0 files" not in stranger.shared + stranger.fetched
    for folder, target in ((whole.folder, "share"), (stranger.folder, "fetch")):
        assert make(folder, target, url, **environment).endswith(": 0 files, 0 runs\n")


@pytest.fixture
def team(stranger: Fetched, server: Server, tmp_path: Path) -> Path:
    """A member's clone with a remote for all in .dvc/config, which has the server's address and no key."""
    member = clone(stranger.folder, tmp_path / "member")
    make(member, "fetch", stranger.remote.url, **stranger.remote.environment)
    for command in (
        ["dvc", "remote", "add", "--default", "team", f"s3://team/{tmp_path.name}"],
        ["dvc", "remote", "modify", "team", "endpointurl", server.address],
        ["git", "commit", "--quiet", "--all", "--message", "Share by a bucket"],
    ):
        Repository.run_in(member, *command)
    return member


@pytest.mark.parametrize("stranger", ["s3"], indirect=True)
def test_an_experiment_is_shared_by_the_committed_remote(team, server, tmp_path):
    """A member tries something, goes back and shares; a colleague tries the same and trains nothing."""
    experiment = ["dvc", "exp", "run", "--set-param", "variants.batch-100.train.lr=0.01"]
    tried = {"plan", "train@batch-100", "evaluate@batch-100", "report"}
    assert ran(Repository.run_in(team, *experiment)) == tried
    for command in (["git", "checkout", "--quiet", "."], ["dvc", "checkout", "--quiet"]):
        Repository.run_in(team, *command)
    make(team, "share", **server.keys)
    colleague = clone(team, tmp_path / "colleague")
    make(colleague, "fetch", **server.keys)
    said = Repository.run_in(colleague, *experiment, "--pull", **server.keys)
    assert {name for name in tried if f"Running stage '{name}'" in said} == {"plan", "report"}
    Repository.run_in(colleague, "git", "checkout", "--quiet", ".")
    assert make(colleague, "fetch", "team", **server.keys).endswith(": 0 files, 0 runs\n")  # a remote by its name
