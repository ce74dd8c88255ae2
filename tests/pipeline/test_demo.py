"""The demonstration's copy of the project."""

from remnist.commands import demo
from remnist.files import read_yaml
from remnist.plan.resolve import resolve


def test_it_has_every_variant_on_digits_with_few_epochs_and_leaves_the_project_alone(tmp_path, params):
    demo.copy(tmp_path / "demo", demo.SETTINGS, epochs=demo.EPOCHS)
    plan, study = resolve(read_yaml(tmp_path / "demo" / "params.yaml")), resolve(params)
    assert list(plan) == list(study)
    assert {entry["data"]["name"] for entry in plan.values()} == {"digits", "xor"}
    for variant, entry in plan.items():
        assert entry["train"]["epochs"] == min(demo.EPOCHS, study[variant]["train"]["epochs"])
        assert entry["seeds"] == [0, 1]
    assert not (tmp_path / "demo" / "dvc.lock").exists()
    assert resolve(read_yaml(demo.ROOT / "params.yaml")) == study
