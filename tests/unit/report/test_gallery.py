"""The hardest test images: how they are ranked, drawn, read and reported."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

from remnist.errors import UserError
from remnist.report import figures, gallery, tables
from tests.support.studies import IMAGES, render, study, variant

LABELS = [3, 3, 7, 7, 0]


def made(predictions: dict[str, list[list[int]]], labels: list[int]) -> tables.Results:
    """Return a study in which each variant's seeds predicted this."""
    results = study({name: [0.5] * len(seeds) for name, seeds in predictions.items()})
    return dataclasses.replace(
        results,
        test_images=len(labels),
        labels={name: np.array(labels, np.uint8) for name in predictions},
        predictions={name: np.array(seeds, np.uint8) for name, seeds in predictions.items()},
    )


@pytest.fixture
def results():
    """Two variants with images 0 and 2 equally hard, and XOR's, whose test set is another."""
    two = made({"two": [[8, 5, 7, 7, 0], [3, 5, 1, 7, 0]], "four": [[5, 3, 1, 7, 0]] * 4}, LABELS)
    xor = made({"xor": [[1, 0, 0, 1]]}, [0, 1, 1, 0])
    xor.plan["xor"] = variant(1, name="xor")
    together = {field: getattr(two, field) | getattr(xor, field) for field in ("plan", "labels", "predictions")}
    return dataclasses.replace(two, **together)


@pytest.fixture
def flawless():
    return made({"two": [LABELS] * 2}, LABELS)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (len(LABELS), 8, 8), np.uint8)


def test_runs_that_diverged_do_not_count(results):
    results.runs["diverged"] = (results.runs["variant"] == "two") & (results.runs["seed"] == 0)
    assert [predictions.tolist() for predictions in gallery.counted(results)] == [
        [[3, 5, 1, 7, 0]], [[5, 3, 1, 7, 0]] * 4
    ]  # fmt: skip
    results.runs["diverged"] = results.runs["variant"] == "two"
    assert [len(predictions) for predictions in gallery.counted(results)] == [4]
    assert gallery.facts(results, gallery.rank(results))["wrong_in_all"] == 2
    ranked = gallery.rank(results)
    results.runs["diverged"] = True
    everything = gallery.rank(results)
    results.runs["diverged"] = False
    assert everything.equals(gallery.rank(results))
    assert not everything.equals(ranked)


def test_ranking_counts_each_variant_the_same(results):
    ranking = gallery.rank(results)
    columns = ["image", "label", "wrong", "predicted", "share", "variants"]
    assert list(ranking.columns) == columns
    assert ranking.to_numpy().tolist() == [
        [0, 3, 0.75, 5, 0.5, 1],  # half of the seeds are not most; 5 in one variant, 8 in half of the other
        [2, 7, 0.75, 1, 0.75, 1],
        [1, 3, 0.5, 5, 0.5, 1],
    ]
    assert list(ranking.index) == [0, 1, 2]


def test_equally_hard_images_tie_whatever_the_order_of_the_variants():
    """1/3 + 2/3 + 1/7 is not, bit by bit, 1/7 + 1/3 + 2/3."""
    shares = [(1, 3), (2, 3), (1, 7), (2, 7), (1, 9), (1, 11)]
    orders = [shares[i:] + shares[:i] for i in range(len(shares))]
    seeds = 3 * 7 * 9 * 11
    predictions = {
        f"v{v}": [[int(seed * orders[image][v][1] < seeds * orders[image][v][0]) for image in range(len(orders))]
                  for seed in range(seeds)]
        for v in range(len(shares))
    }  # fmt: skip
    ranking = gallery.rank(made(predictions, [0] * len(orders)))
    assert ranking["image"].tolist() == list(range(len(orders)))
    assert ranking["wrong"].nunique() == 1


def test_section_states_what_the_ranking_says(results):
    xor = study({"xor": [1.0, 1.0]})
    tabled = {name: pd.concat([getattr(study({"two": [0.5] * 2, "four": [0.5] * 4}), name), getattr(xor, name)])
              for name in ("runs", "per_digit", "curves", "ensembles", "seconds")}  # fmt: skip
    text = render(dataclasses.replace(results, **tabled))
    assert (
        "0 of 5 test images are wrong in most runs of every variant on images, 3 in most runs of at least half" in text
    )
    assert "Hardest: number 0 of the test set, counted from 0, 3 → 5; 75.00 % of the networks get it wrong," in text
    assert ", 50.00 % take it for a 5." in text
    assert "Most frequent among the 3 hardest: 3 → 5 (2 images each)." in text
    assert "(plots/gallery.png)" in text


