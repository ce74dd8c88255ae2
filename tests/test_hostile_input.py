"""Files that are damaged, swapped or made to harm: a line or two, and nothing executed, written elsewhere or lost."""

import contextlib
import copy
import gzip
import hashlib
import http.server
import json
import os
import pickle
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save
from torchvision import datasets

from remnist import sources
from remnist.common import data, plan
from remnist.common.errors import UserError
from remnist.common.files import read_yaml
from remnist.evaluation.answers import answer
from remnist.report import claims, published
from remnist.resolve import resolve
from tests.repository import Repository
from tests.test_sources import FILES, idx


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in an empty folder, beside one that nothing may touch."""
    beside = tmp_path / "beside"
    beside.mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    yield
    assert list(beside.iterdir()) == []


def refused(call: Callable[..., Any], *arguments: Any, naming: str, lines: int = 1) -> None:
    """Check that a call ends in a user's error of so many lines that name the culprit."""
    with pytest.raises(UserError) as error:
        call(*arguments)
    told = str(error.value)
    assert naming in told
    assert len(told.splitlines()) <= lines
    assert all(line.isprintable() for line in told.splitlines())


class Payload:
    """What a pickle can do: when loaded, it leaves a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("../beside/executed",))


# Parameters


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
    """A line for each thing that is wrong, none of which a terminal would obey; or a plan that JSON can hold."""
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
        json.dumps(made, allow_nan=False)
        assert all(entry["digest"] for entry in made.values())


@pytest.mark.fault("random claims and published figures (hypothesis)", times=RANDOM)
@settings(max_examples=RANDOM, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(section=st.sampled_from(["claims", "published"]), key=st.text(max_size=6), value=anything())
def test_random_claims_are_checked_or_refused(params, section, key, value):
    [name, entry] = next(iter(params[section].items()))
    check = claims.check if section == "claims" else published.check
    for broken in ({key: value}, {name: entry | {key: value}}):
        try:
            check(broken)
        except UserError as error:
            assert all(line.isprintable() for line in str(error).splitlines())


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
YAML_FILES = {
    "empty": "",
    "a list": "- 1",
    "unfinished": "data: [",
    "a key twice": "data: {}\ndata: {}",
    "tabs": "\tdata: 1",
    "an object": "data: !!python/object/apply:os.mkdir ['../beside/executed']",
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
@pytest.mark.fault("params.yaml that is none")
def test_parameters_that_are_no_parameters(content):
    Path("params.yaml").write_text(content)
    with pytest.raises(UserError) as error:
        resolve(read_yaml(Path("params.yaml")))
    told = str(error.value)
    assert all(line.isprintable() for line in told.splitlines())
    assert len(told) < 10_000


@pytest.mark.fault("params.yaml that is none")
def test_parameters_of_other_bytes():
    Path("params.yaml").write_bytes(b"\xff\xfe\x00d\x00a")
    refused(read_yaml, Path("params.yaml"), naming="params.yaml")


NAMES = [
    "a/b", "../x", "../../executed", "/tmp/x", "a b", "a.b", ".", "..", "-x", "--help", "a;mkdir ../executed",  # noqa: S108
    "$(mkdir ../executed)", "`mkdir ../executed`", "a|b", "a&b", "a>b", "a'b", 'a"b', "a\\b", "a\nb", "a\tb", "é",
    "名前", "a\u202eb", "a\u200bb", "*", "?", "[a]", "{a}", "${a}", "%s", "~", "#a", "@a", "a:b", "x" * 65, "",
    "lr-0.001", 3,
]  # fmt: skip


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
    told = str(error.value)
    assert re.search(r"^(?:error|ERROR): ", told, re.MULTILINE)
    assert "Traceback" not in told
    assert "Running stage 'train" not in told
    assert study.hashes() == committed
    assert [path.name for path in study.folder.parent.iterdir()] == ["project"]


# The plan


def edits() -> dict[str, Callable[[dict[str, Any]], Any]]:
    def at(section: str, key: str, value: Any) -> Callable[[dict[str, Any]], Any]:
        return lambda plan: plan["mlp-baseline"][section].__setitem__(key, value)

    return {
        "another rate": at("train", "lr", 5.0),
        "a rate of words": at("train", "lr", "fast"),
        "another loss": at("train", "loss", "mse"),
        "other numerics": at("train", "numerics", "native"),
        "many epochs": at("train", "epochs", 10**12),
        "a model elsewhere": at("model", "name", "../../../beside/evil"),
        "no model": at("model", "name", None),
        "a huge layer": at("model", "hidden", [10**12]),
        "other data": at("data", "name", "imagenet"),
        "no seeds": lambda plan: plan["mlp-baseline"].__setitem__("seeds", []),
        "seeds of words": lambda plan: plan["mlp-baseline"].__setitem__("seeds", ["../x"]),
        "no digest": lambda plan: plan["mlp-baseline"].pop("digest"),
        "another digest": lambda plan: plan["mlp-baseline"].__setitem__("digest", "0" * 16),
        "a setting more": lambda plan: plan["mlp-baseline"].__setitem__("more", 1),
        "no train": lambda plan: plan["mlp-baseline"].pop("train"),
        "a list": lambda plan: plan.__setitem__("mlp-baseline", [1]),
        "null": lambda plan: plan.__setitem__("mlp-baseline", None),
        "two swapped": lambda plan: plan.update({"mlp-baseline": dict(plan["mlp-adam"], seeds=[3])}),
    }


@pytest.mark.parametrize("edit", edits().values(), ids=edits())
@pytest.mark.fault("plan.json edited or cut short")
def test_an_edited_plan_is_refused(params, edit):
    made = resolve(params)
    edit(made)
    Path("plan.json").write_text(json.dumps(made))
    refused(plan.read_entry, Path("plan.json"), "mlp-baseline", naming="plan.json: mlp-baseline: not as params.yaml")
    refused(plan.read, Path("plan.json"), naming="`dvc repro plan` makes it anew")


NO_PLANS = [
    "", "{", "[]", "{}", "null", "3", '"mlp"', "[" * 100_000, "\x00", "<html>", '{"a": NaN}', '{"a": 1e999}',
    '{"a": ' + "9" * 10_000 + "}", "\ufeff{}",
]  # fmt: skip


@pytest.mark.parametrize("content", NO_PLANS, ids=lambda content: content[:8])
@pytest.mark.fault("plan.json edited or cut short")
def test_a_plan_that_is_none(content):
    Path("plan.json").write_text(content)
    refused(plan.read_entry, Path("plan.json"), "mlp-baseline", naming="plan.json")


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.fault("plan.json edited or cut short")
def test_a_plan_cut_short(params, part):
    text = json.dumps(resolve(params))
    Path("plan.json").write_text(text[: int(len(text) * part)])
    refused(plan.read_entry, Path("plan.json"), "mlp-baseline", naming="plan.json")


# What DVC keeps


LOCKS: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "cut short": lambda text: text[: len(text) // 2],
    "cut in a line": lambda text: text[: text.index("md5: ") + 8],
    "HTML": lambda _: "<!DOCTYPE html><html>not here</html>",
    "another schema": lambda text: text.replace("schema: '2.0'", "schema: '9.0'"),
    "a list": lambda _: "- 1\n",
    "other hashes": lambda text: re.sub(r"md5: \w{8}", "md5: 00000000", text),
    "a hash that is a path": lambda text: re.sub(r"md5: \w+", "md5: ../../../../beside/x", text, count=1),
    "a conflict of Git": lambda text: f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> change\n",
    "an object": lambda _: "stages: !!python/object/apply:os.mkdir ['../executed']\n",
    "no stages": lambda _: "schema: '2.0'\nstages:\n",
}


@pytest.mark.parametrize(
    "damage",
    [pytest.param(LOCKS[name], id=name, marks=() if name == "cut in a line" else pytest.mark.slow) for name in LOCKS],
)
@pytest.mark.fault("dvc.lock edited or cut short")
def test_a_damaged_lock_file(study: Repository, damage):
    """DVC says what is wrong, or runs what it no longer knows; either way the results are as they were."""
    committed = study.hashes()
    path = study.folder / "dvc.lock"
    path.write_text(damage(path.read_text()))
    try:
        study.dvc("repro")
    except RuntimeError as error:
        told = str(error)
        assert re.search("^ERROR: |dvc.lock", told, re.MULTILINE)
        assert "Traceback" not in told
        assert "keeps what it was" in study.make_repro()
    assert study.hashes() == committed
    assert [path.name for path in study.folder.parent.iterdir()] == ["project"]


def swap(study: Repository, one: str, other: str) -> None:
    first, second = study.folder / one, study.folder / other
    mine, theirs = first.read_bytes(), second.read_bytes()
    for path, content in ((first, theirs), (second, mine)):
        path.unlink()  # DVC may have linked it to its cache
        path.write_bytes(content)


def cut(study: Repository, name: str) -> None:
    path = study.folder / name
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[: len(content) // 2])


CHANGES: dict[str, Callable[[Repository], None]] = {
    "weights of two seeds": lambda s: swap(
        s, "models/mlp-baseline/seed-0.safetensors", "models/mlp-baseline/seed-1.safetensors"
    ),
    "weights of two variants": lambda s: swap(
        s, "models/mlp-baseline/seed-0.safetensors", "models/mlp-dropout-50/seed-0.safetensors"
    ),
    "two evaluations": lambda s: swap(s, "evaluations/mlp-baseline.json", "evaluations/batch-100.json"),
    "an evaluation cut": lambda s: cut(s, "evaluations/mlp-baseline.json"),
    "a curve cut": lambda s: cut(s, "dvclive/mlp-baseline/seed-0/plots/metrics/train/loss.tsv"),
    "the prepared data cut": lambda s: cut(s, "data/images.safetensors"),
    "the original data cut": lambda s: cut(s, "data/raw/digits.csv.gz"),
    "the plan cut": lambda s: cut(s, "plan.json"),
    "metrics cut": lambda s: cut(s, "metrics/summary.json"),
    "a plot cut": lambda s: cut(s, "plots/accuracy.csv"),
}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(CHANGES[name], id=name, marks=() if name == "weights of two variants" else pytest.mark.slow)
        for name in CHANGES
    ],
)
@pytest.mark.parametrize("remembered", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.fault("outputs swapped or cut short, then dvc repro")
def test_what_was_changed_by_hand_is_made_anew(study: Repository, change, remembered):
    committed = study.hashes()
    change(study)
    if not remembered:
        study.forget_runs()
    study.dvc("repro")
    assert study.hashes() == committed
    assert study.git("status", "--porcelain") == ""


# The prepared data and the weights


def header(content: dict[str, Any], length: int | None = None) -> bytes:
    text = json.dumps(content).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text


NOT_SAFETENSORS = {
    "empty": b"",
    "zeros": bytes(1_000),
    "HTML": b"<!DOCTYPE html><html>not here</html>",
    "a pickle": pickle.dumps(Payload()),
    "a header of 2**63 bytes": (2**63).to_bytes(8, "little"),
    "a header of a gigabyte": header({}, 2**30),
    "a header cut short": header({"a": 1}, 100),
    "a tensor outside": header({"a": {"dtype": "U8", "shape": [9], "data_offsets": [0, 9]}}),
    "a tensor of 10**12": header({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}),
    "a negative size": header({"a": {"dtype": "U8", "shape": [-1], "data_offsets": [0, 1]}}) + b"x",
    "offsets that overlap": header({k: {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]} for k in "ab"}) + b"xy",
    "no such type": header({"a": {"dtype": "PYOBJ", "shape": [1], "data_offsets": [0, 1]}}) + b"x",
}


def torch_pickle() -> bytes:
    import io

    buffer = io.BytesIO()
    torch.save({"0.weight": Payload()}, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content", [*NOT_SAFETENSORS.values(), torch_pickle()], ids=[*NOT_SAFETENSORS, "torch's pickle"]
)
@pytest.mark.fault("images.safetensors damaged, swapped or forged")
def test_prepared_data_that_is_none(entry, content):
    Path("images.safetensors").write_bytes(content)
    refused(data.load, Path("images.safetensors"), "train", entry["data"], naming="`dvc repro preprocess` makes it")


def test_the_payload_would_have_done_harm():
    """Else the tests above could not fail."""
    pickle.loads(pickle.dumps(Payload()))  # noqa: S301
    Path("../beside/executed").rmdir()


FORGED: dict[str, Callable[[dict[str, torch.Tensor]], Any]] = {
    "no labels": lambda t: t.pop("train_labels"),
    "no images": lambda t: t.pop("train_images"),
    "no mean": lambda t: t.pop("mean"),
    "fewer labels": lambda t: t.update(train_labels=t["train_labels"][1:].clone()),
    "images of floats": lambda t: t.update(train_images=t["train_images"].float()),
    "labels of words' size": lambda t: t.update(train_labels=t["train_labels"].long()),
    "flat images": lambda t: t.update(train_images=t["train_images"].flatten(1)),
    "images of another shape": lambda t: t.update(train_images=t["train_images"][:, :20].clone()),
    "images of no pixels": lambda t: t.update(train_images=t["train_images"][:, :0, :0].clone()),
    "colours": lambda t: t.update(train_images=t["train_images"][:, None].repeat(1, 3, 1, 1)),
    "nothing": lambda t: t.update(train_images=t["train_images"][:0], train_labels=t["train_labels"][:0]),
    "an eleventh digit": lambda t: t["train_labels"].__setitem__(5, 10),
    "labels for images": lambda t: t.update(train_images=t["train_labels"].clone()),
    "a mean that is none": lambda t: t["mean"].fill_(float("nan")),
    "a deviation of 0": lambda t: t["std"].zero_(),
    "two means": lambda t: t.update(mean=t["mean"].repeat(2)),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
@pytest.mark.fault("images.safetensors damaged, swapped or forged")
def test_prepared_data_of_another_form(prepared, entry, forge):
    tensors = load_file(prepared)
    forge(tensors)
    Path("images.safetensors").write_bytes(save(tensors))
    refused(data.load, Path("images.safetensors"), "train", entry["data"], naming="`dvc repro preprocess` makes it")


@pytest.mark.parametrize("part", [0.001, 0.3, 0.7, 0.9999])
@pytest.mark.fault("images.safetensors damaged, swapped or forged")
def test_prepared_data_cut_short(prepared, entry, part):
    content = prepared.read_bytes()
    Path("images.safetensors").write_bytes(content[: int(len(content) * part)])
    refused(data.load, Path("images.safetensors"), "test", entry["data"], naming="`dvc repro preprocess` makes it")


@pytest.mark.parametrize(
    "content", [*NOT_SAFETENSORS.values(), torch_pickle()], ids=[*NOT_SAFETENSORS, "torch's pickle"]
)
@pytest.mark.fault("weights damaged, swapped or forged")
def test_weights_that_are_none(prepared, entry, content):
    Path("seed-0.safetensors").write_bytes(content)
    refused(answer, entry, Path("seed-0.safetensors"), prepared, naming="`dvc repro` trains it anew")


OTHER_WEIGHTS: dict[str, Callable[[dict[str, torch.Tensor]], Any]] = {
    "a layer less": lambda t: t.popitem(),
    "a layer more": lambda t: t.update(extra=torch.zeros(1)),
    "another width": lambda t: t.update({k: v[:1].clone() for k, v in t.items()}),
    "another name": lambda t: t.update({f"_{k}": t.pop(k) for k in list(t)}),
}


@pytest.mark.parametrize("forge", OTHER_WEIGHTS.values(), ids=OTHER_WEIGHTS)
@pytest.mark.fault("weights damaged, swapped or forged")
def test_weights_of_another_model(prepared, entry, forge):
    from remnist import models

    tensors = dict(models.build(entry["model"], image_shape=(1, 28, 28), classes=10).state_dict())
    forge(tensors)
    Path("seed-0.safetensors").write_bytes(save(tensors))
    refused(answer, entry, Path("seed-0.safetensors"), prepared, naming="`dvc repro` trains it anew")


# The original files


def raw_files() -> dict[str, tuple[str, bytes]]:
    images, labels = np.zeros((12, 28, 28), np.uint8), np.zeros(12, np.uint8)
    good = idx(images)
    return {
        "empty": (FILES[0], b""),
        "text": (FILES[0], b"text"),
        "HTML": (FILES[0], b"<!DOCTYPE html><html>404</html>"),
        "HTML, packed": (FILES[0], gzip.compress(b"<!DOCTYPE html><html>404</html>")),
        "not packed": (FILES[0], gzip.decompress(good)),
        "cut short": (FILES[0], good[:-20]),
        "a byte turned": (FILES[0], good[:30] + bytes([good[30] ^ 255]) + good[31:]),
        "packed twice": (FILES[0], gzip.compress(good)),
        "an image less": (FILES[0], idx(images[1:])),
        "an image more": (FILES[0], idx(np.zeros((13, 28, 28), np.uint8))),
        "other pixels": (FILES[0], idx(np.zeros((12, 27, 27), np.uint8))),
        "the header of more": (FILES[0], gzip.compress(gzip.decompress(idx(np.zeros((99, 28, 28), np.uint8)))[:5_000])),
        "labels for images": (FILES[0], idx(labels)),
        "images for labels": (FILES[1], idx(images)),
        "test images for training images": (FILES[0], idx(np.zeros((5, 28, 28), np.uint8))),
        "an eleventh digit": (FILES[1], idx(np.full(12, 10, np.uint8))),
        "a bomb of a gigabyte": (FILES[0], gzip.compress(bytes(2**30), 1)),
        "a bomb behind a true header": (FILES[0], gzip.compress(gzip.decompress(good) + bytes(2**28), 1)),
        "floats": (FILES[0], gzip.compress(b"\0\0\x0d\3" + gzip.decompress(good)[4:])),
        "a pickle": (FILES[0], pickle.dumps(Payload())),
    }


@pytest.fixture
def raw(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small data set of MNIST's form, in a folder."""
    monkeypatch.setitem(sources.SIZES, "mnist", (12, 5))
    folder = Path("raw")
    folder.mkdir()
    for name in FILES:
        count = 12 if name.startswith("train") else 5
        shape = (count, 28, 28) if "images" in name else (count,)
        (folder / f"{name}.gz").write_bytes(idx(np.ones(shape, np.uint8)))
    return folder


