"""Tell whether `dvc repro` would run any stage: is dvc.lock of the code, settings and results that stand here?

A bare clone is enough, with nothing pulled: data and weights that are missing are taken to be as dvc.lock has them.
Each stage is judged by itself, so that no stale one hides another; `dvc repro --dry --allow-missing` fails at the first
whose data are missing. The digests in digests.json are computed again, so that a stale plan hides no stage and
`dvc commit` no edit. Nothing is run or written. `make check-lock` runs it.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from remnist.commands.lock import LOCK, is_whole_lock
from remnist.errors import UserError, listed
from remnist.files import read_json, read_yaml
from remnist.plan import claims, comparisons, digests
from remnist.plan.resolve import resolve
from remnist.runtime.repository import repository
from remnist.runtime.stage import DIGESTS, PARAMS, PLAN

TRACKED = f"{LOCK}, plan.json, {DIGESTS}, metrics, plots and REPORT.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line may say: nothing."""


def run(arguments: argparse.Namespace) -> None:
    """Print one line if all is fresh, else fail and name what is not.

    Raises:
        UserError: dvc.lock is stale or damaged, or the project's other files are.
    """
    if not LOCK.is_file() or not is_whole_lock(LOCK):
        raise UserError(f"{LOCK}: missing or damaged; `git checkout {LOCK}`, or `dvc repro` and commit it")
    with repository() as repo:
        stages = {stage.addressing: stage for stage in repo.index.stages}
        cached = [out for out in repo.index.outs if out.use_cache]
        changed = [str(out) for out in cached if out.exists and out.workspace_status()]
        stale = {name for name, stage in stages.items() if is_stale(stage, cached)}
        recorded = {name: recorded_digest(stage) for name, stage in stages.items()}
    if not stages:
        raise UserError("dvc.yaml: missing or without stages; run this from the project's root")
    remedy = "`dvc repro`"
    if hidden := (set(other_digests(recorded)) & stages.keys()) - stale:
        stale |= hidden
        if "plan" in hidden:  # which DVC takes to be fresh, for instance after `dvc commit`
            remedy = "`dvc repro --force --single-item plan`, then `dvc repro`,"
    if not stale:
        print(f"{LOCK} is fresh: {len(stages)} stages")
        return
    names = listed([name for name in stages if name in stale])
    message = f"{LOCK} is stale: {len(stale)} of {len(stages)} stages: {names}"
    if changed:  # perhaps no more than data of another commit: to run their stages again could take hours
        raise UserError(f"{message}\n{listed(changed)}: not as {LOCK} has them; `dvc checkout` brings those back")
    raise UserError(f"{message}; run {remedy} and commit {TRACKED}")


def is_stale(stage: Any, cached: Sequence[Any]) -> bool:
    """Whether a stage's command, settings, dependencies or outputs are not as dvc.lock has them."""
    return stage.changed_stage() or any(differs(entry, cached) for entry in chain(stage.deps, stage.outs))


def recorded_digest(stage: Any) -> str | None:
    """Return the digest that dvc.lock has of a stage, None if it has none."""
    from dvc.dependency.param import ParamsDependency

    params = [dep for dep in stage.deps if isinstance(dep, ParamsDependency) and Path(dep.fs_path).name == DIGESTS.name]
    return next((value for dep in params for value in (dep.hash_info.value or {}).values()), None)


def other_digests(recorded: Mapping[str, str | None]) -> Iterator[str]:
    """Yield the stages whose digest is not that of the code and settings here; plan, if it would write something else.

    Args:
        recorded: the digest that dvc.lock has of each stage.

    Raises:
        UserError: the parameters or the claims are wrong, or the installed libraries are not those of the plan.
    """
    study = resolve(read_yaml(PARAMS))
    comparisons.check(claims.read(Path("claims.yaml")), study)
    expected = digests.of_study(study)
    written = {path: read_json(path) for path in (PLAN, DIGESTS) if path.exists()}
    check_software(expected["software"], written.get(DIGESTS))
    if written.get(PLAN) != {name: variant.to_json() for name, variant in study.items()}:
        yield from ("plan", "report")  # the report reads the plan
    if written.get(DIGESTS) != expected:
        yield "plan"
    [stages] = expected["digests"]
    for stage, digest in stages.items():
        each = {f"{stage}@{name}": digest[name] for name in digest} if isinstance(digest, dict) else {stage: digest}
        yield from (name for name in each if recorded.get(name) != each[name])


def check_software(installed: Mapping[str, str], written: Any) -> None:
    """Check that digests.json is of the installed libraries, without which no digest can be compared."""
    software = written.get("software") if isinstance(written, dict) else None
    known: dict[str, str] = software if isinstance(software, dict) else {}
    if others := sorted(name for name in installed if known.get(name, installed[name]) != installed[name]):
        here, there = (", ".join(f"{name} {versions[name]}" for name in others) for versions in (installed, known))
        raise UserError(f"{here} installed, but {DIGESTS} is of {there}; install requirements.txt again")


def differs(entry: Any, cached: Sequence[Any]) -> bool:
    """Whether a dependency or output is not as dvc.lock has it.

    For an output in DVC's cache, or a folder of such outputs, dvc.lock has a hash where it is made and one where it is
    used. These can be compared with nothing there. Files that Git keeps have to be there.
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
