"""A pull request's review: the variants it affects, by how much, the verdicts that flip; the page, in a browser."""

import io
import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator

import pandas as pd
import pytest
from ruamel.yaml import YAML
from scipy import stats

from remnist.report.stability import FRAGILE
from tests.support.repository import Repository

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OFFLINE = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND",
    "--virtual-time-budget=30000",
]  # fmt: skip


@pytest.fixture(scope="module")
def reviewed(whole: Repository) -> Iterator[Repository]:
    """A branch that sets dropout to 0.5, run and committed, and its review in review/.

    On its base two seeds of one epoch leave open whether dropout 0.5 differs from 0.2; on the branch both variants are
    the same, and no seed differs.
    """
    base = whole.git("branch", "--show-current").strip()
    whole.git("checkout", "-qb", "more-dropout")
    edit(whole, "params.yaml", "model", "dropout", to=0.5)
    commit(whole)
    whole.run("python", "-m", "remnist.cli", "review", "HEAD~1")
    yield whole
    whole.git("checkout", "-q", "--force", base)  # as other tests expect it
    whole.reset()


def edit(study: Repository, file: str, *keys: str, to: float) -> None:
    yaml, path = YAML(), study.folder / file
    params = section = yaml.load(path)
    for key in keys[:-1]:
        section = section[key]
    section[keys[-1]] = to
    yaml.dump(params, path)


def commit(study: Repository) -> None:
    study.dvc("repro")
    study.git("commit", "-qam", "Change and run")


