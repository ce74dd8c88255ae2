"""Evaluations and learning curves as tables."""

import json

import pytest

from remnist.errors import UserError
from remnist.evaluation.metrics import FALSE_POSITIVE_RATES
from remnist.report import summaries, tables
from tests.support.studies import SCORES


def test_summary_is_mean_and_sample_deviation_over_seeds(results):
    summary = summaries.summary(results)
    assert list(summary) == list(SCORES)
    assert summary["mlp-baseline"] == {
        "accuracy": 0.8, "accuracy_sd": 0.141421, "loss": 0.1, "roc_auc_macro": 0.8, "roc_auc_micro": 0.5,
        "parameters": 7, "seeds": 2,
    }  # fmt: skip
    assert summary["lr-1e-4"]["accuracy_sd"] == 0
    json.dumps(summary, allow_nan=False)


def test_per_digit_and_confusion(results):
    assert summaries.per_digit(results)["mlp-baseline"] == {str(digit): 0.8 for digit in range(10)}
    confusion = results.confusion.set_index(["variant", "actual", "predicted"])["rate"]
    assert confusion["mlp-baseline", "3", "3"] == 0.8
    assert confusion["mlp-baseline", "3", "0"] == pytest.approx(0.2)
    assert confusion["mlp-baseline", "0", "0"] == 1


def test_plot_data_is_the_mean_over_seeds(results):
    data = summaries.plot_data(results)
    curves = data["learning_curves"].set_index(["variant", "part", "epoch"])["accuracy"]
    assert [curves["mlp-baseline", "test", epoch] for epoch in range(3)] == pytest.approx([0.1, 0.5, 0.8])
    assert len(data["accuracy"]) == 4
    assert data["roc"].groupby(["variant", "curve"]).size().eq(len(FALSE_POSITIVE_RATES)).all()


RUN = {
    "parameters": 7, "weight_norm": 3.0, "accuracy": 0.9, "loss": 0.1, "roc_auc_macro": 0.9, "roc_auc_micro": 0.5,
    "train_accuracy": 0.9, "batch_loss_sd": 0.05, "generalization_gap": 0.0, "digit_spread": 0.0, "diverged": False,
    "digit_missing": False, **{f"digit_{digit}": 0.9 for digit in range(10)},
}  # fmt: skip


def test_runs_have_a_row_each_with_all_that_a_claim_compares(results):
    runs = summaries.plot_data(results)["runs"]
    assert list(zip(runs["variant"], runs["seed"], strict=True)) == [(v, s) for v in SCORES for s in (0, 1)]
    assert {"roc_auc_worst_digit", "roc_auc_spread", "loss_variation"} == set(runs.columns) - {"variant", "seed", *RUN}
    first = runs.iloc[0]
    assert {name: first[name] for name in RUN} == RUN
    assert first["roc_auc_worst_digit"] == min(results.runs["roc_auc_worst_digit"][0], 1)


def test_curves_have_a_row_a_run_and_epoch(results):
    curves = summaries.plot_data(results)["curves"]
    own = curves[(curves["variant"] == "mlp-baseline") & (curves["seed"] == 1)]
    assert list(own["epoch"]) == [0, 1, 2]
    assert list(own["test_accuracy"]) == list(own["train_accuracy"]) == [0.1, 0.5, 0.7]
    assert own["batch_loss"].isna().to_list() == [True, False, False]
    assert "validation_loss" not in curves


def test_curves_of_held_out_images_stand_where_there_are_any(load_study):
    results = load_study(validation=5_000)
    assert results.curves["validation_accuracy"].notna().all()
    assert set(summaries.plot_data(results)["learning_curves"]["part"]) == {"train", "test", "validation"}


def test_seconds_are_those_of_the_rounds(results):
    rows = results.seconds.to_dict(orient="records")
    assert rows == [
        {"variant": "lr-1e-4", "round": 1, "seconds": 0.8},
        {"variant": "lr-1e-4", "round": 2, "seconds": 1.0},
    ]


@pytest.mark.parametrize("content", [None, "", "variant,seconds\n", "round,variant,seconds\n1,a,long\n"])
@pytest.mark.fault("a benchmark's table damaged")
def test_seconds_that_are_no_table(tmp_path, content):
    if content is not None:
        (tmp_path / "seconds.csv").write_text(content)
    with pytest.raises(UserError, match=r"seconds\.csv: .*`python -m benchmarks.study` writes it") as error:
        tables.read_seconds(tmp_path / "seconds.csv")
    assert len(str(error.value).splitlines()) == 1


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
    "no standard error": edited(lambda content, _: content["ensembles"][0].pop("vote_se")),
    "no norm": edited(lambda _, seed: seed.pop("weight_norm")),
    "no curves": lambda _, curve: curve.unlink(),
    "curves cut short": lambda _, curve: curve.write_text(curve.read_text()[:-6]),
    "curves cut in a line": lambda _, curve: curve.write_text("step\tloss\n0\t2\n1\t0.5\n2"),
    "curves from epoch 1 on": lambda _, curve: curve.write_text("step\tloss\n1\t0.5\n2\t0.4\n"),
    "curves of more epochs": lambda _, curve: curve.write_text("step\tloss\n0\t2\n1\t0.5\n2\t0.4\n3\t0.3\n"),
    "curves of words": lambda _, curve: curve.write_text("step\tloss\n0\tlow\n1\tlow\n2\tlow\n"),
    "no batches": lambda _, curve: curve.with_name("batch_loss_sd.tsv").unlink(),
    "batches before the first": lambda _, curve: curve.with_name("batch_loss.tsv").write_text(curve.read_text()),
    "curves of something else": lambda _, curve: curve.write_text("<html>not here</html>"),
    "curves of other bytes": lambda _, curve: curve.write_bytes(b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.fault("evaluations and learning curves damaged or edited")
def test_files_that_are_not_what_the_stages_wrote(plan, load, folders, damage):
    [curve] = (folders / "dvclive" / "lr-1e-4" / "seed-1").rglob("train/loss.tsv")
    damage(folders / "evaluations" / "lr-1e-4.json", curve)
    with pytest.raises(UserError, match="lr-1e-4") as error:
        load(plan)
    assert len(str(error.value).splitlines()) == 1
