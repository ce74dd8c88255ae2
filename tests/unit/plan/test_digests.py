"""The digests cover what can change a stage's result, and nothing else."""

import importlib.util
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import ModuleType

import pytest

from remnist.plan import digests
from remnist.settings import Variant
from tests.support import variants
from tests.support.harm import refused
from tests.support.variants import ROOT

ONCE, OF_VARIANTS = ("download", "preprocess", "report"), ("train", "evaluate")
STAGES = {*ONCE, *OF_VARIANTS}
VARIANT = variants.digits()
RUNS = "\nEDITED = True\n"
REPORT_TEMPLATES = sorted(path.name for path in (ROOT / "src/remnist/report/templates").glob("*.j2"))


class Project:
    """A copy of the code, digested by its own module.

    Args:
        folder: where it is copied to.
    """

    def __init__(self, folder: Path) -> None:
        self.package, self.scripts = folder / "src/remnist", folder / "stages"
        for name in ("src/remnist", "stages"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        self.digests = load(self.package / "plan/digests.py")

    def all(self) -> dict[str, str]:
        """Return the digest of each stage, of the baseline where the stage is a variant's."""
        return {stage: self.digests.of_stage(stage, VARIANT if stage in OF_VARIANTS else None) for stage in STAGES}

    def closure(self, stage: str) -> list[str]:
        roots = self.digests.roots(stage, VARIANT if stage in OF_VARIANTS else None)
        return self.digests.closure(roots)

    def changed_by(self, path: Path, text: str = RUNS) -> set[str]:
        """Return the stages whose digests change when a text is added to a file."""
        before = self.all()
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
        return changed(before, self.all())


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("copied_digests", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {stage for stage in STAGES if before[stage] != after[stage]}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def install(site: Path, name: str, version: str) -> None:
    """Write the metadata of a library, as its installation would."""
    metadata = site / f"{name}-{version}.dist-info/METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def files(folder: Path, *suffixes: str) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix in suffixes)


def test_a_copy_has_the_digests_of_the_original(project):
    for stage, digest in project.all().items():
        assert digest == digests.of_stage(stage, VARIANT if stage in OF_VARIANTS else None)
        assert len(digest) == 16
        int(digest, 16)


@pytest.mark.parametrize(
    ("text", "expected"), [("\nint edited;\n", {"residual_cnn"}), ("\n\n/* A remark,\n * of two lines. */\n", set())]
)
def test_a_kernel_counts_for_the_model_that_computes_with_it(project, text, expected):
    plan = {name: variants.digits(name) for name in ("mlp-baseline", "reference-cnn", "resnet-plain")}

    def of_plan() -> dict[str, tuple[str, ...]]:
        of_stage = project.digests.of_stage
        return {each.model.name: tuple(of_stage(stage, each) for stage in OF_VARIANTS) for each in plan.values()}

    before, path = of_plan(), project.package / "kernels/convolutions.c"
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
    after = of_plan()
    assert {name for name in before if before[name] != after[name]} == expected
    assert all(a != b for name in expected for a, b in zip(before[name], after[name], strict=True))


def test_the_loop_needs_the_first_lines_of_every_package_around_it(project):
    covered = project.digests.closure([project.package / "learning/loop.py"])
    assert {f"remnist/{name}__init__.py" for name in ("", "learning/", "models/", "data/")} <= set(covered)


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_module_is_covered_with_the_packages_around_it(project, stage):
    covered = project.closure(stage)
    around = {
        f"{folder}/__init__.py"
        for name in covered
        if name.startswith("remnist/") and name.endswith(".py")
        for folder in PurePosixPath(name).parents
        if folder != PurePosixPath(".")
    }
    assert "remnist/__init__.py" in around
    assert around <= set(covered)


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("", STAGES),
        ("learning", {"train", "evaluate"}),
        ("models", {"train", "evaluate"}),
        ("evaluation", {"evaluate"}),
        ("report", {"report"}),
    ],
)
def test_code_that_a_package_runs_first_counts_and_its_docstring_does_not(project, package, expected):
    path = project.package / package / "__init__.py"
    assert project.changed_by(path) == expected
    before = project.all()
    text = path.read_text(encoding="utf-8")
    assert text.startswith('"""')
    path.write_text(text.replace('"""', '"""In other words: ', 1), encoding="utf-8")
    assert project.all() == before


