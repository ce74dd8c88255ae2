"""From evaluations and learning curves to tables, figures and words."""

import dataclasses
import json
import re
import shutil

import pandas as pd
import pytest

from remnist.plan.claims import Published
from remnist.plan.resolve import resolve
from remnist.report import figures, questions, summaries
from tests.support.studies import SCORES, accuracies, claim, claims_of, render, study


def test_one_seed_has_no_deviation(params, folders, load):
    params["variants"] = {"mlp-baseline": {}}
    params["seeds"] = [0]
    path = folders / "evaluations" / "mlp-baseline.json"
    evaluation = json.loads(path.read_text())
    path.write_text(json.dumps(evaluation | {"seeds": evaluation["seeds"][:1], "ensembles": []}))
    results = load(resolve(params))
    summary = summaries.summary(results)
    assert summary["mlp-baseline"]["accuracy_sd"] is None
    assert "| 90.00 % |" in render(results)


def test_ensembles_by_number_of_members(results):
    assert summaries.ensembles(results)["lr-1e-4"] == {
        "2": {"average": 0.875, "average_se": 0.01, "vote": 0.75, "vote_se": 0.01}
    }
    text = render(results)
    assert "| `lr-1e-4` | 50.00 |  |  | 87.50 | 75.00 | 2 |" in text


def test_five_networks_stand_next_to_all(results):
    five = results.ensembles.assign(members=5, average=0.6, vote=0.5)
    together = dataclasses.replace(results, ensembles=pd.concat([five, results.ensembles.assign(members=7)]))
    assert summaries.ensembles(together)["lr-1e-4"].keys() == {"5", "7"}
    text = render(together)
    assert "| `lr-1e-4` | 50.00 | 60.00 | 50.00 | 87.50 | 75.00 | 7 |" in text


def test_xor_has_two_digits_and_is_not_the_best_on_the_images(params, folders, load):
    params["variants"]["xor"]["train"]["epochs"] = 2
    plan = resolve(params | {"seeds": [0, 1]})
    evaluation = json.loads((folders / "evaluations" / "lr-1e-4.json").read_text())
    for seed in evaluation["seeds"]:
        for curves in (seed["roc"], seed["roc_auc"]):
            for digit in range(2, 10):
                del curves[str(digit)]
        seed |= {"accuracy": 1.0, "correct": [2, 2], "count": [2, 2], "confusion": [[2, 0], [0, 2]], "answers": "0110"}
    evaluation["labels"] = "0110"
    (folders / "evaluations" / "xor.json").write_text(json.dumps(evaluation))
    shutil.copytree(folders / "dvclive" / "lr-1e-4", folders / "dvclive" / "xor")
    results = load({name: plan[name] for name in (*SCORES, "xor")})
    assert summaries.per_digit(results)["xor"] == {"0": 1.0, "1": 1.0}
    text = render(results)
    assert "Best on the test set: `mlp-baseline`" in text
    assert "| `xor` | 100.00 | 100.00 |  |  |  |  |  |  |  |  |" in text
    for figure in figures.OF_RESULTS:
        assert figures.FIGURES[figure](questions.group(results, claims_of()), results).axes


def cells(text: str, start: str) -> list[str]:
    """Return the cells of the one row that starts so."""
    [row] = [line for line in text.splitlines() if line.startswith(start)]
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def test_every_claim_has_a_row_and_every_variant_a_place(results, claimed):
    text = render(results, claimed)
    ledger = text.split("## The claims")[1].split("## Accuracy")[0]
    for each in claimed.claims.values():
        if each.report <= 3:  # whose variants there are
            assert f"| {each.statement} | {each.says} |" in ledger
    assert "### Report 1" in text and "### Report 2" in text
    assert "### Report 4" not in text


def test_each_claim_is_judged_in_words(results):
    """Of one variant here are 90 and 70 %, of the other 50 % twice."""
    asked = {"x": claim(variants=["mlp-baseline", "lr-1e-4"], note="Beware.", says="It is *so*")}
    text = render(results, claims_of(asked, {"lr-1e-4": Published(report=1, accuracy=0.5)}))
    assert cells(text, "| 1 | It is")[:6] == [
        "1", r"It is \*so\*", "`mlp-baseline` - `lr-1e-4`", "more", "",
        "+30.00 points [-97.06, +157.06], with images [-106.47, +166.47]",
    ]  # fmt: skip
    assert "undecided" in cells(text, "| 1 | It is")[6]
    assert "**undecided**" in text
    assert r"- *It is \*so\*.* Beware." in text
    assert "\n1 claim of five reports came out so:\n" in text
    assert cells(text, "| 1 | **")[:2] == ["1", "**undecided**"]


