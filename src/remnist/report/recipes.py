"""A variant in words: its settings, as params.yaml names them."""

from remnist.plan.comparisons import SECTION_OF
from remnist.settings import Variant

TECHNICAL = {"validation", "numerics", "device"}  # settings that all variants of a study share


def recipe(variant: Variant, reference: Variant | None = None) -> str:
    """Return a variant's settings, seeds aside.

    Args:
        variant: the variant.
        reference: a variant whose settings go without saying; of another choice, as another model, all are said.
    """
    words = []
    for part in SECTION_OF:
        own, other = getattr(variant, part), getattr(reference, part, None)
        if own is None:  # the augmentation of what is no image
            continue
        known = other.model_dump() if other is not None and type(own) is type(other) else {}
        settings = {key: value for key, value in own.model_dump().items() if key not in TECHNICAL}
        changed = {key: value for key, value in settings.items() if key not in known or known[key] != value}
        words += [_setting(key, changed[key]) for key in sorted(changed, key=lambda key: key != "name")]
    return ", ".join(words)


def _setting(key: str, value: object) -> str:
    if isinstance(value, bool):
        return key if value else f"no {key}"
    return str(value) if key == "name" else f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
