"""From evaluations and learning curves to tables, figures and words."""

import dataclasses
import json
import random
import shutil

import pandas as pd
import pytest

from remnist.errors import UserError
from remnist.evaluation.metrics import FALSE_POSITIVE_RATES
from remnist.plan import claims
from remnist.plan.claims import Published
from remnist.plan.resolve import resolve
from remnist.report import figures, gallery, markdown, page, questions, tables, verdicts
from tests.support.studies import claims_of
from tests.support.variants import ROOT

SCORES = {"mlp-baseline": {0: 9, 1: 7}, "lr-1e-4": {0: 5, 1: 5}}
LABELS = "0123456789" * 10


@pytest.fixture
def params(params):
    """Of two epochs, as the curves below."""
    params["train"]["epochs"] = 2
    return params


@pytest.fixture
def plan(params):
    params["variants"] = {name: params["variants"][name] for name in SCORES}
    params["seeds"] = [0, 1]
    return resolve(params)


@pytest.fixture
def folders(tmp_path):
    """The files of two variants of two seeds, with these many of each digit's 10 images right, the rest taken for 0."""
    rng = random.Random(0)  # noqa: S311
    (tmp_path / "evaluations").mkdir()
    for variant, seeds in SCORES.items():
        results = []
        for seed, right in seeds.items():
            confusion = [[right if i == j else 0 for j in range(10)] for i in range(10)]
            for row in confusion:
                row[0] += 10 - right
            areas = {str(d): rng.random() for d in range(10)} | {"micro": 0.5, "macro": right / 10}
            grid = FALSE_POSITIVE_RATES.tolist()
            curves = dict.fromkeys([*areas, "false_positive_rate"], grid)
            results.append(
                {"seed": seed, "parameters": 7, "accuracy": right / 10, "loss": 0.1, "correct": [right] * 10,
                 "count": [10] * 10, "confusion": confusion, "roc_auc": areas, "roc": curves,
                 "answers": LABELS[: right * 10] + "0" * (100 - right * 10)}
            )  # fmt: skip
            for part in tables.PARTS:
                logs = tmp_path / "dvclive" / variant / f"seed-{seed}" / "plots" / "metrics" / part
                logs.mkdir(parents=True)
                for metric in tables.METRICS:
                    (logs / f"{metric}.tsv").write_text(f"step\t{metric}\n1\t0.5\n2\t0.{right}\n")
        ensembles = [{"members": 2, "average": 0.875, "vote": 0.75}]
        evaluation = {"labels": LABELS, "seeds": results, "ensembles": ensembles}
        (tmp_path / "evaluations" / f"{variant}.json").write_text(json.dumps(evaluation))
    (tmp_path / "evaluations" / "removed.json").write_text("left behind by a removed variant")
    return tmp_path


@pytest.fixture
def results(plan, folders):
    return tables.load(plan, folders / "evaluations", folders / "dvclive")


@pytest.fixture
def claimed():
    return claims.read(ROOT / "claims.yaml")


def render(results, claimed=None):
    claimed = claimed or claims_of()
    judged, asked = verdicts.judge(results, claimed), questions.group(results, claimed)
    return page.render(results, tables.summary(results), claimed, asked, judged, gallery.rank(results))


def test_summary_is_mean_and_sample_deviation_over_seeds(results):
    summary = tables.summary(results)
    assert list(summary) == list(SCORES)
    assert summary["mlp-baseline"] == {
        "accuracy": 0.8, "accuracy_sd": 0.141421, "loss": 0.1, "roc_auc_macro": 0.8, "roc_auc_micro": 0.5,
        "parameters": 7, "seeds": 2,
    }  # fmt: skip
    assert summary["lr-1e-4"]["accuracy_sd"] == 0
    json.dumps(summary, allow_nan=False)


def test_one_seed_has_no_deviation(params, folders):
    params["variants"] = {"mlp-baseline": {}}
    params["seeds"] = [0]
    path = folders / "evaluations" / "mlp-baseline.json"
    evaluation = json.loads(path.read_text())
    path.write_text(json.dumps(evaluation | {"seeds": evaluation["seeds"][:1], "ensembles": []}))
    results = tables.load(resolve(params), folders / "evaluations", folders / "dvclive")
    summary = tables.summary(results)
    assert summary["mlp-baseline"]["accuracy_sd"] is None
    assert "| 90.00 % |" in render(results)