def test_variants_that_no_report_and_no_claim_names_stand_by_themselves(results):
    text = render(results)
    assert "### Other variants" in text.split("## Report by report")[1]
    assert "### Report 1" not in text


def test_report_sets_published_next_to_measured(results, claimed):
    text = render(results, claimed)
    row = next(line for line in text.splitlines() if line.startswith("| `mlp-baseline` |"))
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells[:1] + cells[2:] == ["`mlp-baseline`", "", "80.00 ± 14.14 %", "0.1000", "0.80000", "7", "2"]
    assert "hidden [100, 80]" in cells[1]  # of the reference all settings, of others what differs
    assert "| `lr-1e-4` | lr 0.0001, batch_size 100, optimizer adam, betas [0.9, 0.999] |" in text
    assert text.count(" | 97.13 %, loss 0.0932 | 80.00 ± 14.14 % |") == 1  # in its own report
    assert text.startswith("# Five MNIST lab reports, run again\n")
    assert "published 97.13 %, measured 80.00" not in text  # lr-1e-4 is further off
    assert "`lr-1e-4`, published 94.98 %, measured 50.00 ± 0.00 %" in text


def test_another_data_set_stands_in_the_title_and_is_not_held_against_mnist(load_study, claimed):
    text = render(load_study(name="digits"), claimed)
    assert text.startswith("# Five MNIST lab reports, run again, on scikit-learn's digits\n")
    assert "Widest gap" not in text
    assert "for reference only" in text


def test_a_run_that_lacks_digits_is_reported(results):
    assert "Missing digits" not in render(results)
    one = (results.per_digit["variant"] == "lr-1e-4") & (results.per_digit["seed"] == 1)
    lost = results.per_digit["accuracy"].mask(one & results.per_digit["digit"].isin(["3", "8"]), 0.0)
    text = render(dataclasses.replace(results, per_digit=results.per_digit.assign(accuracy=lost)))
    assert "| `lr-1e-4` | 1 | 50.00 % | 0.1000 |  | 3, 8 |" in text


def test_words_stand_in_place_of_figures(results):
    published = {"lr-1e-4": Published(report=5, accuracy=0.9, words="about 90 %")}
    assert " | “about 90 %” | 50.00 ± 0.00 % |" in render(results, claims_of(published=published))


HOSTILE = "*a* | b\nc <d> `e` $f$ [g](h) _i_ ~j~ &amp; \\\\k"
AS_IT_IS = r"\*a\* \| b\\nc \<d\> \`e\` \$f\$ [g\](h) \_i\_ \~j\~ \&amp; \\\\k"


@pytest.mark.fault("texts that mean something to a renderer")
@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"says": HOSTILE}, 1),
        ({"not_testable": HOSTILE, "margin": None}, 9),
        ({"by_construction": HOSTILE}, 9),
        ({"cause": {"words": HOSTILE, "control": ["mlp-baseline", "lr-1e-4"]}}, 8),
    ],
)
def test_no_text_of_a_claim_breaks_a_table(results, changes, column):
    asked = claim(**({"statement": 7, "says": "x", "variants": ["lr-1e-4", "mlp-baseline"]} | changes))
    found = cells(render(results, claims_of({"x": asked})), "| 7 | ")
    assert len(found) == 11
    assert AS_IT_IS in found[column]


@pytest.mark.fault("texts that mean something to a renderer")
def test_no_text_of_a_claim_file_is_markup(results):
    asked = {"x": claim(says="x", note=HOSTILE, not_testable="no", margin=None, variants=list(SCORES))}
    claimed = claims_of(asked, {"lr-1e-4": Published(report=5, words=HOSTILE)})
    reports = {number: report.model_copy(update={"title": HOSTILE}) for number, report in claimed.reports.items()}
    made = {"title": HOSTILE, "introduction": HOSTILE, "made_on": HOSTILE, "reports": reports, "findings": ["x"]}
    text = render(results, claimed.model_copy(update=made))
    [row] = [line for line in text.splitlines() if line.startswith("| `lr-1e-4` |") and "“" in line]
    assert len(cells(row, "")) == 8
    assert text.startswith(f"# {AS_IT_IS}")
    for start in ("- *x.* ", "### Report 5: "):
        assert f"{start}{AS_IT_IS}" in text
    assert text.count(AS_IT_IS) >= 7
    assert "<d>" not in text.replace(r"\<d\>", "")


