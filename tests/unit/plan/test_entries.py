"""The plan as the stages read it."""

import json

import pytest

from remnist.errors import UserError
from remnist.plan import entries
from remnist.plan.resolve import resolve


@pytest.fixture
def plan(params, tmp_path):
    made = resolve(params)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({name: variant.to_json() for name, variant in made.items()}))
    return path, made


def test_what_was_written_is_read(plan):
    path, made = plan
    assert entries.read(path) == made
    assert list(entries.read(path)) == list(made)


def test_an_unknown_variant_is_an_error_that_lists_those_there_are(plan):
    path, made = plan
    assert entries.read_variant(path, "xor") == made["xor"]
    with pytest.raises(UserError, match="no variant 'mlp-basline'; there are: mlp-baseline, mlp-adam"):
        entries.read_variant(path, "mlp-basline")


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: entry.pop("seeds"),
        lambda entry: entry.pop("train"),
        lambda entry: entry.update(more=1),
        lambda entry: entry.update(seeds=[]),
        lambda entry: entry.update(seeds=["../x"]),
        lambda entry: entry["train"].update(momentum=2),
        lambda entry: entry["train"].update(betas=[0.9, 0.99]),
        lambda entry: entry["train"].pop("random_shift"),
        lambda entry: entry["model"].update(name="../../evil"),
        lambda entry: entry["model"].pop("hidden"),
        lambda entry: entry.update(data={"name": "xor"}),
    ],
)
def test_an_entry_that_plan_would_not_write_is_refused(plan, damage):
    path, _ = plan
    content = json.loads(path.read_text())
    damage(content["mlp-baseline"])
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"plan\.json: mlp-baseline: not as `dvc repro plan` writes it") as error:
        entries.read(path)
    assert len(str(error.value).splitlines()) == 1