def test_per_digit_and_confusion(results):
    assert tables.per_digit(results)["mlp-baseline"] == {str(digit): 0.8 for digit in range(10)}
    confusion = results.confusion.set_index(["variant", "actual", "predicted"])["rate"]
    assert confusion["mlp-baseline", "3", "3"] == 0.8
    assert confusion["mlp-baseline", "3", "0"] == pytest.approx(0.2)
    assert confusion["mlp-baseline", "0", "0"] == 1


def test_ensembles_by_number_of_members(results):
    assert tables.ensembles(results)["lr-1e-4"] == {"2": {"average": 0.875, "vote": 0.75}}
    text = render(results)
    assert "| `lr-1e-4` | 50.00 |  |  | 87.50 | 75.00 | 2 |" in text


def test_five_networks_stand_next_to_all(results):
    five = results.ensembles.assign(members=5, average=0.6, vote=0.5)
    together = dataclasses.replace(results, ensembles=pd.concat([five, results.ensembles.assign(members=7)]))
    assert tables.ensembles(together)["lr-1e-4"].keys() == {"5", "7"}
    text = render(together)
    assert "| `lr-1e-4` | 50.00 | 60.00 | 50.00 | 87.50 | 75.00 | 7 |" in text


def test_xor_has_two_digits_and_is_not_the_best_on_the_images(params, folders):
    params["variants"] = {name: params["variants"][name] for name in (*SCORES, "xor")}
    params["variants"]["xor"]["train"]["epochs"] = 2
    params["seeds"] = [0, 1]
    plan = resolve(params)
    evaluation = json.loads((folders / "evaluations" / "lr-1e-4.json").read_text())
    for seed in evaluation["seeds"]:
        for curves in (seed["roc"], seed["roc_auc"]):
            for digit in range(2, 10):
                del curves[str(digit)]
        seed |= {"accuracy": 1.0, "correct": [2, 2], "count": [2, 2], "confusion": [[2, 0], [0, 2]], "answers": "0110"}
    evaluation["labels"] = "0110"
    (folders / "evaluations" / "xor.json").write_text(json.dumps(evaluation))
    shutil.copytree(folders / "dvclive" / "lr-1e-4", folders / "dvclive" / "xor")
    results = tables.load(plan, folders / "evaluations", folders / "dvclive")
    assert tables.per_digit(results)["xor"] == {"0": 1.0, "1": 1.0}
    text = render(results)
    assert "Best on the test set: `mlp-baseline`" in text
    assert "| `xor` | 100.00 | 100.00 |  |  |  |  |  |  |  |  |" in text
    figures.draw(results, questions.group(results, claims_of()), folders)


def test_every_claim_has_a_row_and_every_variant_a_place(results, claimed):
    text = render(results, claimed)
    ledger = text.split("## The claims")[1].split("## Accuracy")[0]
    for claim in claimed.claims.values():
        assert f"| {claim.report} | {claim.says} |" in ledger
    # Of the two variants here one is held against a level, and none is compared with another.
    assert ledger.count("**not testable**") == len(claimed.claims) - 1
    assert "### Report 1" in text and "### Report 2" in text
    assert "### Report 4" not in text


def test_variants_that_no_report_and_no_claim_names_stand_by_themselves(results):
    text = render(results)
    assert "### Other variants" in text.split("## Report by report")[1]
    assert "### Report 1" not in text


def test_plot_data_is_the_mean_over_seeds(results):
    data = tables.plot_data(results)
    curves = data["learning_curves"].set_index(["variant", "part", "epoch"])["accuracy"]
    assert curves["mlp-baseline", "validation", 2] == pytest.approx(0.8)
    assert len(data["accuracy"]) == 4
    assert data["roc"].groupby(["variant", "curve"]).size().eq(len(FALSE_POSITIVE_RATES)).all()


def edited(edit):
    """Return what changes an evaluation's content, and writes it back."""

    def change(evaluation, curve):
        content = json.loads(evaluation.read_text())
        edit(content, content["seeds"][1])
        evaluation.write_text(json.dumps(content))

    return change


