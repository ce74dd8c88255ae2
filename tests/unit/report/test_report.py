"""From evaluations and learning curves to tables, figures and words."""

import dataclasses
import json
import re
import shutil

import pandas as pd
import pytest

from remnist.plan.claims import Published
from remnist.plan.resolve import resolve
from remnist.report import figures, markdown, questions, tables
from tests.support.studies import SCORES, accuracies, claim, claims_of, render, study


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
    for figure in figures.OF_RESULTS:
        figures.draw(figure, folders, questions.group(results, claims_of()), results)


def test_every_claim_has_a_row_and_every_variant_a_place(results, claimed):
    text = render(results, claimed)
    ledger = text.split("## The claims")[1].split("## Accuracy")[0]
    for each in claimed.claims.values():
        assert f"| {each.report} | {each.says} |" in ledger
    # One of the two variants here is held against a level, and they are not compared.
    assert ledger.count("**not testable**") == len(claimed.claims) - 1
    assert "### Report 1" in text and "### Report 2" in text
    assert "### Report 4" not in text


def test_variants_that_no_report_and_no_claim_names_stand_by_themselves(results):
    text = render(results)
    assert "### Other variants" in text.split("## Report by report")[1]
    assert "### Report 1" not in text


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


def test_title_and_introduction_are_those_of_the_claims(results):
    said = claims_of().model_copy(update={"title": "Two *reports*", "introduction": "A | demonstration."})
    text = render(results, said)
    assert text.startswith("# Two \\*reports\\*\n")
    assert text.index("\nA \\| demonstration.\n") < text.index("**Where to look.**")


def test_it_opens_with_the_largest_decided_differences_in_accuracy():
    scores = {"a": 0.9, "b": 0.7, "c": 0.9, "d": 0.5, "e": 0.4}
    measured = study({name: accuracies(score) for name, score in scores.items()})
    claimed = {name: claim(says=name, variants=["a", name]) for name in scores if name != "a"}
    opening = render(measured, claims_of(claimed)).split("\n## ")[0]
    [line] = [line for line in opening.splitlines() if "Largest" in line]
    assert re.findall(r"`a` - `(.)`: ([+-][\d.]+) points \[.*?\] \(. (\w+)\)", line.replace(": upheld", " upheld")) == [
        ("e", "+50.00", "upheld"), ("d", "+40.00", "upheld"), ("b", "+20.00", "upheld"),
    ]  # fmt: skip
    assert "Largest" not in render(measured)


def test_where_to_look_are_headings_of_the_report(results, claimed):
    text = render(results, claimed)
    headings = {line.lstrip("# ").lower().replace(" ", "-") for line in text.splitlines() if line.startswith("## ")}
    links = set(re.findall(r"\]\(#([a-z-]+)\)", text))
    assert len(links) >= 7
    assert links <= headings


def test_the_reference_is_that_of_the_claims(results):
    assert "The seed alone moves `mlp-baseline` between 70.00 % and 90.00 %: 20 images of 100." in render(
        results, claims_of(reference="mlp-baseline")
    )
    assert "The seed alone" not in render(results, claims_of(reference="another"))


def test_a_variant_with_a_run_that_diverged_has_no_mean_loss(results):
    results.runs.loc[1, "loss"] = float("nan")
    assert tables.summary(results)["mlp-baseline"]["loss"] is None
    assert "| `mlp-baseline` |  | 80.00 ± 14.14 % | diverged |" in render(results)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0004, "< 0.001"), (0.0123, "0.012"), (0.0496, "0.0496"), (0.0501, "0.0501"), (0.254, "0.25")]
)
def test_p_value_says_on_which_side_of_5_percent_it_lies(value, text):
    assert markdown.p_value(value) == text
