"""claims.yaml: checked against the study, a line for each thing that is wrong."""

import math
from pathlib import Path

import pytest

from remnist.errors import UserError
from remnist.plan import claims, comparisons
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
            "mlp-baseline": {
                "report": 1, "accuracy": 0.97, "loss": 0.1, "digits": DIGITS,
                "epochs": {8: {"accuracy": 0.96, "loss": 0.2}, 9: {"accuracy": 0.95}},
            },
            "mlp-adam": {"report": 1, "words": "poor"},
        },
        "claims": {
            "adam": {
                "report": 1, "statement": 1, "says": "Adam is worse", "variants": ["mlp-adam", "mlp-baseline"],
                "expect": "less", "margin": 0.0025,
                "cause": {"words": "the learning rate", "control": ["mlp-adam-1e-3", "mlp-baseline"]},
            },
            "xor": {
                "report": 4, "statement": 1, "says": "XOR is learnt", "variants": ["xor"], "level": 1.0,
                "expect": "same", "margin": 0.01,
            },
            "five": {
                "report": 4, "statement": 2, "says": "Five beat one", "metric": "vote_of_five", "level": 0.0,
                "expect": "more", "margin": 0.0025,
            },
            "printed": {
                "report": 1, "statement": 2, "says": "97 %", "variants": ["mlp-baseline"], "expect": "as_published",
            },
            "lost": {
                "report": 4, "statement": 3, "says": "A digit is lost", "variants": ["mlp-adam", "mlp-baseline"],
                "metric": "digit_missing", "expect": "more",
            },
            "both": {"report": 4, "statement": 1, "says": "XOR and five", "all_of": ["xor", "five"]},
        },
        "findings": ["both", "adam"],
        "questions": {"Optimisers": ["mlp-baseline", "mlp-adam"]},
    }  # fmt: skip


@pytest.fixture
def plan(params):
    return resolve(params)


def checked(content, plan, monkeypatch) -> claims.Claims:
    monkeypatch.setattr(claims, "read_yaml", lambda _: content)
    made = claims.read(Path("claims.yaml"))
    comparisons.check(made, plan)
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
    comparisons.check(made, plan)
    assert list(made.claims) == list(study("claims.yaml")["claims"])


def test_the_rows_of_a_statement_stand_together_and_none_is_left_out():
    judged = claims.read(ROOT / "claims.yaml").claims.values()
    numbers = [claim.statement for claim in judged]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, max(numbers) + 1))
    assert len({(claim.report, claim.statement) for claim in judged}) == max(numbers)


def test_what_is_right_is_taken(content, plan, monkeypatch):
    made = checked(content, plan, monkeypatch)
    assert made.reports[4].title == "Losses"
    assert made.published["mlp-baseline"].digits == DIGITS
    assert made.published["mlp-baseline"].epochs[9].loss is None
    assert made.claims["printed"].metric == "accuracy"
    assert made.claims["printed"].margin is None
    assert made.claims["both"].variants == []
    assert made.findings == ["both", "adam"]
    assert made.questions == {"Optimisers": ["mlp-baseline", "mlp-adam"]}


def test_findings_and_questions_can_be_left_out(content, plan, monkeypatch):
    del content["findings"], content["questions"]
    made = checked(content, plan, monkeypatch)
    assert (made.findings, made.questions) == ([], {})


