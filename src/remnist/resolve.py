"""From params.yaml to the plan: every variant's settings in full, checked.

A variant starts from the defaults and states what it changes. A default that its model, optimiser, loss or schedule has
no use for is left out of its entry, so that changing it reruns nothing; stating such a setting in the variant itself is
an error.
"""

import re
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError, create_model

from remnist import sources
from remnist.common.errors import UserError, printable, shown
from remnist.common.plan import digest
from remnist.schema import SECTIONS, Fields, Settings

# DVC reads a dot as a path, a shell reads most other characters; what is left names files everywhere.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
NAME_RULE = "a name holds letters, digits, '-' and '_', 64 at most; no dot, which DVC reads as a path (lr-1e-4)"

SHARED = ("name", "validation")  # one prepared data set serves all variants, but for XOR's four points
REPORT_ONLY = ("published", "claims")

Mapping = dict[str, Any]


class Problems:
    """What is wrong with the parameters, a line each; of one path the first problem found."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}

    def add(self, path: str, value: object, rule: str) -> None:
        """Note that the value at a path breaks a rule."""
        path = printable(path)
        self.lines.setdefault(path, f"{path}: {shown(value)}: {rule}")

    def mapping(self, path: str, value: object) -> Mapping:
        """Return the value if it is a mapping, an empty one if it is null; note anything else."""
        if value is not None and not isinstance(value, dict):
            self.add(path, value, "a mapping is expected here")
        return value if isinstance(value, dict) else {}

    def known_keys(self, path: str, values: Mapping, known: list[str], of: str) -> None:
        """Note every key that is not known."""
        for key in values:
            if key not in known:
                self.add(f"{path}{key}", values[key], f"no setting of {of}; allowed: {', '.join(known)}")

    def raise_any(self) -> None:
        """Raise what was noted so far, if anything was."""
        if self.lines:
            raise UserError("\n".join(self.lines.values()))


def resolve(params: object) -> dict[str, Mapping]:
    """Merge and check all variants.

    Args:
        params: the content of params.yaml.

    Returns:
        For each variant, in the order of params.yaml: `data`, `model`, `train`, `seeds`, and `digest`, of all that and
        of its model's source: what its stages depend on, so that editing one model reruns that model's variants alone.

    Raises:
        UserError: one line for each setting that is wrong, with its path, its value and what is allowed.
    """
    problems = Problems()
    params = problems.mapping("params.yaml", params)
    problems.known_keys("", params, [*SECTIONS, "variants", *REPORT_ONLY], "the study")
    defaults = {section: _section(section, "", params, problems) for section in SECTIONS}
    problems.raise_any()  # without defaults to lay them over, the variants would only repeat it
    for name in SECTIONS:
        _check_defaults(name, defaults[name], problems)
    if defaults["data"].get("name", "mnist") not in list(sources.SIZES):
        problems.add("data.name", defaults["data"]["name"], f"allowed: {', '.join(sources.SIZES)}")
        problems.raise_any()  # no variant would fit it

    variants = problems.mapping("variants", params.get("variants"))
    if not variants:
        problems.add("variants", params.get("variants"), "at least one variant is expected here")
    plan = {}
    for name, changes in variants.items():
        if not (isinstance(name, str) and NAME.fullmatch(name)):
            problems.add(f"variants.{name}", name, NAME_RULE)
        plan[name] = _resolve_variant(f"variants.{name}.", changes, defaults, problems)
    _resolve_variant("", None, defaults, problems)  # the defaults by themselves, whether a variant uses them or not
    problems.raise_any()
    return plan


def _check_defaults(name: str, defaults: Mapping, problems: Problems) -> None:
    """Check each default by itself, whether or not anything chosen uses it."""
    section = SECTIONS[name]
    choices = [choice for choices in section.choices.values() for choice in choices.values()]
    fields: Fields = dict.fromkeys(section.choices, str) | section.shared
    for choice in choices:
        fields |= {key: kind for key, kind in choice.items() if key not in fields}
    problems.known_keys(f"{name}.", defaults, list(fields), name)
    present = {key: kind for key, kind in fields.items() if key in defaults and key not in section.choices}
    _validate(name, present, {key: defaults[key] for key in present}, lambda _: name, {}, problems)


def _resolve_variant(path: str, changes: object, defaults: dict[str, Mapping], problems: Problems) -> Mapping:
    changes = problems.mapping(path.rstrip("."), changes)
    problems.known_keys(path, changes, list(SECTIONS), "a variant")
    count = changes.get("seeds")
    if type(count) is int:  # the first so many of the study's seeds
        if count < 1:
            problems.add(f"{path}seeds", count, "allowed: a list of seeds, or how many of the study's, 1 or more")
        changes = {key: value for key, value in changes.items() if key != "seeds"}
    entry: Mapping = {}
    for name in SECTIONS:
        stated = _section(name, path, changes, problems)
        entry |= _check_section(name, path, stated, defaults[name], entry, problems)
    if problems.lines:
        return {}
    entry["seeds"] = entry["seeds"]["seeds"][: count if type(count) is int else None]
    _check_data(path, changes, entry, problems)
    return {**entry, "digest": digest(entry)}


def _check_section(
    name: str, path: str, stated: Mapping, inherited: Mapping, entry: Mapping, problems: Problems
) -> Mapping:
    """Merge and check one section of a variant.

    Args:
        name: the section's.
        path: the variant's.
        stated: what the variant changes.
        inherited: the defaults.
        entry: the variant's sections before this one.
        problems: where to note what is wrong.

    Returns:
        The section by its name, or nothing if it is wrong.
    """

    def where(key: object) -> str:
        return f"{path}{name}" if key in stated else name

    settings, fields = inherited | stated, dict(SECTIONS[name].shared)
    for selector, choices in SECTIONS[name].choices.items():
        choice = settings.get(selector)
        if not isinstance(choice, str) or choice not in choices:
            problems.add(f"{where(selector)}.{selector}", choice, f"allowed: {', '.join(choices)}")
            return {}
        fields |= {selector: str} | choices[choice]
    chosen = ", ".join(settings[selector] for selector in SECTIONS[name].choices) or name
    problems.known_keys(f"{path}{name}.", stated, list(fields), chosen)
    used = {key: value for key, value in settings.items() if key in fields}
    return _validate(name, fields, used, where, entry, problems)


def _validate(
    name: str, fields: Fields, settings: Mapping, where: Callable[[object], str], entry: Mapping, problems: Problems
) -> Mapping:
    """Return a section by its name, its settings checked against their types; nothing if one is wrong."""
    types: Any = {key: (kind, ...) for key, kind in fields.items()}
    try:
        checked = create_model(name, __base__=Settings, **types).model_validate(settings, context=entry)
        return {name: checked.model_dump()}
    except ValidationError as error:
        for problem in error.errors():
            _add_invalid(where(problem["loc"][0]), dict(problem), problems)
        return {}


def _check_data(path: str, changes: Mapping, entry: Mapping, problems: Problems) -> None:
    """Check what all variants share of the data, and settle how many images are held out."""
    data, train = entry["data"], entry["train"]
    if data["name"] not in sources.SIZES:
        return
    for key in SHARED:
        if path and key in _section("data", "", changes, problems):
            problems.add(f"{path}data.{key}", data[key], f"all variants share it; set data.{key}")
    try:
        data["validation"] = sources.validation_size(data["name"], data["validation"])
    except UserError as error:
        problems.lines.setdefault("data.validation", str(error))
        return
    trained_on = sources.SIZES[data["name"]][0] - data["validation"]
    if entry["model"].get("batch_norm") and trained_on % train["batch_size"] == 1:
        where = path if "batch_size" in _section("train", "", changes, problems) else ""
        rule = "leaves a last batch of one image, which model.batch_norm cannot normalise"
        problems.add(f"{where}train.batch_size", train["batch_size"], rule)


def _section(section: str, path: str, settings: Mapping, problems: Problems) -> Mapping:
    """Return a section of settings as a mapping; the list of seeds becomes one."""
    if section == "seeds":
        return {"seeds": settings["seeds"]} if "seeds" in settings else {}
    return problems.mapping(f"{path}{section}", settings.get(section))


def _add_invalid(section: str, problem: Mapping, problems: Problems) -> None:
    """Note what pydantic found wrong with one value, in the words of params.yaml."""
    path = ".".join([section, *map(str, problem["loc"])]).replace("seeds.seeds", "seeds")
    value = None if problem["type"] == "missing" else problem["input"]
    problems.add(path, value, problem["msg"].replace("Input should be", "allowed:").removeprefix("Value error, "))
