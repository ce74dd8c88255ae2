"""Bring what dvc.lock names from a remote, and DVC's run cache, instead of training.

Each file is held against its hash. All that came stays, so that a fetch that was interrupted goes on where it was.
`make fetch` runs it.
"""

import argparse

from remnist.commands import remote
from remnist.commands.remote import add_arguments as add_arguments
from remnist.errors import UserError, listed
from remnist.runtime.repository import checkout


def run(arguments: argparse.Namespace) -> None:
    """Copy what is lacking here, put all of it in its place, and say so.

    Raises:
        UserError: the remote lacks some of it, or has it damaged; the rest is in its place.
    """
    with remote.opened(arguments.remote) as (repo, storage, here, there, place):
        runs = storage.legacy_odb
        new_runs = remote.copy_runs(runs, repo.cache.legacy, remote.runs(runs))
        names = remote.outputs(repo, here, there)
        wanted = names.keys() - remote.present(here, names)
        offered = remote.present(there, wanted)
        remote.copy(there, here, offered, what=f"Fetching from {place}", verify=True)
        damaged = offered - remote.present(here, offered)
        checkout(repo)
    problems = []
    if missing := sorted(names[each] for each in wanted - offered):
        remedy = "`make share` where they are, or `make repro` here"
        problems.append(f"{place}: not there: {listed(missing)}; {remedy}")
    if damaged:
        found = sorted(f"{names[each]} ({there.fs.unstrip_protocol(there.oid_to_path(each))})" for each in damaged)
        remedy = "remove them, and `make share` where they are whole"
        problems.append(f"{place}: damaged there: {listed(found)}; {remedy}")
    if problems:
        raise UserError("\n".join(problems))
    new_files = remote.count(wanted)
    print(f"{place}: all {remote.count(names)} of dvc.lock are here; new here: {new_files}, {new_runs} runs")