DAMAGES = {
    "missing": lambda evaluation, _: evaluation.unlink(),
    "empty": lambda evaluation, _: evaluation.write_text(""),
    "cut short": lambda evaluation, _: evaluation.write_text(evaluation.read_text()[:100]),
    "HTML": lambda evaluation, _: evaluation.write_text("<html>not here</html>"),
    "a list": lambda evaluation, _: evaluation.write_text("[1]"),
    "other bytes": lambda evaluation, _: evaluation.write_bytes(b"\xff\xfe"),
    "deep": lambda evaluation, _: evaluation.write_text("[" * 100_000),
    "other seeds": edited(lambda _, seed: seed.update(seed=9)),
    "a seed less": edited(lambda content, _: content["seeds"].pop()),
    "no seeds": edited(lambda content, _: content.update(seeds=[])),
    "no labels": edited(lambda content, _: content.pop("labels")),
    "labels of words": edited(lambda content, _: content.update(labels="x" * 100)),
    "fewer labels": edited(lambda content, _: content.update(labels="0")),
    "fewer answers": edited(lambda _, seed: seed.update(answers=seed["answers"][1:])),
    "an accuracy of 9": edited(lambda _, seed: seed.update(accuracy=9)),
    "an accuracy of words": edited(lambda _, seed: seed.update(accuracy="good")),
    "no accuracy": edited(lambda _, seed: seed.pop("accuracy")),
    "more than accuracy": edited(lambda _, seed: seed.update(more=1)),
    "no images of a digit": edited(lambda _, seed: seed["count"].__setitem__(3, 0)),
    "a digit less": edited(lambda _, seed: seed["correct"].pop()),
    "another confusion": edited(lambda _, seed: seed["confusion"][0].pop()),
    "no macro area": edited(lambda _, seed: seed["roc_auc"].pop("macro")),
    "a curve less": edited(lambda _, seed: seed["roc"].pop("3")),
    "a curve cut short": edited(lambda _, seed: seed["roc"]["3"].pop()),
    "an ensemble of one": edited(lambda content, _: content["ensembles"][0].update(members=1)),
    "no curves": lambda _, curve: curve.unlink(),
    "curves cut short": lambda _, curve: curve.write_text(curve.read_text()[:-6]),
    "curves cut in a line": lambda _, curve: curve.write_text("step\tloss\n1\t0.5\n2"),
    "curves of words": lambda _, curve: curve.write_text("step\tloss\n1\tlow\n2\tlow\n"),
    "curves of something else": lambda _, curve: curve.write_text("<html>not here</html>"),
    "curves of other bytes": lambda _, curve: curve.write_bytes(b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.fault("evaluations and learning curves damaged or edited")
def test_files_that_are_not_what_the_stages_wrote(plan, folders, damage):
    [curve] = (folders / "dvclive" / "lr-1e-4" / "seed-1").rglob("train/loss.tsv")
    damage(folders / "evaluations" / "lr-1e-4.json", curve)
    with pytest.raises(UserError, match="lr-1e-4") as error:
        tables.load(plan, folders / "evaluations", folders / "dvclive")
    assert len(str(error.value).splitlines()) == 1


def test_report_sets_published_next_to_measured(results, claimed):
    text = render(results, claimed)
    row = next(line for line in text.splitlines() if line.startswith("| `mlp-baseline` |"))
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells == ["`mlp-baseline`", "", "80.00 ± 14.14 %", "0.1000", "0.80000", "7", "2"]  # in report 1's
    assert text.count("| `mlp-baseline` | 97.13 %, loss 0.0932 | 80.00 ± 14.14 % |") == 1  # in its own
    assert text.startswith("# Five MNIST lab reports, run again\n")
    assert "published 97.13 %, measured 80.00" not in text  # lr-1e-4 is further off
    assert "`lr-1e-4`, published 94.98 %, measured 50.00 ± 0.00 %" in text


def test_another_data_set_stands_in_the_title_and_is_not_held_against_mnist(params, folders, claimed):
    params["variants"] = {name: params["variants"][name] for name in SCORES}
    params["seeds"], params["data"]["name"] = [0, 1], "digits"
    results = tables.load(resolve(params), folders / "evaluations", folders / "dvclive")
    text = render(results, claimed)
    assert text.startswith("# Five MNIST lab reports, run again, on scikit-learn's digits\n")
    assert "Widest gap" not in text
    assert "for reference only" in text


def test_figures_are_the_same_to_the_byte(results, claimed, tmp_path):
    judged, asked = verdicts.judge(results, claimed), questions.group(results, claimed)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        figures.draw(results, asked, tmp_path / name)
        figures.draw_claims(judged, tmp_path / name)
    drawn = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert drawn == sorted(f"{name}.png" for name in [*figures.FIGURES, "claims"])
    text = render(results, claimed)
    assert text == render(results, claimed)
    for name in drawn:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
        assert f"(plots/{name})" in text


def test_a_run_that_never_gets_a_digit_right_is_reported(results):
    assert "Lost digits" not in render(results)
    one = (results.per_digit["variant"] == "lr-1e-4") & (results.per_digit["seed"] == 1)
    lost = results.per_digit["accuracy"].mask(one & results.per_digit["digit"].isin(["3", "8"]), 0.0)
    text = render(dataclasses.replace(results, per_digit=results.per_digit.assign(accuracy=lost)))
    assert "| `lr-1e-4` | 1 | 50.00 % | 0.1000 | -0.4000 | 3, 8 |" in text


def test_words_stand_in_place_of_figures(results):
    published = {"lr-1e-4": Published(report=5, accuracy=0.9, words="about 90 %")}
    assert "| `lr-1e-4` | “about 90 %” | 50.00 ± 0.00 % |" in render(results, claims_of(published=published))


def test_no_text_of_the_claims_breaks_a_table(results):
    published = {"lr-1e-4": Published(report=5, words="*a* | b\nc <d> `e`")}
    text = render(results, claims_of(published=published))
    [row] = [line for line in text.splitlines() if line.startswith("| `lr-1e-4` | “")]
    assert row.count("|") - row.count(r"\|") == 8
    assert r"“\*a\* \| b\\nc \<d\> \`e\`”" in row


@pytest.mark.parametrize(("count", "words"), [(1, "One MNIST lab report,"), (3, "Three MNIST lab reports,")])
def test_reports_are_those_of_the_claims(results, count, words):
    claimed = claims_of()
    reports = {number + 7: claimed.reports[number] for number in range(1, count + 1)}
    published = {"lr-1e-4": Published(report=8, accuracy=0.9)}
    text = render(results, claimed.model_copy(update={"reports": reports, "published": published}))
    assert text.startswith(f"# {words} run again\n")
    assert "### Report 8: title 1\n" in text


def test_the_reference_is_that_of_the_claims(results):
    assert "The seed alone moves `mlp-baseline` between 70.00 % and 90.00 %: 20 images of 100." in render(
        results, claims_of(reference="mlp-baseline")
    )
    assert "The seed alone" not in render(results, claims_of(reference="another"))


def test_runs_have_a_row_each_with_the_accuracy_on_each_digit(results):
    runs = tables.plot_data(results)["runs"]
    digits = [f"digit_{digit}" for digit in range(10)]
    figures = ["accuracy", "loss", "roc_auc_macro", "roc_auc_micro"]
    assert list(runs.columns) == ["variant", "seed", *figures, *digits]
    assert list(zip(runs["variant"], runs["seed"], strict=True)) == [(v, s) for v in SCORES for s in (0, 1)]
    assert (runs[digits].to_numpy() == runs[["accuracy"]].to_numpy()).all()


def test_a_variant_with_a_run_that_diverged_has_no_mean_loss(results):
    results.runs.loc[1, "loss"] = float("nan")
    assert tables.summary(results)["mlp-baseline"]["loss"] is None
    assert "| `mlp-baseline` |  | 80.00 ± 14.14 % | diverged |" in render(results)


def test_curves_are_drawn_by_question_and_not_by_variant(results, claimed):
    asked = questions.group(results, claimed)
    assert [question.report for question in asked] == [1, 2, 3]
    for draw in (figures.learning_curves, figures.roc):
        axes = draw(results, asked).axes
        assert len(axes) == 2 * len(asked)
        named = [[text.get_text() for text in each.get_legend().texts] for each in axes[1::2]]
        assert named == [["mlp-baseline"], ["lr-1e-4"], ["mlp-baseline"]]


def test_a_legend_has_the_order_of_its_lines(results):
    claimed = claims_of(published={"lr-1e-4": Published(report=1), "mlp-baseline": Published(report=1)})
    figure = figures.learning_curves(results, questions.group(results, claimed))
    assert [text.get_text() for text in figure.axes[1].get_legend().texts] == ["mlp-baseline", "lr-1e-4"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.0004, "< 0.001"), (0.0123, "0.012"), (0.0496, "0.0496"), (0.0501, "0.0501"), (0.254, "0.25")]
)
def test_p_value_says_on_which_side_of_5_percent_it_lies(value, text):
    assert markdown.p_value(value) == text
