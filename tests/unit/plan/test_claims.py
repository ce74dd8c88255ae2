"""claims.yaml: checked against the study, a line for each thing that is wrong."""

import math
from pathlib import Path

import pytest

from remnist.errors import UserError
from remnist.plan import claims
from remnist.plan.resolve import resolve
from tests.support.variants import ROOT, study

DIGITS = [0.9] * 10


@pytest.fixture
def content() -> dict:
    """A valid claims.yaml: two reports, their published figures, and one claim of each kind."""
    return {
        "data": "mnist",
        "reference": "mlp-baseline",
        "reports": {1: {"title": "MLP"}, 4: {"title": "Losses"}},
        "published": {
            "mlp-baseline": {"report": 1, "accuracy": 0.97, "loss": 0.1, "digits": DIGITS},
            "mlp-adam": {"report": 1, "words": "poor"},
        },
        "claims": {
            "adam": {
                "report": 1,
                "says": "Adam is worse",
                "variants": ["mlp-adam", "mlp-baseline"],
                "expect": "less",
                "cause": {
                    "words": "the learning rate",
                    "shown_by": [{"variants": ["adam-1e-3", "mlp-baseline"], "expect": "not_less", "margin": 0.0025}],
                    "lost_digits": {"softmax": ["resnet-plain"], "logits": ["resnet-plain-logits"]},
                },
            },
            "xor": {
                "report": 4, "says": "XOR is learnt", "variants": ["xor"], "level": 1.0, "expect": "same",
                "margin": 0.01,
            },
            "five": {"report": 4, "says": "Five beat one", "metric": "vote_of_five", "level": 0.0, "expect": "more"},
        },
    }  # fmt: skip


@pytest.fixture
def plan(params):
    return resolve(params)


def checked(content, plan, monkeypatch) -> claims.Claims:
    monkeypatch.setattr(claims, "read_yaml", lambda _: content)
    made = claims.read(Path("claims.yaml"))
    claims.check(made, plan)
    return made


def put(content: dict, path: str, value: object) -> None:
    *parents, key = path.split("/")
    for parent in parents:
        content = content[int(parent) if isinstance(content, list) else parent]
    if value is ...:
        del content[key]
    else:
        content[key] = value


def test_the_studys_own_file_suits_the_study(plan):
    made = claims.read(ROOT / "claims.yaml")
    claims.check(made, plan)
    assert list(made.claims) == list(study("claims.yaml")["claims"])


def test_what_is_right_is_taken(content, plan, monkeypatch):
    made = checked(content, plan, monkeypatch)
    assert made.reports[4].title == "Losses"
    assert made.published["mlp-baseline"].digits == DIGITS
    assert made.claims["adam"].at_least == 0


def test_comparisons_and_variants_of_a_claim(content, plan, monkeypatch):
    claim = checked(content, plan, monkeypatch).claims["adam"]
    assert [path for path, _ in claims.comparisons("claims.adam", claim)] == [
        "claims.adam",
        "claims.adam.cause.shown_by.0",
    ]
    signs = {"resnet-plain", "resnet-plain-logits"}
    assert claims.variants_of(claim) == {"mlp-adam", "mlp-baseline", "adam-1e-3"} | signs


