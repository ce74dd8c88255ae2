"""`make pack` and `make unpack`: a clone judges again, by what Git keeps of every run, and trains nothing."""

import io
import lzma
import shutil
import tarfile
from pathlib import Path

import pytest

from remnist.commands import demo
from remnist.commands.archive import ARCHIVE
from remnist.commands.lock import LOCK
from remnist.files import read_json
from remnist.runtime.stage import DIGESTS, PLAN
from tests.support.repository import VARIANTS, Repository, ran
from tests.support.sharing import changed, clone, fails, make, weights

OTHER_MARGIN = "claims.yaml:claims.dropout-50-no-difference.margin=0.9"
FOLDERS = ("dvclive", "evaluations")


@pytest.fixture(scope="module")
def packed(whole: Repository) -> bytes:
    """The archive of the study."""
    return pack(whole.folder)


@pytest.fixture
def reader(whole: Repository, packed: bytes, tmp_path: Path) -> Path:
    """A clone with the archive, and nothing else that DVC keeps."""
    folder = clone(whole.folder, tmp_path / "clone")
    (folder / ARCHIVE).write_bytes(packed)
    return folder


def pack(folder: Path) -> bytes:
    """Return the archive that `make pack` writes, and leave none there."""
    make(folder, "pack")
    content = (folder / ARCHIVE).read_bytes()
    (folder / ARCHIVE).unlink()
    return content


def kept(folder: Path) -> dict[str, bytes]:
    """Return all curves and predictions in a project, by their paths."""
    paths = [path for name in FOLDERS for path in (folder / name).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_a_clone_judges_by_another_margin_as_the_owner_does_and_trains_nothing(study, reader):
    said = make(reader, "unpack")
    assert f"the curves and predictions of {len(VARIANTS)} variants are here" in said
    assert kept(reader) == kept(study.folder)
    assert Repository.run_in(reader, "git", "status", "--porcelain").split() == ["??", str(ARCHIVE)]
    experiment = ["dvc", "exp", "run", "--set-param", OTHER_MARGIN]
    assert ran(Repository.run_in(reader, *experiment, "--allow-missing")) == {"plan", "report"}
    before = study.results()
    study.run(*experiment)
    assert study.results() != before
    assert all((reader / name).read_bytes() == content for name, content in study.results().items())
    assert weights(reader) == {}


def test_the_committed_archive_is_of_the_committed_lock(tmp_path):
    project = tmp_path / "project"
    demo.copy(project, {})
    for name in (LOCK, PLAN, DIGESTS, ARCHIVE):
        shutil.copy2(demo.ROOT / name, project / name)
    Repository.run_in(project, "git", "init", "-q")
    plan = read_json(demo.ROOT / PLAN)
    said = Repository.run_in(project, "remnist", "unpack")  # `make unpack` brings MNIST as well
    assert f"the curves and predictions of {len(plan)} variants are here" in said
    runs = sum(len(variant["seeds"]) for variant in plan.values())
    assert len(list(project.glob("dvclive/*/seed-*/"))) == runs


def test_the_same_results_are_the_same_archive(whole, packed):
    for path in whole.folder.glob("evaluations/*"):
        path.touch()
    assert pack(whole.folder) == packed


@pytest.mark.fault("results that are missing or changed when they are packed")
def test_only_results_of_the_lock_are_packed(study):
    path = study.folder / f"evaluations/{VARIANTS[0]}.json"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(changed(content))
    assert f"not here as dvc.lock has it: evaluations/{VARIANTS[0]}.json" in fails(study.folder, "pack")
    assert not (study.folder / ARCHIVE).exists()


@pytest.mark.parametrize("damage", ["gone", "cut short", "another byte"])
@pytest.mark.fault("a damaged archive of runs")
def test_a_damaged_archive_is_named_and_nothing_comes_of_it(reader, damage):
    content = (reader / ARCHIVE).read_bytes()
    if damage == "gone":
        (reader / ARCHIVE).unlink()
    else:
        (reader / ARCHIVE).write_bytes(content[:-100] if damage == "cut short" else changed(content))
    said = fails(reader, "unpack")
    assert said.startswith(f"error: {ARCHIVE}: ") and f"git checkout {ARCHIVE}" in said
    assert kept(reader) == {}


@pytest.mark.fault("an archive of other runs")
def test_runs_that_are_not_of_the_lock_are_named_and_stay_out(whole, reader):
    path = f"evaluations/{VARIANTS[0]}.json"
    alter(reader / ARCHIVE, path)
    assert f"not as dvc.lock has it: {path}; " in fails(reader, "unpack")
    assert kept(reader) == {name: content for name, content in kept(whole.folder).items() if name != path}


@pytest.mark.fault("an archive of which nothing is of the lock")
def test_where_nothing_fits_nothing_of_the_cache_comes_either(study, packed):
    """DVC takes an empty list of outputs for all of them."""
    (study.folder / ARCHIVE).write_bytes(packed)
    alter(study.folder / ARCHIVE, *kept(study.folder))
    lost = study.folder / f"models/{VARIANTS[0]}"
    shutil.rmtree(lost)
    assert "not as dvc.lock has it: " in fails(study.folder, "unpack")
    assert not lost.exists()


@pytest.mark.fault("an archive that would write elsewhere")
def test_nothing_is_written_elsewhere(reader):
    with lzma.open(reader / ARCHIVE, "wb") as compressed, tarfile.open(fileobj=compressed, mode="w") as tar:
        entry = tarfile.TarInfo("../../../evil")
        entry.size = 4
        tar.addfile(entry, io.BytesIO(b"evil"))
    assert f"error: {ARCHIVE}: " in fails(reader, "unpack")
    assert not list(reader.parent.rglob("evil"))


@pytest.mark.fault("results of one's own in the way of an archive")
def test_what_someone_changed_stays(reader):
    path = reader / f"evaluations/{VARIANTS[0]}.json"
    path.parent.mkdir()
    path.write_text("mine")
    assert f"evaluations/{VARIANTS[0]}.json" in fails(reader, "unpack")
    assert path.read_text() == "mine"


def alter(archive: Path, *names: str) -> None:
    """Change a byte of files in an archive."""
    with tarfile.open(archive) as tar:
        files = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    files |= {name: changed(files[name]) for name in names}
    with lzma.open(archive, "wb") as compressed, tarfile.open(fileobj=compressed, mode="w") as tar:
        for each, content in files.items():
            entry = tarfile.TarInfo(each)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
