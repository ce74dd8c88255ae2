"""Copy the project to a folder and make a small study on scikit-learn's digits of it: no network, nothing touched.

demo.yaml says which variants, seeds and epochs, and what its report says of itself. The copy has its own DVC cache and,
where Git is installed, its own history, so that `dvc exp run` and `dvc metrics diff` work there. `make demo` runs it.
"""

import argparse
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from pathspec import GitIgnoreSpec
from ruamel.yaml import YAML

from remnist.errors import UserError
from remnist.files import read_yaml, write_text
from remnist.plan import claims, comparisons
from remnist.plan.resolve import lineage, resolve
from remnist.settings import SECTIONS

ROOT = Path(__file__).resolve().parents[3]
STUDY = Path(__file__).with_suffix(".yaml")
PLOTS_PAGE = ROOT / ".venv/plots.html"  # which `make` writes for DVC's plots, with Vega inside
# The whole graph on the digits.
SETTINGS = {"data": {"name": "digits"}, "seeds": [0, 1]}
EPOCHS = 5
# The demonstration's own settings of Git: someone who commits, no signature, no hooks of the user's.
GIT = {
    "user.name": "demo", "user.email": "demo@localhost", "commit.gpgSign": "false", "core.hooksPath": ".git/no-hooks",
    "core.autocrlf": "false",
}  # fmt: skip
RESULTS = (  # which the copy makes itself
    "dvc.lock", "plan.json", "digests.json", "REPORT.md", "metrics/", "plots/", "docs/runs.tar.xz"
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line may say."""
    parser.add_argument("folder", type=Path, help="where to; replaced if it is there")


def run(arguments: argparse.Namespace) -> None:
    """Make the small study in the folder named on the command line, under a Git of its own if there is one."""
    copy_small(arguments.folder)
    if shutil.which("git"):
        start_history(arguments.folder)
    else:
        leave_git(arguments.folder)


def copy_small(folder: Path) -> None:
    """Copy the project and lay demo.yaml over its parameters and its claims.

    Args:
        folder: where to; replaced if it is there.
    """
    yaml, path = _yaml(), folder / "claims.yaml"
    study = yaml.load(STUDY)
    copy(folder, study["params"], list(study["params"]["variants"]))
    content = yaml.load(path)
    content.update(study["claims"])
    for name in [name for name, claim in content["claims"].items() if claim.get("expect") == "as_published"]:
        del content["claims"][name]
    _keep_findings(content)
    yaml.dump(content, path)


def copy(
    folder: Path, settings: dict[str, Any], variants: Sequence[str] | None = None, epochs: int | None = None
) -> None:
    """Copy what Git would commit, without the results, and change its parameters.

    Args:
        folder: where to; replaced if it is there.
        settings: laid over params.yaml, a mapping over a mapping.
        variants: keep only these, and the claims about them; None keeps all.
        epochs: no variant trains for more; None leaves them as they are.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name in list(project_files()):
        if not name.startswith(RESULTS):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    if settings or variants is not None or epochs is not None:
        change_parameters(folder / "params.yaml", settings, variants, epochs)
    if variants is not None:
        keep_claims(folder / "claims.yaml", variants)


def project_files() -> Iterator[str]:
    """Yield what Git would commit, as paths within the project; they may come from an archive, with no Git at hand."""
    rules: dict[str, GitIgnoreSpec] = {}  # by the folder that has them

    def is_ignored(path: str) -> bool:
        parents = (folder for folder in rules if path.startswith(folder))
        return any(rules[folder].match_file(path.removeprefix(folder)) for folder in parents)

    for root, folders, files in os.walk(ROOT):
        within = f"{Path(root).relative_to(ROOT).as_posix()}/".removeprefix("./")
        if ".gitignore" in files:
            rules[within] = GitIgnoreSpec.from_lines(Path(root, ".gitignore").read_text("utf-8").splitlines())
        folders[:] = sorted(name for name in folders if name != ".git" and not is_ignored(f"{within}{name}/"))
        yield from (within + name for name in sorted(files) if name != ".git" and not is_ignored(within + name))


def change_parameters(path: Path, settings: dict[str, Any], variants: Sequence[str] | None, epochs: int | None) -> None:
    """Change params.yaml as `copy` says; leave to the plan what is no mapping there, or no number."""
    read_yaml(path)  # its errors name the file and the line
    yaml = _yaml()
    params = yaml.load(path)
    if not isinstance(params, dict):
        return
    _update(params, settings)
    study = _mapping(params.get("variants"))
    if variants is not None:
        _write_out(params, variants)
        for name in [name for name in study if name not in variants]:
            del study[name]
    for section in (params, *study.values()):
        train = _mapping(_mapping(section).get("train"))
        if epochs is not None and isinstance(trained := train.get("epochs"), int):
            train["epochs"] = min(trained, epochs)
    yaml.dump(params, path)


def _write_out(params: dict[str, Any], variants: Sequence[str]) -> None:
    """Write into variants what they inherit from others, which are dropped."""
    try:
        plan = resolve(params)
    except UserError:  # which the plan will say
        return
    study = params["variants"]
    for name, variant in plan.items():
        family = lineage(name, study)
        if name in variants and not set(family) <= set(variants):
            entry, changes = variant.to_json(), [_mapping(study[each]) for each in family]
            for section in SECTIONS:
                stated = {key: value for each in changes for key, value in _mapping(each.get(section)).items()}
                if used := {key: value for key, value in stated.items() if key in entry[section]}:
                    study[name][section] = deepcopy(used)  # one list in two places would be written as an alias
            seeds = [each["seeds"] for each in changes if "seeds" in each]
            study[name].update({"seeds": seeds[-1]} if seeds else {})
            del study[name]["like"]


def keep_claims(path: Path, variants: Sequence[str]) -> None:
    """Drop from claims.yaml what concerns other variants, which the plan would refuse."""
    study, yaml = claims.read(path), _yaml()
    content = yaml.load(path)
    if study.reference not in variants:
        content["reference"] = variants[0]
    for name in study.published:
        if name not in variants:
            del content["published"][name]
    for title, asked in study.questions.items():
        kept = [name for name in asked if name in variants]
        content["questions"][title][:] = kept
        if not kept:
            del content["questions"][title]
    for name, claim in study.claims.items():
        if not comparisons.variants_of(claim, study.claims) <= set(variants):
            del content["claims"][name]
    _keep_findings(content)
    yaml.dump(content, path)


def _keep_findings(content: Any) -> None:
    """Drop from the findings of claims.yaml those whose claims are gone."""
    if "findings" in content:
        content["findings"] = [name for name in content["findings"] if name in content["claims"]]


def _yaml() -> YAML:
    """Return a reader and writer that keeps comments, and on one line what fits there."""
    yaml = YAML()
    yaml.width = 120
    return yaml


def _update(params: dict[str, Any], settings: dict[str, Any]) -> None:
    for key, value in settings.items():
        if isinstance(value, dict):
            params[key] = {} if params.get(key) is None else params[key]  # null is an empty section
            if isinstance(params[key], dict):
                _update(params[key], value)
        else:
            params[key] = value


def _mapping(value: Any) -> dict[str, Any]:
    """Return a mapping as it is, so that it can be changed, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def start_history(folder: Path) -> None:
    """Put a copy under a Git of its own, whatever the user's is set to."""
    _set_up_dvc(folder, "")
    for command in (
        ["init", "--quiet"],
        *(["config", key, value] for key, value in GIT.items()),
        ["add", "--all"],
        ["commit", "--quiet", "--message", "Start"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)


def leave_git(folder: Path) -> None:
    """Take Git out of DVC's sight in a copy."""
    _set_up_dvc(folder, "[core]\n    no_scm = true\n")


def _set_up_dvc(folder: Path, settings: str) -> None:
    """Write DVC's local settings of a copy, whose plots use the project's page."""
    if PLOTS_PAGE.exists():
        settings += f'[plots]\n    html_template = "{PLOTS_PAGE}"\n'
    write_text(folder / ".dvc/config.local", settings)