UNKNOWN = "no variant of params.yaml; did you mean"
LEVEL = "level: goes with one variant or none, and is needed there"
MARGIN = "margin: goes without a rate, as_published and not_testable"
NEEDED = "margin: a difference needs one"
REACH = "reach: goes with epochs to reach and is needed there"
NONE = "variants: none or one with average_of_five and vote_of_five alone"
BAD = [
    ("reference", "mlp-basline", f'reference: "mlp-basline": {UNKNOWN} mlp-baseline?'),
    ("reference", "zzz", 'reference: "zzz": no variant of params.yaml'),
    ("reference", "xor", 'reference: "xor": a variant that learns images is expected here'),
    ("findings", ["adam", "adam"], 'findings.1: "adam": stands there already'),
    ("questions/Optimisers", ["xor", "xor"], 'questions.Optimisers.1: "xor": stands there already'),
    ("published/mlp-basline", {"report": 1}, f'published.mlp-basline: "mlp-basline": {UNKNOWN} mlp-baseline?'),
    ("published/xor", {"report": 2}, "published.xor.report: 2: allowed: 1, 4, the numbers under reports"),
    ("published/xor", {"report": 1, "digits": [0.9] * 9}, "published.xor.digits: [0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9,"),
    ("published/xor", {"report": 1, "accuracy": 97.1}, "published.xor.accuracy: 97.1: allowed: less than or equal"),
    ("published/xor", {"report": 1, "loss": math.nan}, "published.xor.loss: NaN: allowed: a finite number"),
    ("published/xor", {"report": 1, "loss": -0.1}, "published.xor.loss: -0.1: allowed: greater than or equal to 0"),
    ("published/xor", {"report": 1, "epochs": {2: {"accuracy": 97.1}}}, "published.xor.epochs.2.accuracy: 97.1: allo"),
    ("published/xor", {"report": 1, "epochs": {2: {"acuracy": 0.9}}}, "published.xor.epochs.2.acuracy: 0.9: Extra inp"),
    ("published/xor", {"report": 1, "epochs": {-1: {}}}, "published.xor.epochs.-1.[key]: -1: allowed: greater than or"),
    ("published/xor", {"report": 1, "epochs": None}, "published.xor.epochs: null: allowed: a valid dictionary"),
    ("claims/adam/report", 5, "claims.adam.report: 5: allowed: 1, 4, the numbers under reports"),
    ("claims/adam/report", "1", 'claims.adam.report: "1": allowed: a valid integer'),
    ("claims/adam/statement", 0, "claims.adam.statement: 0: allowed: greater than or equal to 1"),
    ("claims/adam/statement", ..., "claims.adam.statement: null: Field required"),
    ("claims/adam/variants", ["mlp-adm", "mlp-baseline"], f'claims.adam.variants.0: "mlp-adm": {UNKNOWN} mlp-adam?'),
    ("claims/adam/variants", ["mlp-adam", "mlp-adam"],
     'claims.adam.variants: ["mlp-adam", "mlp-adam"]: two different variants are expected here'),
    ("claims/adam/variants", ["xor", "mlp-baseline"],
     'claims.adam.variants: ["xor", "mlp-baseline"]: XOR\'s points and images are no common test set'),
    ("claims/adam/variants", ["mlp-adam"], f"claims.adam: {LEVEL}"),
    ("claims/adam/variants", [], f"claims.adam: {LEVEL}"),
    ("claims/adam/variants", ["a", "b", "c"], "claims.adam: variants: two at most"),
    ("claims/adam/level", 0.5, f"claims.adam: {LEVEL}"),
    ("claims/xor/level", ..., f"claims.xor: {LEVEL}"),
    ("claims/five/level", ..., f"claims.five: {LEVEL}"),
    ("claims/adam/cause/control", ["mlp-adam-1e-3", "mlp-baselin"],
     f'claims.adam.cause.control.1: "mlp-baselin": {UNKNOWN} mlp-baseline?'),
    ("claims/adam/cause/control", ["xor", "mlp-baseline"],
     'claims.adam.cause.control: ["xor", "mlp-baseline"]: XOR\'s points'),
    ("claims/adam/cause/control", ["mlp-baseline", "mlp-baseline"],
     'claims.adam.cause.control: ["mlp-baseline", "mlp-baseline"]: two different variants are expected here'),
    ("claims/adam/cause/control", ["mlp-adam-1e-3"], 'claims.adam.cause.control: ["mlp-adam-1e-3"]: List should have'),
    ("claims/adam/cause/control", ["mlp-adam", "xor", "lr-1e-4"],
     'claims.adam.cause.control: ["mlp-adam", "xor", "lr-1e-4"]: List should have at most 2'),
    ("claims/adam/cause", {"words": "x"}, "claims.adam.cause.control: null: Field required"),
    ("claims/xor/cause", {"words": "x", "control": ["xor", "lr-1e-4"]}, "claims.xor: cause: goes with two variants"),
    ("claims/adam/metric", "acuracy", "claims.adam.metric: \"acuracy\": allowed: 'accuracy', 'loss', 'train_acc"),
    ("claims/adam/metric", "epochs_to_reach", f"claims.adam: {REACH}"),
    ("claims/adam/metric", "train_epochs_to_reach", f"claims.adam: {REACH}"),
    ("claims/adam/reach", 0.9, f"claims.adam: {REACH}"),
    ("claims/adam/reach", 0.0, "claims.adam.reach: 0.0: allowed: greater than 0"),
    ("claims/adam/reach", 1.01, "claims.adam.reach: 1.01: allowed: less than or equal to 1"),
    ("claims/adam/metric", "accuracy_by_epoch", "claims.adam: expect: as_published with accuracy_by_epoch"),
    ("claims/xor/metric", "accuracy_by_digit", "claims.xor: expect: as_published with accuracy_by_digit"),
    ("claims/adam/metric", "digit_missing", f"claims.adam: {MARGIN}"),
    ("claims/five/metric", "accuracy", f"claims.five: {NONE}"),
    ("claims/adam/epoch", -1, "claims.adam.epoch: -1: allowed: greater than or equal to 0"),
    ("claims/five/epoch", 3, "claims.five: epoch: goes with accuracy and loss"),
    ("claims/lost/epoch", 0, "claims.lost: epoch: goes with accuracy and loss"),
    ("claims/adam/found_digits", 1, "claims.adam.found_digits: 1: allowed: a valid boolean"),
    ("claims/adam/expect", "larger", "claims.adam.expect: \"larger\": allowed: 'more', 'less', 'same',"),
    ("claims/adam/expect", "as_published", f"claims.adam: {MARGIN}"),
    ("claims/adam/not_testable", "x", f"claims.adam: {MARGIN}"),
    ("claims/lost/margin", 0.1, f"claims.lost: {MARGIN}"),
    ("claims/lost/expect", "same", "claims.lost: expect: more or less with a rate"),
    ("claims/lost/expect", "as_published", "claims.lost: expect: more or less with a rate"),
    ("claims/adam/margin", ..., f"claims.adam: {NEEDED}"),
    ("claims/xor/margin", ..., f"claims.xor: {NEEDED}"),
    ("claims/five/margin", ..., f"claims.five: {NEEDED}"),
    ("claims/adam/margin", -1, "claims.adam.margin: -1: allowed: greater than 0"),
    ("claims/adam/margin", 0, "claims.adam.margin: 0: allowed: greater than 0"),
    ("questions/Optimisers", [], "questions.Optimisers: []: List should have at least 1 item"),
    ("claims/adam/margin", math.nan, "claims.adam.margin: NaN: allowed: a finite number"),
    ("claims/xor/margin", math.inf, "claims.xor.margin: Infinity: allowed: a finite number"),
    ("claims/xor/level", math.nan, "claims.xor.level: NaN: allowed: a finite number"),
    ("claims/adam/published", -math.inf, "claims.adam.published: -Infinity: allowed: a finite number"),
    ("claims/adam/rounded_to", -0.1, "claims.adam.rounded_to: -0.1: allowed: greater than or equal to 0"),
    ("claims/printed/variants", [], "claims.printed: variants: one at least with as_published"),
    ("claims/printed/variants", ["mlp-baseline", "mlp-adam"],
     'claims.printed.metric: "accuracy": published.mlp-adam has no such figure'),
    ("claims/printed/variants", ["xor"], 'claims.printed.metric: "accuracy": published.xor has no such figure'),
    ("claims/printed/metric", "weight_norm",
     'claims.printed.metric: "weight_norm": published.mlp-baseline has no such figure'),
    ("claims/printed/epoch", 7, 'claims.printed.metric: "accuracy": published.mlp-baseline has no such figure'),
    ("published/mlp-baseline/accuracy", ..., 'claims.printed.metric: "accuracy": published.mlp-baseline has no such'),
    ("claims/printed/level", 0.9, "claims.printed: level: goes without as_published"),
    ("claims/printed",
     {"report": 1, "statement": 1, "says": "x", "expect": "as_published", "variants": ["mlp-baseline", "xor"],
      "published": 0.9}, "claims.printed: published: of one variant, and one figure, with"),
    ("claims/adam/metric", "vote_of_five", f"claims.adam: {NONE}"),
    ("claims/lost",
     {"report": 1, "statement": 1, "says": "x", "variants": ["mlp-adam"], "metric": "diverged", "level": 0.0},
     "claims.lost: variants: two with a rate"),
    ("claims/printed",
     {"report": 1, "statement": 1, "says": "x", "expect": "as_published", "variants": ["mlp-baseline"],
      "metric": "accuracy_by_digit", "published": 0.9},
     "claims.printed: published: of one variant, and one figure, with as_published"),
    ("claims/printed/variants", ["mlp-basline"], f'claims.printed.variants.0: "mlp-basline": {UNKNOWN} mlp-baseline?'),
    ("claims/both/all_of", ["xor", "fiv"], 'claims.both.all_of.1: "fiv": no claim; did you mean five?'),
    ("claims/both/all_of", ["both", "xor"], 'claims.both.all_of.0: "both": has parts of its own'),
    ("claims/all", {"report": 1, "statement": 1, "says": "x", "all_of": ["both"]},
     'claims.all.all_of.0: "both": has parts of its own'),
    ("claims/both/expect", "more", "claims.both: all_of: goes without expect"),
    ("claims/both",
     {"report": 1, "statement": 1, "says": "x", "all_of": ["xor"], "variants": ["xor"], "margin": 0.1, "level": 0.0},
     "claims.both: all_of: goes without level, margin, variants"),
    ("claims/both/all_of", [], f"claims.both: {LEVEL}"),
    ("claims/adam/expcet", "less", 'claims.adam.expcet: "less": Extra inputs are not permitted'),
    ("claims/adam/says", ..., "claims.adam.says: null: Field required"),
    ("claims/a.b", {"report": 1, "statement": 1, "says": "x", "all_of": ["xor"]}, "claims.a.b"),
    ("findings", ["adm"], 'findings.0: "adm": no claim; did you mean adam?'),
    ("findings", "adam", 'findings: "adam": allowed: a valid list'),
    ("questions", {"Two": ["mlp-baseline", "mlp-adm"]}, f'questions.Two.1: "mlp-adm": {UNKNOWN} mlp-adam?'),
    ("questions", [["mlp-adam"]], 'questions: [["mlp-adam"]]: allowed: a valid dictionary'),
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
    content["claims"]["adam"]["cause"]["control"] = ["mlp-adm", "mlp-baseline"]
    content["claims"]["xor"]["report"] = 9
    content["claims"]["both"]["all_of"] = ["xor", "y"]
    content["reference"] = "x"
    content["findings"], content["questions"] = ["z"], {"Two": ["v"]}
    with pytest.raises(UserError) as error:
        checked(content, plan, monkeypatch)
    found = [line.split(": ")[:2] for line in str(error.value).splitlines()]
    assert found == [
        ["reference", '"x"'],
        ["findings.0", '"z"'],
        ["questions.Two.0", '"v"'],
        ["claims.adam.variants.0", '"mlp-adm"'],
        ["claims.adam.variants.1", '"mlp-baselin"'],
        ["claims.adam.cause.control.0", '"mlp-adm"'],
        ["claims.xor.report", "9"],
        ["claims.both.all_of.1", '"y"'],
    ]


@pytest.mark.parametrize("content", [None, [], "text", 3])
def test_claims_that_are_no_mapping(content, plan, monkeypatch):
    with pytest.raises(UserError, match=r"claims\.yaml: a mapping is expected here"):
        checked(content, plan, monkeypatch)


def test_variants_of_a_claim_are_those_of_its_control_and_of_its_parts(content, plan, monkeypatch):
    judged = checked(content, plan, monkeypatch).claims
    of_adam = {"mlp-adam", "mlp-baseline", "mlp-adam-1e-3"}
    assert comparisons.variants_of(judged["adam"], judged) == of_adam
    assert comparisons.variants_of(judged["five"], judged) == set()
    assert comparisons.variants_of(judged["both"], judged) == {"xor"}
    whole = judged["both"].model_copy(update={"all_of": ["adam", "xor", "gone"]})
    assert comparisons.variants_of(whole, judged) == of_adam | {"xor"}
    assert [path for path, _ in comparisons.compared("claims.adam", judged["adam"])] == [
        "claims.adam.variants", "claims.adam.cause.control"
    ]  # fmt: skip