def test_section_of_a_study_without_a_wrong_answer(flawless, images, tmp_path):
    assert "\n\n## Hardest images\n\nNo network gets any of the 5 test images wrong.\n\n" in render(flawless)
    assert "plots/gallery.png" not in render(flawless)
    figures.draw("gallery", tmp_path, gallery.rank(flawless), images)
    assert not list(tmp_path.iterdir())


def test_the_report_has_the_section():
    text = render(study({"mlp-baseline": [0.9, 0.8]}))
    assert "\n\n## Hardest images\n\n" in text
    assert f"100 of {IMAGES:,} test images are wrong in most runs of every variant" in text


@pytest.mark.parametrize("hardest", [1, 3, gallery.SHOWN])
def test_figure_is_the_same_to_the_byte(results, images, tmp_path, hardest):
    ranking = gallery.rank(results)
    ranking = ranking.loc[np.arange(hardest) % len(ranking)]
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        figures.draw("gallery", tmp_path / name, ranking, images)
    first, second = ((tmp_path / name / "gallery.png").read_bytes() for name in ("first", "second"))
    assert first == second
    assert first.startswith(b"\x89PNG")


def test_figure_has_the_hardest_images_and_no_more(results, images):
    ranking = gallery.rank(results)
    [axes] = figures.hardest(ranking, images).axes
    assert [shown.get_array().tolist() for shown in axes.images] == [images[image].tolist() for image in (0, 2, 1)]
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["3 → 5", "75 % wrong", "7 → 1", "75 % wrong", "3 → 5", "50 % wrong"]
    many = ranking.loc[np.arange(gallery.SHOWN + 5) % len(ranking)]
    assert len(figures.hardest(many, images).axes[0].images) == gallery.SHOWN


def test_images_are_those_that_preprocess_wrote(prepared):
    tensors = load_file(prepared)
    results = made({"v": [tensors["test_labels"].tolist()]}, tensors["test_labels"].tolist())
    assert np.array_equal(gallery.read_images(prepared, results), tensors["test_images"])


def without_test_images(tensors):
    del tensors["test_images"]


DAMAGES = {
    "no test images": (without_test_images, "`dvc repro preprocess` makes it"),
    "fewer images": (lambda t: t.update(test_images=t["test_images"][:4]), "`dvc repro preprocess` makes it again"),
    "rows of pixels": (lambda t: t.update(test_images=t["test_images"][:, 0]), "`dvc repro preprocess` makes it again"),
    "no squares": (lambda t: t.update(test_images=t["test_images"][:, 1:].copy()), "`dvc repro preprocess` makes it"),
    "fractions": (lambda t: t.update(test_images=t["test_images"] / 255), "`dvc repro preprocess` makes it again"),
    "other labels": (lambda t: t.update(test_labels=t["test_labels"][::-1].copy()), "that `two` was evaluated on"),
}


@pytest.mark.parametrize(("damage", "words"), DAMAGES.values(), ids=DAMAGES)
def test_images_that_are_not_what_was_evaluated(results, images, tmp_path, damage, words):
    tensors = {"test_images": images, "test_labels": np.array(LABELS, np.uint8)}
    damage(tensors)
    save_file(tensors, tmp_path / "images.safetensors")
    refused(results, tmp_path / "images.safetensors", words)


@pytest.mark.parametrize("content", [None, b"", b"<html>not here</html>"])
def test_images_that_are_not_there(results, tmp_path, content):
    if content is not None:
        (tmp_path / "images.safetensors").write_bytes(content)
    refused(results, tmp_path / "images.safetensors", "`dvc repro preprocess` makes it")


def refused(results, path, words):
    with pytest.raises(UserError, match=words) as error:
        gallery.read_images(path, results)
    assert str(error.value).startswith(f"{path}: ")
    assert len(str(error.value).splitlines()) == 1


def test_a_study_without_images(results):
    xor = dataclasses.replace(results, plan={"xor": results.plan["xor"]})
    with pytest.raises(UserError, match="no variant is on images"):
        gallery.rank(xor)
