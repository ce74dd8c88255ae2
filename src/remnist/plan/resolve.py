"""From params.yaml to the plan: every variant's settings in full, checked.

A variant starts from the defaults, or by `like` from another variant, and states what it changes. What it inherits
and its model, optimiser, loss, schedule or data have no use for is left out of its entry, so that changing it reruns
nothing; stating such a setting in the variant itself is an error.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from remnist.data import sources, xor
from remnist.errors import UserError
from remnist.plan.problems import Problems
from remnist.settings import ALWAYS, CHOICES, SECTIONS, XOR, Count, Images, Seeds, Settings, Variant, Xor, always, tags

# DVC reads a dot as a path, a shell reads most other characters; what is left names files everywhere.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
NAME_RULE = "a name holds letters, digits, '-' and '_', 64 at most; no dot, which DVC reads as a path (lr-1e-4)"
SHARED = ("name", "validation")  # one prepared data set serves all variants, but for XOR's four points

T = TypeVar("T")
Json = Mapping[str, Any]  # a part of params.yaml, as yet unchecked


def resolve(params: object) -> dict[str, Variant]:
    """Merge and check all variants.

    Args:
        params: the content of params.yaml.

    Returns:
        Each variant in full, in the order of params.yaml.

    Raises:
        UserError: one line for each setting that is wrong, with its path, its value and what is allowed.
    """
    problems = Problems()
    study = problems.mapping("params.yaml", params)
    problems.unknown("", study, [*SECTIONS, "seeds", "seeds_per_variant", "variants"], "the study")
    defaults = {name: problems.mapping(name, study.get(name)) for name in SECTIONS}
    problems.raise_any()  # without defaults to lay them over, the variants would only repeat it
    for name in SECTIONS:
        _check_defaults(name, defaults[name], problems)
    if defaults["data"].get("name", "mnist") not in list(sources.SIZES):
        problems.add("data.name", defaults["data"]["name"], f"allowed: {', '.join(sources.SIZES)}")
        problems.raise_any()  # no variant would fit it
    seeds: list[int] = _validate(TypeAdapter(Seeds), study.get("seeds"), "seeds", problems) or []
    per_variant = study.get("seeds_per_variant", len(seeds) or 1)
    from_study = Inherited(
        defaults, seeds, _validate(TypeAdapter(Count), per_variant, "seeds_per_variant", problems) or 1
    )
    variants = problems.mapping("variants", study.get("variants"))
    if not variants:
        problems.add("variants", study.get("variants"), "at least one variant is expected here")
    plan, alike = {}, dict[str, object]()
    for name, changes in variants.items():
        if not (isinstance(name, str) and NAME.fullmatch(name)):
            problems.add(f"variants.{name}", name, NAME_RULE)
        if (other := alike.setdefault(str(name).casefold(), name)) != name:
            problems.add(
                f"variants.{name}",
                name,
                f"{other} is the same name, and folder, on systems without case",
            )
        own = Problems()
        inherited = _inherit(name, variants, from_study, own)
        if variant := _resolve_variant(f"variants.{name}.", changes, inherited, own):
            plan[name] = variant
        problems.merge(own)
    own = Problems()
    _resolve_variant("", None, from_study, own)  # the defaults by themselves, used or not
    problems.merge(own)
    problems.raise_any()
    return plan


@dataclass(frozen=True)
class Inherited:
    """What a variant starts from: the defaults, and what the variants change that it is like.

    Attributes:
        sections: the settings of each section.
        study_seeds: the study's seeds.
        seeds: what the variants say of seeds that it is like, else how many of the study's a variant takes.
        origins: the path of the variant that states a setting, by section and name, of its seeds by none and `seeds`;
            of a default there is none.
    """

    sections: Mapping[str, Json]
    study_seeds: list[int]
    seeds: object = None
    origins: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def changed_by(self, path: str, changes: Json) -> Self:
        """Return the same with what a variant changes."""
        stated = {name: found if isinstance(found := changes.get(name), dict) else {} for name in SECTIONS}
        return replace(
            self,
            sections={name: {**self.sections[name], **stated[name]} for name in SECTIONS},
            seeds=changes.get("seeds", self.seeds),
            origins={
                **self.origins,
                **{(name, key): path for name in SECTIONS for key in stated[name]},
                **({("", "seeds"): path} if "seeds" in changes else {}),
            },
        )


def lineage(name: str, variants: Json) -> list[str]:
    """Return the variants that one starts from, the first first, then itself; none that is not there or comes again."""
    chain = [name]
    while isinstance(changes := variants[chain[0]], dict):
        other = changes.get("like")
        if not isinstance(other, str) or other not in variants or other in chain:
            break
        chain.insert(0, other)
    return chain


def _inherit(name: str, variants: Json, defaults: Inherited, problems: Problems) -> Inherited:
    """Return what a variant starts from; a variant that it cannot be like is noted."""
    chain, inherited = lineage(name, variants), defaults
    for ancestor in chain[:-1]:
        if isinstance(variants[ancestor], dict):
            inherited = inherited.changed_by(f"variants.{ancestor}.", variants[ancestor])
    first = variants[chain[0]]
    if isinstance(first, dict) and "like" in first:
        rule = "a variant cannot be like itself" if first["like"] in chain else "no variant of params.yaml"
        problems.add(f"variants.{chain[0]}.like", first["like"], rule)
    return inherited


def _check_defaults(section: str, defaults: Json, problems: Problems) -> None:
    """Check each default by itself, whether or not anything chosen uses it."""
    selectors = CHOICES[section]
    kinds = [*ALWAYS[section], *(kind for group in selectors.values() for kind in group)]
    known = dict.fromkeys([*selectors, *(field for kind in kinds for field in kind.model_fields)])
    problems.unknown(f"{section}.", defaults, list(known), section)
    owners = {field: kind for kind in reversed(kinds) for field in kind.model_fields}  # the first class counts
    for name in [name for name in owners if name in defaults and name not in selectors]:
        try:
            owners[name].model_validate({name: defaults[name]})
        except ValidationError as error:
            problems.add_invalid(section, error, only=name)


def _resolve_variant(path: str, changes: object, inherited: Inherited, problems: Problems) -> Variant | None:
    """Resolve a variant; None if anything is wrong with it, which is then noted."""
    stated = problems.mapping(path.rstrip("."), changes)
    problems.unknown(path, stated, ["like", *SECTIONS, "seeds"], "a variant")
    sections = {name: problems.mapping(f"{path}{name}", stated.get(name)) for name in SECTIONS}
    data = {**inherited.sections["data"], **sections["data"]}.get("name")
    parts = [
        part for name in SECTIONS for part in _resolve_section(name, path, sections[name], inherited, data, problems)
    ]
    own_seeds = _resolve_seeds(path, stated, inherited, problems)
    if problems.lines:
        return None
    variant = Variant.from_parts(parts, own_seeds)
    return _fit_data(path, sections, inherited, variant, problems)


def _resolve_section(
    section: str, path: str, stated: Json, inherited: Inherited, data: object, problems: Problems
) -> list[Settings]:
    """Merge a section, choose its classes and build them; nothing if a choice is wrong."""
    settings = {**inherited.sections[section], **stated}
    kinds = always(section, data)
    chosen = []
    for selector in CHOICES[section]:
        choice, allowed = settings.get(selector), tags(section, selector)
        if not isinstance(choice, str) or choice not in allowed:
            problems.add(_stated(path, section, selector, stated, inherited), choice, f"allowed: {', '.join(allowed)}")
            return []
        kinds.append(allowed[choice])
        chosen.append(choice)
    known = dict.fromkeys([*CHOICES[section], *(field for kind in kinds for field in kind.model_fields)])
    owner = ", ".join(chosen) + (f" on {XOR}" if section == "train" and data == XOR else "")
    problems.unknown(f"{path}{section}.", stated, list(known), owner)
    built = []
    for kind in kinds:
        try:
            built.append(kind.model_validate({key: settings[key] for key in kind.model_fields if key in settings}))
        except ValidationError as error:
            for field in {str(problem["loc"][0]): None for problem in error.errors()}:
                where = _stated(path, section, field, stated, inherited).removesuffix(f".{field}")
                problems.add_invalid(where, error, only=field)
    return built


def _stated(path: str, section: str, key: str, stated: Json, inherited: Inherited) -> str:
    """Return where a setting comes from: the variant that states it, one that this is like, or the defaults."""
    return f"{path if key in stated else inherited.origins.get((section, key), '')}{section}.{key}"


def _resolve_seeds(path: str, stated: Json, inherited: Inherited, problems: Problems) -> list[int]:
    """Return a variant's own seeds, or the first n of the study's, all of them at most."""
    of_study = inherited.study_seeds
    own = stated.get("seeds", inherited.seeds)
    where = f"{path if 'seeds' in stated else inherited.origins.get(('', 'seeds'), '')}seeds"
    if type(own) is not int:
        return _validate(TypeAdapter(Seeds), own, where, problems) or []
    if own < 1:
        problems.add(where, own, "allowed: a list of seeds, or how many of the study's, 1 or more")
    return of_study[:own]


def _fit_data(
    path: str, sections: Mapping[str, Json], inherited: Inherited, variant: Variant, problems: Problems
) -> Variant | None:
    """Check what concerns the data as well; None if anything is wrong, which is then noted."""

    def note(section: str, setting: str, value: object, rule: str) -> None:
        problems.add(_stated(path, section, setting, sections[section], inherited), value, rule)

    for section, part in (("model", variant.model), ("train", variant.augmentation)):
        for setting, rule in part.misfits(variant.data) if part else ():
            note(section, setting, getattr(part, setting), f"allowed: {rule}")
    data = variant.data
    if isinstance(data, Images):
        for key in SHARED:
            if path and key in sections["data"]:
                problems.add(f"{path}data.{key}", getattr(data, key), f"all variants share it; set data.{key}")
        try:
            sources.check_validation(data.name, data.validation)
        except UserError as error:
            problems.lines.setdefault("data.validation", str(error))
            return None
    size = variant.train.batch_size
    if variant.model.needs_two_images(data) and (trained_images(data) - 1) % size == 0:
        note("train", "batch_size", size, "leaves a last batch of one image, which batch norm cannot normalise")
    return None if problems.lines else variant


def trained_images(data: Images | Xor) -> int:
    """Return how many training images an epoch has."""
    if isinstance(data, Xor):
        return len(xor.POINTS) * xor.REPEATS
    return sources.SIZES[data.name][0] - data.validation


def _validate(adapter: TypeAdapter[T], value: object, path: str, problems: Problems) -> T | None:
    try:
        return adapter.validate_python(value, strict=True)
    except ValidationError as error:
        problems.add_invalid(path, error)
        return None
