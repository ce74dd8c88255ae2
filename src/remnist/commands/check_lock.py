"""Tell whether `dvc repro` would run any stage: is dvc.lock of the code, settings and results that stand here?

A bare clone is enough, with nothing pulled: data and weights that are missing are taken to be as dvc.lock has them.
Each stage is judged by itself, so that no stale one hides another; `dvc repro --dry --allow-missing` fails at the first
whose data are missing. Nothing is run or written. `make check-lock` runs it.
"""

import argparse
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from remnist.commands.repro import LOCK, is_lock_file
from remnist.errors import UserError, printable
from remnist.runtime.stage import stage_main

SHOWN = 10  # names in a message


def main() -> None:
    """Print one line if all is fresh, else fail and name what is not."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        if not LOCK.is_file() or not is_lock_file(LOCK):
            raise UserError(f"{LOCK}: missing or damaged; `git checkout {LOCK}`, or `dvc repro` and commit it")
        with Repo() as repo:
            stages = list(repo.index.stages)
            cached = [out for out in repo.index.outs if out.use_cache]
            changed = [str(out) for out in cached if out.exists and out.workspace_status()]
            stale = [stage.addressing for stage in stages if is_stale(stage, cached)]
    except DvcException as error:
        raise UserError(printable(" ".join(str(error).split()))) from None
    except ValueError as error:  # of a date that is none DVC knows nothing
        raise UserError(f"dvc.yaml or params.yaml: {error}") from None
    if not stages:
        raise UserError("dvc.yaml: missing or without stages; run this from the project's root")
    if not stale:
        print(f"{LOCK} is fresh: {len(stages)} stages")
        return
    message = f"{LOCK} is stale: {len(stale)} of {len(stages)} stages: {listed(stale)}"
    if changed:  # perhaps no more than data of another commit: to run their stages again could take hours
        raise UserError(f"{message}\n{listed(changed)}: not as {LOCK} has them; `dvc checkout` brings those back")
    raise UserError(f"{message}; run `dvc repro` and commit dvc.lock, plan.json, metrics, plots and REPORT.md")


def is_stale(stage: Any, cached: Sequence[Any]) -> bool:
    """Whether a stage's command, settings, dependencies or outputs are not as dvc.lock has them."""
    return stage.changed_stage() or any(differs(entry, cached) for entry in chain(stage.deps, stage.outs))


def differs(entry: Any, cached: Sequence[Any]) -> bool:
    """Whether a dependency or output is not as dvc.lock has it.

    Of what DVC's cache keeps dvc.lock says twice what it is, where it is made and where it is used, and of a folder of
    such files too; that can be compared with nothing there. What Git keeps has to be there.
    """
    recorded = entry.hash_info
    if not recorded:
        return True
    makers = [out for out in cached if Path(out.fs_path).is_relative_to(entry.fs_path)]
    if makers and made(entry, makers) not in (recorded, None):
        return True
    return all(out.exists for out in makers) and bool(entry.workspace_status())


def made(entry: Any, makers: Iterable[Any]) -> Any:
    """Return the hash that something has by the hashes of what stages make in it, as far as these tell."""
    from dvc_data.hashfile.tree import Tree

    files = []
    for out in makers:
        if not out.hash_info:
            return None
        if out.fs_path == entry.fs_path:
            return out.hash_info
        if out.hash_info.isdir:  # dvc.lock does not have the files of a folder in a folder
            return None
        path = Path(out.fs_path).relative_to(entry.fs_path).as_posix()
        files.append({Tree.PARAM_RELPATH: path, **out.hash_info.to_dict()})
    tree = Tree.from_list(files)
    tree.digest()
    return tree.hash_info


def listed(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


if __name__ == "__main__":
    with stage_main():
        main()
