"""A remote of DVC's, a folder or a bucket say, and copies between it and DVC's cache.

`dvc push` and `dvc pull` do such copies too. But they take a remote by its name alone, and end well though outputs are
neither here nor there. They hand damaged files on unless the remote's `verify` is set, and take it that all files of a
folder are where its list is. They send no file of the runs in the run cache, and complain of each run by itself where
nothing can be reached.
"""

import argparse
from collections.abc import Collection, Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from remnist.commands.lock import LOCK
from remnist.errors import UserError, listed, reason
from remnist.runtime.repository import repository

if TYPE_CHECKING:
    from dvc.data_cloud import Remote
    from dvc.repo import Repo
    from dvc_data.hashfile.db import HashFileDB

THIS_ONCE = "remote-of-this-call"  # its name in DVC's configuration, which is not written
RUNS = "runs"  # the run cache's folder
LIST = ".dir"  # how the hash of a folder ends, which is that of the list of its files


class Opened(NamedTuple):
    """DVC's repository and its remote."""

    repo: "Repo"
    remote: "Remote"
    here: "HashFileDB"
    there: "HashFileDB"
    place: str  # the remote's address, without a password


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line may say."""
    parser.add_argument(
        "remote", nargs="?", help="a folder, a URL that DVC takes, or the name of a remote; by default DVC's default"
    )


@contextmanager
def opened(remote: str | None) -> Iterator[Opened]:
    """Open DVC's repository and its remote.

    Args:
        remote: a folder, a URL that DVC takes, or the name of a remote in DVC's configuration; None is its default.

    Raises:
        UserError: there is no remote, it cannot be reached or refuses, or DVC refuses.
    """
    from dvc.exceptions import DvcException

    with repository() as repo:
        remotes, core = repo.config["remote"], repo.config["core"]
        if remote in remotes:
            core["remote"] = remote
        elif remote:
            url = remote if "://" in remote else str(Path(remote).expanduser().absolute())
            remotes[THIS_ONCE] = {"url": url}
            core["remote"] = THIS_ONCE
        if not core.get("remote"):
            raise UserError(
                "no remote: REMOTE=s3://bucket/folder names one for this once, or a folder, or what else DVC takes\n"
                "One for all: `.venv/bin/dvc remote add --default team s3://bucket/folder`, and commit .dvc/config"
            )
        place = remotes.get(core["remote"], {}).get("url", core["remote"])
        try:
            found = repo.cloud.get_remote()
            place = found.fs.unstrip_protocol(found.path)
            there = repo.cloud.get_remote_odb(command="share")  # checks that it is none of versions
            yield Opened(repo, found, repo.cache.local, there, place)
        except (DvcException, UserError):
            raise
        except Exception as error:  # each kind of storage has its own
            raise UserError(f"{place}: {reason(error)}") from error


def outputs(repo: "Repo", here: "HashFileDB", there: "HashFileDB") -> dict[str, str]:
    """Return the names of all files that dvc.lock names, by their hashes.

    It has one hash a folder, that of the list of its files. Lists that only the remote has are brought first; the files
    of a list that neither has stay unknown.

    Raises:
        UserError: dvc.lock lacks an output.
    """
    kept = [out for out in repo.index.outs if out.use_cache]
    if unknown := [str(out) for out in kept if not out.hash_info]:
        raise UserError(f"{LOCK}: it has no {listed(unknown)}; `make repro` comes first")
    names = {out.hash_info.value: str(out) for out in kept}
    folders = {each for each in names if each.endswith(LIST)}
    absent = folders - present(here, folders)
    copy(there, here, present(there, absent), what="Fetching lists of files", verify=True)
    for each in present(here, folders):
        names |= {file: f"{names[each]}/{name}" for file, name in files(here, each).items()}
    return names


def files(here: "HashFileDB", folder: str) -> dict[str, str]:
    """Return the names of a folder's files by their hashes; its list is in the cache."""
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.tree import Tree

    return {file.value: "/".join(key) for key, _, file in Tree.load(here, HashInfo("md5", folder))}


def count(hashes: Collection[str]) -> str:
    """Return how many files these are, the lists of folders' files left out."""
    return f"{sum(not each.endswith(LIST) for each in hashes)} files"


def present(cache: Any, hashes: Collection[str]) -> set[str]:
    """Return which of these files a cache has, or a remote; DVC removes one that it finds damaged."""
    return set(cache.oids_exist(list(hashes)))


def copy(source: "HashFileDB", target: "HashFileDB", hashes: Collection[str], *, what: str, verify: bool) -> None:
    """Copy files, several at once, and show how far it is.

    Args:
        source: where they are.
        target: where to; each appears there whole or not at all.
        hashes: theirs.
        what: they are, for the progress.
        verify: whether one that is not as its hash says is dropped.
    """
    from dvc.fs.callbacks import TqdmCallback

    if ordered := sorted(hashes):
        with TqdmCallback(desc=what, unit="file") as callback:
            paths = [source.oid_to_path(each) for each in ordered]
            target.add(paths, source.fs, ordered, callback=callback, check_exists=False, verify=verify)


def copy_runs(source: "HashFileDB", target: "HashFileDB", chosen: Set[str]) -> int:
    """Copy the chosen runs that the other run cache lacks, and return how many that is."""
    from dvc.fs import generic
    from dvc.fs.callbacks import TqdmCallback

    new = sorted(chosen - runs(target)) if target.fs.CAN_TRAVERSE else []
    if new:
        paths = [[each.fs.join(each.path, RUNS, run) for run in new] for each in (source, target)]
        with TqdmCallback(desc="Run cache", unit="file", size=len(new)) as callback:
            generic.copy(source.fs, paths[0], target.fs, paths[1], callback=callback)
    return len(new)


def runs(cache: "HashFileDB") -> set[str]:
    """Return the runs in a run cache, by the paths of their files; none where no files can be listed, as over HTTP.

    DVC keeps a file for each run of a stage, with the hashes of its inputs and of its outputs.
    """
    folder = cache.fs.join(cache.path, RUNS)
    found = cache.fs.find(folder) if cache.fs.CAN_TRAVERSE else []
    return {cache.fs.relpath(path, folder) for path in found if not path.endswith(".tmp")}


def whole_runs(repo: "Repo", here: "HashFileDB") -> dict[str, set[str]]:
    """Return the hashes of all files that a run has left, of each run in the run cache whose files are all here."""
    found = {}
    for path in runs(repo.cache.legacy):
        _, inputs, run = path.split("/")
        if entry := repo.stage_cache._load_cache(inputs, run):  # None if it is damaged
            hashes = {out["md5"] for out in entry["outs"]}
            for each in present(here, [each for each in hashes if each.endswith(LIST)]):
                hashes |= files(here, each).keys()
            found[path] = hashes
    kept = present(here, set().union(*found.values()))
    return {path: hashes for path, hashes in found.items() if hashes <= kept}
