"""What claims compare, checked against the study."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from remnist.plan.claims import Claim, Claims, figures
from remnist.plan.problems import Problems
from remnist.settings import Variant, Xor

# The parts of a variant, each with its section in params.yaml.
SECTION_OF = {"data": "data", "model": "model"} | dict.fromkeys(
    ("train", "augmentation", "optimizer", "loss", "schedule"), "train"
)


def check(claims: Claims, plan: Mapping[str, Variant]) -> None:
    """Check that the claims suit the study.

    Args:
        claims: the content of claims.yaml.
        plan: every variant's settings.

    Raises:
        UserError: a line for each claim about a variant, a report, a claim or a figure that the study does not have.
    """
    problems = Problems()

    def known(path: str, name: str, names: Mapping[str, object], kind: str) -> None:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            problems.add(path, name, f"no {kind}{f'; did you mean {close[0]}?' if close else ''}")

    def known_report(path: str, number: int) -> None:
        if number not in claims.reports:
            problems.add(path, number, f"allowed: {', '.join(map(str, claims.reports))}, the numbers under reports")

    known("reference", claims.reference, plan, "variant of params.yaml")
    on_images = {name for name, variant in plan.items() if not isinstance(variant.data, Xor)}
    if on_images and claims.reference in plan.keys() - on_images:
        problems.add("reference", claims.reference, "a variant that learns images is expected here")
    for name, printed in claims.published.items():
        known(f"published.{name}", name, plan, "variant of params.yaml")
        known_report(f"published.{name}.report", printed.report)
    lists = {"findings": claims.findings} | {f"questions.{title}": names for title, names in claims.questions.items()}
    for path, names in lists.items():
        for place, name in enumerate(names):
            if path == "findings":
                known(f"{path}.{place}", name, claims.claims, "claim")
            else:
                known(f"{path}.{place}", name, plan, "variant of params.yaml")
            if name in names[:place]:
                problems.add(f"{path}.{place}", name, "stands there already")
    for name, claim in claims.claims.items():
        path = f"claims.{name}"
        known_report(f"{path}.report", claim.report)
        for place, part in enumerate(claim.all_of):
            known(f"{path}.all_of.{place}", part, claims.claims, "claim")
            if part in claims.claims and claims.claims[part].all_of:
                problems.add(f"{path}.all_of.{place}", part, "has parts of its own")
        for where, variants in compared(path, claim):
            for place, variant in enumerate(variants):
                known(f"{where}.{place}", variant, plan, "variant of params.yaml")
            if claim.expect != "as_published":
                _check_comparable(where, variants, plan, problems)
        if claim.expect == "as_published":
            for variant in plan.keys() & claim.variants:
                if not figures(claim, variant, claims.published):
                    problems.add(f"{path}.metric", claim.metric, f"published.{variant} has no such figure")
    problems.raise_any()


def compared(path: str, claim: Claim) -> Iterator[tuple[str, list[str]]]:
    """Yield a claim's variants and those of its control, each with their path in claims.yaml."""
    yield f"{path}.variants", claim.variants
    if claim.cause:
        yield f"{path}.cause.control", claim.cause.control


def variants_of(claim: Claim, claims: Mapping[str, Claim]) -> set[str]:
    """Return the variants that a claim, its control and its parts compare."""
    parts = [claim, *(claims[part] for part in claim.all_of if part in claims)]
    return {variant for part in parts for _, variants in compared("", part) for variant in variants}


def factors(first: Variant, second: Variant) -> list[str]:
    """Return the settings in which two variants differ, seeds aside, as `train.lr`; another choice counts once."""
    found = []
    for part, section in SECTION_OF.items():
        settings = [getattr(variant, part) for variant in (first, second)]
        if type(settings[0]) is not type(settings[1]):
            found.append(f"{section}.{'name' if part == section else part}")
        elif settings[0] != settings[1]:
            dumped = [each.model_dump() for each in settings]
            found += [f"{section}.{key}" for key in dumped[0] if dumped[0][key] != dumped[1][key]]
    return found


def _check_comparable(path: str, variants: list[str], plan: Mapping[str, Variant], problems: Problems) -> None:
    found = [plan[variant] for variant in variants if variant in plan]
    if len({isinstance(variant.data, Xor) for variant in found}) > 1:
        problems.add(path, variants, "XOR's points and images are no common test set")
    elif len(set(variants)) < len(variants):
        problems.add(path, variants, "two different variants are expected here")
