"""Send weights and results to a remote: what dvc.lock names, and the runs in DVC's run cache, experiments among them.

A folder's files go before the list of them, and a run's before its entry, so that whoever fetches meanwhile finds them
whole or not at all, and a share that was interrupted goes on where it was. `make share` runs it.
"""

import argparse

from remnist.commands import remote
from remnist.commands.remote import add_arguments as add_arguments
from remnist.errors import UserError, listed


def run(arguments: argparse.Namespace) -> None:
    """Copy what the remote lacks, and say what is there now.

    Raises:
        UserError: outputs are neither here nor there; nothing is copied then.
    """
    with remote.opened(arguments.remote) as (repo, storage, here, there, place):
        names = remote.outputs(repo, here, there)
        runs = remote.whole_runs(repo, here)
        shared = names.keys() | set().union(*runs.values())
        new = shared - remote.present(there, shared)
        if absent := (new & names.keys()) - remote.present(here, new):
            missing = listed(sorted(names[each] for each in absent))
            raise UserError(f"neither here nor in {place}: {missing}\n`make fetch` or `make repro` comes first")
        lists = {each for each in new if each.endswith(remote.LIST)}
        for hashes in (new - lists, lists):
            remote.copy(here, there, hashes, what=f"Sharing with {place}", verify=False)
        new_runs = remote.copy_runs(repo.cache.legacy, storage.legacy_odb, runs.keys())
    new_files = remote.count(new)
    print(f"{place}: all {remote.count(names)} of dvc.lock are there; new there: {new_files}, {new_runs} runs")