@pytest.mark.parametrize(("name", "content"), raw_files().values(), ids=raw_files())
@pytest.mark.fault("original files damaged, swapped or forged")
def test_original_files_that_are_none(raw, name, content):
    sources.read("mnist", raw)
    (raw / f"{name}.gz").write_bytes(content)
    refused(sources.read, "mnist", raw, naming=f"{name}.gz")


NO_DIGITS = {
    "empty": b"",
    "text": b"text",
    "packed nothing": gzip.compress(b""),
    "two columns": gzip.compress(b"1,2\n"),
    "one row": gzip.compress(b"1," * 64 + b"1\n"),
    "words": gzip.compress(b"x,y\n" * 9),
    "pixels of 99": gzip.compress((b"99," * 64 + b"1\n") * 1_797),
    "an eleventh digit": gzip.compress((b"1," * 64 + b"11\n") * 1_797),
    "a bomb": gzip.compress(bytes(2**28), 1),
}


@pytest.mark.parametrize("content", NO_DIGITS.values(), ids=NO_DIGITS)
@pytest.mark.fault("original files damaged, swapped or forged")
def test_digits_that_are_none(content):
    Path("raw").mkdir()
    Path("raw", sources.DIGITS_FILE).write_bytes(content)
    refused(sources.read, "digits", Path("raw"), naming=sources.DIGITS_FILE)