def section(study: Repository, title: str) -> str:
    parts = re.split(r"^## (.+)\n", (study.folder / "review/review.md").read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[title]


def accuracies(study: Repository, revision: str) -> pd.DataFrame:
    """Return each seed's accuracy at a revision."""
    table = pd.read_csv(io.StringIO(study.git("show", f"{revision}:plots/accuracy.csv")))
    return table.pivot_table(index="seed", columns="variant", values="accuracy")


def test_changed_parameters_are_named_as_they_resolve(reviewed):
    assert "| `model.dropout` | 0.2 | 0.5 | `batch-100`, `mlp-baseline` |" in section(reviewed, "Parameters")


def test_affected_variants_and_their_differences(reviewed):
    rows = re.findall(r"^\| `(.+?)` \|(.*)\|$", section(reviewed, "Variants"), re.MULTILINE)
    assert [name for name, _ in rows] == ["mlp-baseline", "batch-100"]
    before, after = accuracies(reviewed, "HEAD~1"), accuracies(reviewed, "HEAD")
    for name, row in rows:
        paired = (after[name] - before[name]).to_numpy()
        interval = stats.ttest_1samp(paired, 0).confidence_interval(0.95)
        base, now, mean, between, *_ = (cell.strip() for cell in row.split("|"))
        assert base == f"{100 * before[name].mean():.2f} ± {100 * before[name].std():.2f} %"
        assert now.startswith(f"{100 * after[name].mean():.2f} ±")
        assert float(mean) == pytest.approx(100 * paired.mean(), abs=0.006)
        assert json.loads(between.replace("+", "")) == pytest.approx(
            [100 * interval.low, 100 * interval.high], abs=0.006
        )


def test_flipped_verdicts(reviewed):
    claims = [json.loads(reviewed.git("show", f"{revision}:metrics/claims.json")) for revision in ("HEAD~1", "HEAD")]
    flips = {name for name in claims[0] if claims[0][name]["outcome"] != claims[1][name]["outcome"]}
    assert "dropout-50-no-difference" in flips
    reported = re.findall(
        r"^\| `(.+?)`: .* \| (.+?) \| (.+?) \| (.*?) \|$", section(reviewed, "Outcomes"), re.MULTILINE
    )
    assert {name for name, *_ in reported} == flips
    for name, before, after, _ in reported:
        after, fragile, _ = after.partition(" (fragile)")
        assert [before, after] == [claim[name]["outcome"] for claim in claims]
        shares = [share for claim in claims if (share := claim[name]["stays"]) is not None]
        assert bool(fragile) == any(share < FRAGILE for share in shares)
        if name == "dropout-50-no-difference":
            assert [before, after] == ["undecided", "replicated"]


def test_the_headline_sums_it_up(reviewed):
    text = (reviewed.folder / "review/review.md").read_text()
    flips = len(re.findall(r"^\| `", section(reviewed, "Outcomes"), re.MULTILINE))
    assert re.search(rf"\*\*2 of 3 variants affected, \d of them beyond noise; {flips} outcomes? flipped\.\*\*", text)


def test_pictures_are_of_the_plots_that_changed_alone(reviewed):
    shown = set(re.findall(r"!\[\w+\]\((.+?)\)", section(reviewed, "Plots")))
    assert shown == {path.name for path in (reviewed.folder / "review").glob("*.png")}
    assert shown == {f"{name}.png" for name in ("accuracy", "learning_curves", "per_digit", "roc", "confusion")}


def test_every_plot_of_the_page_draws_its_marks_without_a_network(reviewed, tmp_path):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    page = reviewed.folder / "review/index.html"
    command = [browser, *OFFLINE, f"--user-data-dir={tmp_path}", "--dump-dom", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    parts = re.split(r'<div id="(\w+)"', dom)
    drawn = {
        name: Counter(re.findall(r'aria-roledescription="([a-z ]+)"', part))
        for name, part in zip(parts[1::2], parts[2::2], strict=True)
    }
    changed, revisions, seeds, variants = 2, 2, 2, 3
    assert drawn["accuracy"]["point"] == seeds * variants * revisions
    assert drawn["accuracy"]["rule mark"] == drawn["accuracy"]["tick"] == variants * revisions
    assert drawn["learning_curves"]["line mark"] == 2 * changed * revisions  # test and training images
    assert drawn["per_digit"]["rect mark"] == drawn["per_digit"]["text mark"] == 10 * changed * revisions
    assert drawn["roc"]["line mark"] == (10 + 1) * changed * revisions  # a curve a digit, and the macro mean
    assert drawn["confusion"]["point"] > changed * revisions


def test_nothing_changed(study):
    reported = study.run("python", "-m", "remnist.cli", "review", "HEAD")
    assert "**0 of 3 variants affected, 0 of them beyond noise; 0 outcomes flipped.**" in reported
    assert not list((study.folder / "review").glob("*.png"))
    assert (study.folder / "review/index.html").exists()


def test_changed_code_and_claims(study):
    edit(study, "claims.yaml", "claims", "dropout-50-no-difference", "margin", to=0.7)
    path = study.folder / "digests.json"
    content = json.loads(path.read_text())
    content["digests"][0]["train"]["batch-100"] = "0123456789abcdef"
    path.write_text(json.dumps(content, indent=2))
    reported = study.run("python", "-m", "remnist.cli", "review", "HEAD")
    assert "**1 of 3 variants affected, 0 of them beyond noise; 0 outcomes flipped.**" in reported
    assert "| code of training |  |  | `batch-100` |" in reported
    assert re.search(
        r"^\| `claims\.dropout-50-no-difference\.margin` \| [\d.]+ \| 0\.7 \|  \|$", reported, re.MULTILINE
    )


def test_no_such_revision_leaves_the_last_review(study):
    last = study.folder / "review/review.md"
    last.parent.mkdir(exist_ok=True)
    last.write_text("kept")
    with pytest.raises(RuntimeError, match=r"\nerror: unknown Git revision 'nowhere'\n$"):
        study.run("python", "-m", "remnist.cli", "review", "nowhere")
    assert last.read_text() == "kept"


UNREADABLE = {
    "figures cut short": ("metrics/claims.json", lambda text: text[:1]),
    "a conflict in figures": ("metrics/verdicts.json", lambda text: f"<<<<<<< HEAD\n{text}"),
    "a conflict in a plot": ("plots/accuracy.csv", lambda text: f"{text}<<<<<<< HEAD\n"),
    "a damaged value": ("plots/per_digit.csv", lambda text: text.replace(",0.", ",O.", 1)),
    "a missing plot": ("plots/roc.csv", lambda _: None),
    "missing figures": ("metrics/summary.json", lambda _: None),
    "a damaged plan": ("plan.json", lambda text: text[:-3]),
}


@pytest.mark.parametrize(("name", "damage"), UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.fault("results that a review cannot read")
def test_what_cannot_be_read_is_not_taken_for_absent(study, name, damage):
    """On either side: here, and, of what is damaged, in the other revision."""
    path = study.folder / name
    content = path.read_text()
    if (damaged := damage(content)) is None:
        path.unlink()
    else:
        path.write_text(damaged)
    with pytest.raises(RuntimeError, match=rf"\nerror: {name}: .*(damaged|missing) here, so nothing was compared"):
        study.run("python", "-m", "remnist.cli", "review", "HEAD")
    if damaged is not None:
        study.git("commit", "-qam", "Damage")
        path.write_text(content)
        with pytest.raises(RuntimeError, match=rf"\nerror: {name}: .*damaged in HEAD, so nothing was compared"):
            study.run("python", "-m", "remnist.cli", "review", "HEAD")
        study.git("reset", "-q", "--soft", "HEAD~1")


def test_a_file_that_an_older_revision_lacks_is_named(study):
    study.git("rm", "-q", "--cached", "plots/roc.csv")
    study.git("commit", "-qm", "Remove a plot")
    said = study.run("python", "-m", "remnist.cli", "review", "HEAD")
    study.git("reset", "-q", "--soft", "HEAD~1")
    assert "Not compared, since HEAD has none: `plots/roc.csv`." in said


def test_experiments_of_a_sweep_side_by_side(study):
    margin, dropout = "claims.yaml:claims.dropout-50-no-difference.margin=0.8", "variants.mlp-dropout-50.model.dropout"
    for name, changes in (("third", [f"{dropout}=0.9", margin]), ("first", [f"{dropout}=0.1"])):
        study.dvc("exp", "run", "-n", name, *(word for change in changes for word in ("-S", change)))
        study.git("checkout", "-q", ".")
    reported = study.run("python", "-m", "remnist.cli", "experiments")
    header, _, changed, flipped, *rows = reported.splitlines()
    assert header == "| variant | HEAD | first | third |"
    assert changed == f"| *changed* |  | `{dropout}=0.1` | `{dropout}=0.9`, `{margin}` |"
    assert flipped.startswith("| *outcomes flipped* |  | ")
    assert [row.split("`")[1] for row in rows if row.startswith("| `")] == ["mlp-dropout-50"]
    refs = sorted(
        study.git("for-each-ref", "--format=%(refname)", "refs/exps/*/*/*").split(), key=lambda r: r.split("/")[-1]
    )
    assert [ref.split("/")[-1] for ref in refs] == ["first", "third"]
    for row in rows[:1]:
        variant, cells = row.split("`")[1], [cell.strip(" ▲▼") for cell in row.split("|")[2:5]]
        for revision, cell in zip(("HEAD", *refs), cells, strict=True):
            found = accuracies(study, revision)[variant]
            assert cell == f"{100 * found.mean():.2f} ± {100 * found.std():.2f} %"
    assert {path.name for path in (study.folder / "experiments").iterdir()} == {
        "accuracy.png", "experiments.md", "index.html"
    }  # fmt: skip


def test_no_experiments(study):
    with pytest.raises(RuntimeError, match="error: no experiments from this commit; `dvc exp run"):
        study.run("python", "-m", "remnist.cli", "experiments")
