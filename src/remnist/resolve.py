"""From params.yaml to the plan: every variant's settings in full, checked.

A variant starts from the defaults and states what it changes. A default that its model or its optimiser has
no use for is left out of its entry, so that changing it reruns nothing; stating such a setting in the variant
itself is an error.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from remnist import sources
from remnist.errors import UserError
from remnist.schema import MODELS, OPTIMIZERS, Data, Seeds, Settings

# DVC reads a dot as a path, a shell reads most other characters; what is left names files everywhere.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
NAME_RULE = "a name holds letters, digits, '-' and '_', 64 at most; no dot, which DVC reads as a path (lr-1e-4)"

# Each section of params.yaml with the key that selects its schema, and the schemas.
SECTIONS: dict[str, tuple[str, dict[str, type[Settings]]]] = {
    "data": ("", {"": Data}),
    "model": ("name", MODELS),
    "train": ("optimizer", OPTIMIZERS),
    "seeds": ("", {"": Seeds}),
}
SHARED = ("name", "validation")  # one prepared data set serves all variants
REPORT_ONLY = ("published",)

Mapping = dict[str, Any]


class Problems:
    """What is wrong with the parameters, a line each; of one path the first problem found."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}

    def add(self, path: str, value: object, rule: str) -> None:
        """Note that the value at a path breaks a rule."""
        self.lines.setdefault(path, f"{path}: {json.dumps(value, default=str, ensure_ascii=False)}: {rule}")

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
        For each variant, in the order of params.yaml: `data`, `model`, `train`, `seeds`, and `code`, a digest
        of its model's source, so that editing one model reruns that model's variants alone.

    Raises:
        UserError: one line for each setting that is wrong, with its path, its value and what is allowed.
    """
    problems = Problems()
    params = problems.mapping("params.yaml", params)
    problems.known_keys("", params, [*SECTIONS, "variants", *REPORT_ONLY], "the study")
    defaults = {section: _section(section, "", params, problems) for section in SECTIONS}
    problems.raise_any()  # without defaults to lay them over, the variants would only repeat it
    for section, (_, schemas) in SECTIONS.items():
        known = list(dict.fromkeys(key for schema in schemas.values() for key in schema.model_fields))
        problems.known_keys(f"{section}.", defaults[section], known, section)

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


def _resolve_variant(path: str, changes: object, defaults: dict[str, Mapping], problems: Problems) -> Mapping:
    changes = problems.mapping(path.rstrip("."), changes)
    problems.known_keys(path, changes, list(SECTIONS), "a variant")
    entry: Mapping = {}
    for section, (selector, schemas) in SECTIONS.items():
        stated = _section(section, path, changes, problems)
        inherited = defaults[section]
        kind = stated.get(selector, inherited.get(selector)) if selector else ""
        if not isinstance(kind, str) or kind not in schemas:
            where = path if selector in stated else ""
            problems.add(f"{where}{section}.{selector}", kind, f"allowed: {', '.join(schemas)}")
            continue
        schema = schemas[kind]
        merged = {key: value for key, value in inherited.items() if key in schema.model_fields} | stated
        problems.known_keys(f"{path}{section}.", stated, list(schema.model_fields), kind or section)
        try:
            entry[section] = schema.model_validate(merged).model_dump()
        except ValidationError as error:
            for problem in error.errors():
                if problem["type"] != "extra_forbidden":  # noted above, with what is allowed
                    where = path if problem["loc"][0] in stated else ""
                    _add_invalid(f"{where}{section}", dict(problem), problems)
    if problems.lines:
        return {}

    entry["seeds"] = entry["seeds"]["seeds"]
    data = entry["data"]
    try:
        data["validation"] = sources.validation_size(data["name"], data["validation"])
    except UserError as error:
        problems.lines.setdefault("data.validation", str(error))
    for key in SHARED:
        if path and key in _section("data", "", changes, problems):
            problems.add(f"{path}data.{key}", data[key], f"all variants share it; set data.{key}")
    return {**entry, "code": _code_digest(entry["model"]["name"])}


def _section(section: str, path: str, settings: Mapping, problems: Problems) -> Mapping:
    """Return a section of settings as a mapping; the list of seeds becomes one."""
    if section == "seeds":
        return {"seeds": settings["seeds"]} if "seeds" in settings else {}
    return problems.mapping(f"{path}{section}", settings.get(section))


def _add_invalid(section: str, problem: Mapping, problems: Problems) -> None:
    """Note what pydantic found wrong with one value, in the words of params.yaml."""
    path = ".".join([section, *map(str, problem["loc"])]).replace("seeds.seeds", "seeds")
    value = None if problem["type"] == "missing" else problem["input"]
    problems.add(path, value, problem["msg"].replace("Input should be", "allowed:"))


def _code_digest(model: str) -> str:
    source = (Path(__file__).parent / "models" / f"{model}.py").read_text(encoding="utf-8")
    return hashlib.sha256(source.encode()).hexdigest()[:16]