def test_the_rules_of_claims_count_for_the_report_alone(project):
    assert project.changed_by(project.package / "plan/claims.py") == {"report"}


@pytest.mark.parametrize(
    "name",
    [
        "errors.py",
        "files.py",
        "settings",
        "runtime",
        "commands",
        "page",
        "review",
        *(f"plan/{name}.py" for name in ("entries", "digests", "problems", "resolve", "schema", "syntax")),
    ],
)
def test_code_that_decides_no_result_counts_for_no_stage(project, name):
    before = project.all()
    path = project.package / name
    edited = [path] if path.is_file() else list(files(path, ".py", ".j2"))
    assert edited
    for file in edited:
        file.write_text(file.read_text(encoding="utf-8") + RUNS, encoding="utf-8")
    assert project.all() == before


@pytest.mark.parametrize("name", REPORT_TEMPLATES)
def test_the_reports_templates_count_for_it(project, name):
    assert project.changed_by(project.package / "report/templates" / name) == {"report"}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("download", {"download"}),
        ("preprocess", {"preprocess"}),
        ("report", {"report"}),
        ("train", set()),
        ("evaluate", set()),
        ("plan", set()),
    ],
)
def test_a_script_counts_where_it_decides_the_result(project, script, expected):
    assert project.changed_by(project.scripts / f"{script}.py") == expected


def test_a_model_counts_for_its_own_variants(project):
    assert project.changed_by(project.package / "models/cnn.py") == set()
    assert project.changed_by(project.package / "models/mlp.py") == {"train", "evaluate"}


def test_line_ends_change_nothing(project):
    before = project.all()
    converted = 0
    for path in (*files(project.package, ".py", ".j2"), *files(project.scripts, ".py")):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        converted += 1
    assert converted > 50
    assert project.all() == before


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_the_label_of_a_local_build_changes_nothing(project, library, tmp_path, monkeypatch):
    before, versions = project.all(), project.digests.versions([library])
    install(tmp_path / "site", library, f"{versions[library]}+cpu")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert project.digests.versions([library]) == versions
    assert project.all() == before


@pytest.mark.parametrize(("library", "expected"), [("torch", {"train", "evaluate"}), ("scipy", {"report"})])
def test_another_version_changes_the_stages_that_use_the_library(project, library, expected, tmp_path, monkeypatch):
    before = project.all()
    install(tmp_path / "site", library, "99.9")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert project.digests.versions([library]) == {library: "99.9"}
    assert changed(before, project.all()) == expected


def test_a_library_that_is_not_installed_is_an_error_that_names_it():
    refused(digests.versions, ["numpy", "remnist-no-such-library"], naming="remnist-no-such-library")


@pytest.mark.parametrize("text", ["def (\n", "x = (\n", "if True:\n", "x = '\n", "\0"])
@pytest.mark.parametrize("name", ["learning/losses.py", "models/mlp.py", "__init__.py"])
def test_a_source_that_is_half_saved_is_an_error_that_names_it(project, name, text):
    path = project.package / name
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
    refused(project.digests.of_stage, "train", VARIANT, naming=f"remnist/{name}")


def of_all(variant: Variant) -> tuple[str, str, str]:
    return digests.of_stage("train", variant), digests.of_stage("evaluate", variant), digests.of_run(variant)


def test_seeds_count_for_a_variant_and_not_for_a_run():
    train, evaluate, run = of_all(VARIANT)
    others = of_all(replace(VARIANT, seeds=[*VARIANT.seeds, 99]))
    assert others[0] != train
    assert others[1] != evaluate
    assert others[2] == run


def test_the_learning_rate_counts_for_training_alone():
    train, evaluate, run = of_all(VARIANT)
    others = of_all(variants.digits(train={"lr": 0.123}))
    assert others[0] != train
    assert others[1] == evaluate
    assert others[2] != run


@pytest.mark.parametrize("changes", [{"train": {"loss": "mse_one_hot"}}, {"model": {"hidden": [7]}}])
def test_loss_and_model_count_for_training_and_for_the_evaluation(changes):
    before = of_all(VARIANT)
    assert all(one != other for one, other in zip(before, of_all(variants.digits(**changes)), strict=True))
