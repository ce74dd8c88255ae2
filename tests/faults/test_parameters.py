"""Parameters, claims and names of variants: a line for each thing that is wrong."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remnist.errors import UserError
from remnist.files import read_yaml
from remnist.plan import claims, comparisons
from remnist.plan.resolve import resolve
from remnist.settings import Variant
from tests.support.harm import refused
from tests.support.repository import Repository
from tests.support.variants import study as content_of


def anything() -> st.SearchStrategy[Any]:
    """Return whatever YAML can hold."""
    leaves = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_subnormal=False)
        | st.text(max_size=8)
        | st.dates()
        | st.binary(max_size=4)
    )
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.text(max_size=6) | st.integers(), inner, max_size=3), max_leaves=6)  # fmt: skip


PATHS = [
    "data", "data.name", "data.validation", "data.normalize", "data.image_size", "model", "model.name", "model.hidden",
    "model.activation", "model.batch_norm", "model.dropout", "train", "train.optimizer", "train.lr", "train.momentum",
    "train.weight_decay", "train.batch_size", "train.epochs", "train.loss", "train.schedule", "train.random_shift",
    "train.numerics", "train.device", "seeds", "variants", "variants.new", "variants.mlp-baseline",
    "variants.mixer-standard.model", "variants.mixer-standard.model.patch_size", "variants.resnet-plain.train",
    "variants.capacity-256.seeds", "unheard-of",
]  # fmt: skip


def put(params: dict[str, Any], path: str, value: Any) -> None:
    *parents, key = path.split(".")
    section = params
    for parent in parents:
        section = section[parent] = section.get(parent) or {}
    section[key] = value


VARIANTS = ["mlp-baseline", "mixer-standard", "resnet-plain", "capacity-256"]
RANDOM = 400  # examples


@pytest.mark.fault("random parameters (hypothesis)", times=RANDOM)
@settings(max_examples=RANDOM, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(PATHS), value=anything())
def test_random_parameters_make_a_plan_or_an_error(params, path, value):
    """A line for each thing that is wrong, with nothing that a terminal would obey; or a plan that JSON can hold."""
    broken = copy.deepcopy(params)
    broken["variants"] = {name: broken["variants"][name] for name in VARIANTS}
    put(broken, path, value)
    try:
        made = resolve(broken)
    except UserError as error:
        lines = str(error).splitlines()
        assert lines
        assert all(": " in line and line.isprintable() for line in lines)
    else:
        entries = {name: variant.to_json() for name, variant in made.items()}
        read = json.loads(json.dumps(entries, allow_nan=False))
        assert {name: Variant.from_json(entry) for name, entry in read.items()} == made


@pytest.mark.fault("random claims and published figures (hypothesis)", times=RANDOM)
@settings(max_examples=RANDOM, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(section=st.sampled_from(["claims", "published"]), key=st.text(max_size=6), value=anything())
def test_random_claims_are_checked_or_refused(params, monkeypatch, section, key, value):
    plan, content = resolve(params), content_of("claims.yaml")
    name, entry = next(iter(content[section].items()))
    fields = list((claims.Claim if section == "claims" else claims.Published).model_fields)
    known = fields[len(key) % len(fields)]
    for changed in ({key: value}, {name: value}, {name: entry | {key: value}}, {name: entry | {known: value}}):
        broken = content | {section: content[section] | changed}
        monkeypatch.setattr(claims, "read_yaml", lambda _, broken=broken: broken)
        try:
            comparisons.check(claims.read(Path("claims.yaml")), plan)
        except UserError as error:
            assert all(": " in line and line.isprintable() for line in str(error).splitlines())


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
YAML_FILES = {
    "empty": "",
    "a list": "- 1",
    "unfinished": "data: [",
    "a key twice": "data: {}\ndata: {}",
    "tabs": "\tdata: 1",
    "an object": "data: !!python/object/apply:os.mkdir ['../outside/executed']",
    "a tag": "data: !danger x",
    "a list in itself": "data: &a [*a]",
    "a mapping in itself": "model: &m {name: *m}",
    "a bomb": BOMB + "model: *i",
    "a bomb as a variant": BOMB + "variants: {x: *i}",
    "a bomb as a setting": BOMB + "model: {hidden: *i}",
    "deep": "data: " + "[" * 5_000,
    "deep and whole": "data: " + "[" * 5_000 + "]" * 5_000,
    "no date": "data: 2020-02-31",
    "a key that is a list": "? [1, 2]\n: 3",
    "a name that tells the terminal": 'variants: {"\\e[2J": {}}',
    "a name of two lines": 'variants: {"a\\nb": {}}',
    "HTML": "<!DOCTYPE html>\n<html><body>404: not here</body></html>",
    "a control character": "data: \x00",
}


@pytest.mark.parametrize("content", YAML_FILES.values(), ids=YAML_FILES)
@pytest.mark.fault("params.yaml that is not one")
def test_parameters_that_are_no_parameters(content):
    Path("params.yaml").write_text(content)
    with pytest.raises(UserError) as error:
        resolve(read_yaml(Path("params.yaml")))
    message = str(error.value)
    assert all(line.isprintable() for line in message.splitlines())
    assert len(message) < 10_000


@pytest.mark.fault("params.yaml that is not one")
def test_parameters_of_other_bytes():
    Path("params.yaml").write_bytes(b"\xff\xfe\x00d\x00a")
    refused(read_yaml, Path("params.yaml"), naming="params.yaml")


ALIASES = {  # with its line
    "an alias": ("a: &x {lr: 1}\nb: *x\n", 2),
    "a merged alias": ("a: &x {lr: 1}\nb:\n  <<: *x\n", 3),
    "an alias in a list": ("a: [&x 1, *x]\n", 1),
}


@pytest.mark.parametrize(("content", "line"), ALIASES.values(), ids=ALIASES)
@pytest.mark.fault("aliases in params.yaml and claims.yaml")
def test_aliases_are_refused(content, line):
    """`-S` writes one value, and the other place keeps its own, or the two change together: neither is said."""
    for name in ("params.yaml", "claims.yaml"):
        Path(name).write_text(content)
        refused(read_yaml, Path(name), naming=f"{name}: line {line}: *x")


NAMES = [
    "a/b", "../x", "../../executed", "/tmp/x", "a b", "a.b", ".", "..", "-x", "--help", "a;mkdir ../executed",  # noqa: S108
    "$(mkdir ../executed)", "`mkdir ../executed`", "a|b", "a&b", "a>b", "a'b", 'a"b', "a\\b", "a\nb", "a\tb", "é",
    "名前", "a\u202eb", "a\u200bb", "*", "?", "[a]", "{a}", "${a}", "%s", "~", "#a", "@a", "a:b", "x" * 65, "",
    "lr-0.001", 3,
]  # fmt: skip


@pytest.mark.fault("names of variants")
def test_names_that_are_one_folder_where_case_does_not_count(params):
    params["variants"]["MLP-Baseline"] = {}
    refused(resolve, params, naming='variants.MLP-Baseline: "MLP-Baseline": mlp-baseline is the same name')


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.fault("names of variants")
def test_a_name_that_a_path_or_a_shell_would_read_otherwise(params, name):
    params["variants"][name] = {}
    refused(resolve, params, naming="a name holds letters")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == NAMES[10] else pytest.mark.slow) for name in NAMES]
)
@pytest.mark.fault("names of variants, by dvc exp run")
def test_dvc_runs_nothing_under_such_a_name(study: Repository, name):
    """DVC fills its graph in before the plan is checked; still nothing runs but the plan, which refuses."""
    committed = study.hashes()
    path = study.folder / "params.yaml"
    path.write_text(path.read_text().replace("\nvariants:\n", f"\nvariants:\n  {json.dumps(name)}: {{}}\n"))
    with pytest.raises(RuntimeError) as error:
        study.dvc("repro")
    said = str(error.value)
    assert re.search(r"^(?:error|ERROR): ", said, re.MULTILINE)
    assert "Traceback" not in said
    assert "Running stage 'train" not in said
    assert study.hashes() == committed
    assert [path.name for path in study.folder.parent.iterdir()] == ["project"]