# Mirrors


class Mirror(http.server.BaseHTTPRequestHandler):
    """Answers each request as `how` says."""

    how: Callable[["Mirror"], None]

    def do_GET(self) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            type(self).how(self)

    def log_message(self, *_: Any) -> None: ...

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


def endless(mirror: Mirror) -> None:
    mirror.answer(b"")
    while True:
        mirror.wfile.write(bytes(2**16))


def dripping(mirror: Mirror) -> None:
    mirror.answer(b"")
    while True:
        mirror.wfile.write(b"x")
        mirror.wfile.flush()
        time.sleep(0.05)


MIRRORS: dict[str, Callable[[Mirror], None]] = {
    "HTML": lambda m: m.answer(b"<html>not here</html>", Content_Type="text/html"),
    "empty": lambda m: m.answer(b""),
    "404": lambda m: m.answer(b"", 404),
    "403": lambda m: m.answer(b"", 403),
    "500": lambda m: m.answer(b"", 500),
    "cut short": lambda m: m.answer(b"abc", Content_Length="9912422"),
    "a length that is none": lambda m: m.answer(b"abc", Content_Length="many"),
    "a negative length": lambda m: m.answer(b"abc", Content_Length="-5"),
    "to itself": lambda m: m.answer(b"", 302, Location=m.path),
    "to a file": lambda m: m.answer(b"", 302, Location="file:///etc/hostname"),
    "to nowhere": lambda m: m.answer(b"", 302, Location="http://127.0.0.1:9/"),
    "to no address": lambda m: m.answer(b"", 302, Location="http://["),
    "silent": lambda _: time.sleep(3),
    "hangs up": lambda m: m.connection.close(),
    "speaks otherwise": lambda m: m.wfile.write(b"220 FTP\r\n"),
    "endless headers": lambda m: m.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 10_000),
    "endless": endless,
    "drips": dripping,
}