def odd():
    """Return a study of whatever has no figure: runs that diverged, epochs that are never reached, a single seed."""
    made = study({"a": accuracies(0.95, 6), "b": [0.1] * 6, "c": accuracies(0.9, 6), "d": [0.9]},
                 test={"a": [[0.95]] * 3 + [[0.9]] * 3, "b": [[0.1]] * 6, "c": [[0.95]] * 6, "d": [[0.95]]},
                 losses={"b": [float("nan")] * 6}, missing={"c": [True, False] * 3})  # fmt: skip
    made.runs.loc[made.runs["variant"] == "b", "weight_norm"] = float("nan")
    return made


ASKED = [
    {}, {"variants": ["a", "c"]}, {"variants": ["a", "d"]}, {"variants": ["a"], "level": 0.5},
    {"variants": ["d"], "level": 0.5}, {"variants": ["b"], "level": 0.1}, {"metric": "loss", "margin": 0.05},
    {"metric": "loss", "margin": 0.05, "variants": ["b"], "level": 0.1}, {"metric": "weight_norm", "margin": 0.05},
    {"metric": "diverged", "margin": None}, {"metric": "diverged", "margin": None, "variants": ["a", "c"]},
    *({"metric": "epochs_to_reach", "reach": 0.95, "margin": 0.5, "variants": pair, "expect": expect}
      for pair in (["a", "b"], ["a", "c"], ["b", "c"]) for expect in ("more", "same")),
    {"metric": "epochs_to_reach", "reach": 0.95, "margin": 0.5, "variants": ["b"], "level": 1.0},
    {"expect": "as_published", "margin": None, "variants": ["b"], "metric": "loss", "published": 0.1},
    {"expect": "as_published", "margin": None, "variants": ["a", "d"]},
    {"metric": "average_of_five", "variants": [], "level": 0.0},
    {"metric": "average_of_five", "variants": ["d"], "level": 0.0},
    {"found_digits": True, "variants": ["c", "a"]}, {"by_construction": "a count"},
    {"cause": {"words": "x", "control": ["c", "b"]}},
]  # fmt: skip


def test_no_figure_that_is_none_is_shown():
    """Neither NaN nor infinity, nor a word of Python."""
    published = {name: Published(report=1, accuracy=0.9) for name in "ad"}
    text = render(odd(), claims_of({f"x{i}": claim(**each) for i, each in enumerate(ASKED)}, published))
    assert not re.findall(r"(?i)\b(nan|-?inf|infinity|none|null)\b", re.sub("`[^`]*`", "", text).replace("is none", ""))
    assert "beyond 1 (0 of 6 get there)" in text
    assert "6 of 6 against 0 of 6" in text or "0 of 6 against 6 of 6" in text


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


def test_it_opens_with_the_findings_that_were_chosen():
    study_of = study({"a": accuracies(0.9), "b": accuracies(0.8)[::-1], "c": accuracies(0.9)[::-1]})
    asked = {"x": claim(says="a beats b", note="Beware."), "y": claim(says="a beats c", variants=["a", "c"]),
             "z": claim(says="so made", by_construction="SGD adds as L2 does")}  # fmt: skip
    opening = render(study_of, claims_of(asked).model_copy(update={"findings": ["y", "z", "x"]})).split(
        "## The claims"
    )[0]
    rows = re.findall(r"^(\d)\. Report 1: \*(.*?)\.\* \*\*(.*?)\*\*", opening, re.MULTILINE)
    assert rows == [
        ("1", "a beats c", "No effect"),
        ("2", "so made", "By construction"),
        ("3", "a beats b", "Replicated"),
    ]
    assert "`a` - `b`: +10.00 points [" in opening
    assert "Beware." in opening
    assert "SGD adds as L2 does" in opening
    assert "What was found" not in render(study_of, claims_of(asked))


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
    assert summaries.summary(results)["mlp-baseline"]["loss"] is None
    assert " |  | 80.00 ± 14.14 % | diverged |" in render(results)