PAIR = {"variants": ["mlp-adam", "mlp-baseline"]}
ADAM = {"report": 1, "says": "x", "expect": "less", **PAIR}
UNKNOWN = "no variant of params.yaml; did you mean"
BAD = [
    ("reference", "mlp-basline", f'reference: "mlp-basline": {UNKNOWN} mlp-baseline?'),
    ("reference", "zzz", 'reference: "zzz": no variant of params.yaml'),
    ("published/mlp-basline", {"report": 1}, f'published.mlp-basline: "mlp-basline": {UNKNOWN} mlp-baseline?'),
    ("published/xor", {"report": 2}, "published.xor.report: 2: allowed: 1, 4, the numbers under reports"),
    ("published/xor", {"report": 1, "digits": [0.9] * 9}, "published.xor.digits: [0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9,"),
    ("published/xor", {"report": 1, "accuracy": 97.1}, "published.xor.accuracy: 97.1: allowed: less than or equal"),
    ("published/xor", {"report": 1, "loss": math.nan}, "published.xor.loss: NaN: allowed: a finite number"),
    ("claims/adam/report", 5, "claims.adam.report: 5: allowed: 1, 4, the numbers under reports"),
    ("claims/adam/report", "1", 'claims.adam.report: "1": allowed: a valid integer'),
    ("claims/adam/variants", ["mlp-adm", "mlp-baseline"], f'claims.adam.variants.0: "mlp-adm": {UNKNOWN} mlp-adam?'),
    ("claims/adam/variants", ["mlp-adam", "mlp-adam"],
     'claims.adam.variants: ["mlp-adam", "mlp-adam"]: two different variants are expected here'),
    ("claims/adam/variants", ["xor", "mlp-baseline"],
     'claims.adam.variants: ["xor", "mlp-baseline"]: XOR\'s points and images are no common test set'),
    ("claims/adam/variants", ["mlp-adam"], "claims.adam: level: goes with one variant or none, and with resolution,"),
    ("claims/adam/variants", [], "claims.adam: level: goes with one variant or none, and with resolution,"),
    ("claims/adam/variants", ["a", "b", "c"], 'claims.adam.variants: ["a", "b", "c"]: List should have at most 2'),
    ("claims/adam/cause/shown_by/0/variants", ["adam-1e-3", "mlp-baselin"],
     f'claims.adam.cause.shown_by.0.variants.1: "mlp-baselin": {UNKNOWN} mlp-baseline?'),
    ("claims/adam/cause/shown_by/0/variants", ["xor", "mlp-baseline"],
     'claims.adam.cause.shown_by.0.variants: ["xor", "mlp-baseline"]: XOR\'s points'),
    ("claims/adam/cause/shown_by/0/margin", math.inf,
     "claims.adam.cause.shown_by.0.margin: Infinity: allowed: a finite number"),
    ("claims/adam/cause/lost_digits/softmax", ["resnet-plan"],
     f'claims.adam.cause.lost_digits.softmax.0: "resnet-plan": {UNKNOWN} resnet-plain?'),
    ("claims/adam/cause/lost_digits/logits", [], "claims.adam.cause.lost_digits.logits: []: List should have at least"),
    ("claims/adam/cause", {"words": "x"}, "claims.adam.cause: shown_by or lost_digits: one of the two is needed"),
    ("claims/adam/metric", "acuracy", "claims.adam.metric: \"acuracy\": allowed: 'accuracy', 'train_accuracy',"),
    ("claims/adam/metric", "epochs_to_reach", "claims.adam: reach: goes with epochs_to_reach and is needed there"),
    ("claims/adam/metric", "resolution", "claims.adam: level: goes with one variant or none, and with resolution,"),
    ("claims/adam/metric", "vote_of_five", "claims.adam: variants: none with average_of_five and vote_of_five;"),
    ("claims/adam/metric", "digit_deviation",
     'claims.adam.metric: "digit_deviation": needs published.mlp-adam.digits'),
    ("claims/adam/reach", 0.9, "claims.adam: reach: goes with epochs_to_reach and is needed there"),
    ("claims/adam/expect", "larger", "claims.adam.expect: \"larger\": allowed: 'more', 'less', 'same',"),
    ("claims/adam/expect", "same", "claims.adam: margin: goes with same, not_more, not_less and is needed there"),
    ("claims/adam/margin", 0.1, "claims.adam: margin: goes with same, not_more, not_less and is needed there"),
    ("claims/adam/at_least", -1, "claims.adam.at_least: -1: allowed: greater than or equal to 0"),
    ("claims/adam/at_least", math.nan, "claims.adam.at_least: NaN: allowed: a finite number"),
    ("claims/adam/published", -math.inf, "claims.adam.published: -Infinity: allowed: a finite number"),
    ("claims/adam/expcet", "less", 'claims.adam.expcet: "less": Extra inputs are not permitted'),
    ("claims/adam/says", ..., "claims.adam.says: null: Field required"),
    ("claims/xor/level", math.nan, "claims.xor.level: NaN: allowed: a finite number"),
    ("claims/xor/margin", math.inf, "claims.xor.margin: Infinity: allowed: a finite number"),
    ("claims/xor/margin", ..., "claims.xor: margin: goes with same, not_more, not_less and is needed there"),
    ("claims/five/variants", ["xor"], "claims.five: variants: none with average_of_five and vote_of_five;"),
    ("claims/a.b", ADAM, "claims.a.b"),
    ("reports", {"one": {"title": "x"}}, "reports.one"),
    ("published", None, "published: null: allowed: a valid dictionary"),
    ("clams", {}, "clams: {}: Extra inputs are not permitted"),
]  # fmt: skip


@pytest.mark.fault("bad claims")
@pytest.mark.parametrize(("path", "value", "line"), BAD, ids=[f"{path}={value}" for path, value, _ in BAD])
def test_a_bad_claim_is_one_line_with_path_value_and_what_is_allowed(content, plan, monkeypatch, path, value, line):
    put(content, path, value)
    with pytest.raises(UserError) as error:
        checked(content, plan, monkeypatch)
    [found] = str(error.value).splitlines()
    assert found.startswith(line)
    assert found.isprintable()


def test_every_wrong_claim_is_reported_at_once(content, plan, monkeypatch):
    content["claims"]["adam"]["variants"] = ["mlp-adm", "mlp-baselin"]
    content["claims"]["xor"]["report"] = 9
    content["reference"] = "x"
    with pytest.raises(UserError) as error:
        checked(content, plan, monkeypatch)
    found = [line.split(": ")[:2] for line in str(error.value).splitlines()]
    assert found == [
        ["reference", '"x"'],
        ["claims.adam.variants.0", '"mlp-adm"'],
        ["claims.adam.variants.1", '"mlp-baselin"'],
        ["claims.xor.report", "9"],
    ]


@pytest.mark.parametrize("content", [None, [], "text", 3])
def test_claims_that_are_no_mapping(content, plan, monkeypatch):
    with pytest.raises(UserError, match=r"claims\.yaml: a mapping is expected here"):
        checked(content, plan, monkeypatch)