@pytest.mark.parametrize("how", MIRRORS.values(), ids=MIRRORS)
@pytest.mark.fault("mirrors")
def test_mirrors_that_give_something_else(monkeypatch, how):
    monkeypatch.setattr(sources, "TIMEOUT_S", 1)
    monkeypatch.setattr(sources, "LARGEST", 2**22)
    Path("raw").mkdir()
    Path("raw", "earlier").write_text("kept")
    handler = type("Handler", (Mirror,), {"how": staticmethod(how)})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        refused(sources.fetch, "mnist", Path("raw"), address, naming=f"{address}/{FILES[0]}.gz", lines=2)
        server.shutdown()
    assert [path.name for path in Path().iterdir()] == ["raw"]
    assert Path("raw", "earlier").read_text() == "kept"


@pytest.mark.parametrize(
    "mirror",
    [
        "nowhere",
        "/dev/null",
        "http://127.0.0.1:9",
        "http://",
        "gopher://x",
        "ssh://x",
        "http://[",
        "\x00",
        "http://a b",
    ],
)
@pytest.mark.fault("mirrors")
def test_addresses_that_are_none(mirror):
    refused(sources.fetch, "mnist", Path("raw"), mirror, naming=FILES[0], lines=2)
    assert list(Path().iterdir()) == []


@pytest.mark.fault("mirrors")
def test_a_mirror_that_is_right_after_a_redirect(monkeypatch):
    """Else the tests above could not fail for the right reason."""
    content = b"content"
    monkeypatch.setattr(datasets.MNIST, "resources", [("a.gz", hashlib.md5(content).hexdigest())])  # noqa: S324

    def how(mirror: Mirror) -> None:
        if mirror.path == "/a.gz":
            mirror.answer(b"", 302, Location="/b")
        else:
            mirror.answer(content)

    handler = type("Handler", (Mirror,), {"how": staticmethod(how)})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sources.fetch("mnist", Path("raw"), f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert Path("raw", "a.gz").read_bytes() == content
