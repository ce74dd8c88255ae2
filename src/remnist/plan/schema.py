"""JSON schemas of params.yaml and claims.yaml, by which an editor completes keys and underlines what is wrong."""

from typing import Any

from pydantic import TypeAdapter

from remnist.plan.claims import Claims
from remnist.plan.resolve import NAME
from remnist.settings import ALWAYS, CHOICES, SECTIONS, Seeds, tags

DIALECT = "http://json-schema.org/draft-07/schema#"  # the newest that YAML's language server knows

Schema = dict[str, Any]  # JSON


def params() -> Schema:
    """Return the schema of params.yaml: each section, and for each variant the same sections in part."""
    sections = {section: _section(section) for section in SECTIONS}
    seeds = TypeAdapter(Seeds).json_schema() | {"description": "a run each; variants are compared seed by seed"}
    count = {"type": "integer", "minimum": 1}
    own_seeds = {
        "anyOf": [count, seeds],
        "description": "a list of seeds, or the number of the study's first seeds, all of them at most",
    }
    changes = {name: schema | {"type": ["object", "null"]} for name, schema in sections.items()}
    like = {"type": "string", "description": "another variant, from which this one starts"}
    variant = _mapping({"like": like, **changes, "seeds": own_seeds}) | {"type": ["object", "null"]}
    variants = {
        "type": "object",
        "patternProperties": {f"^{NAME.pattern}$": variant},
        "additionalProperties": False,
        "minProperties": 1,
        "description": "each variant, with what it changes of the defaults",
    }
    each = count | {"description": "how many of the first of these a variant takes; all without it"}
    study = _mapping({**sections, "seeds": seeds, "seeds_per_variant": each, "variants": variants})
    return {"$schema": DIALECT, "title": "params.yaml", **study, "required": [*SECTIONS, "seeds", "variants"]}


def claims() -> Schema:
    """Return the schema of claims.yaml."""
    return {"$schema": DIALECT, **Claims.model_json_schema(), "title": "claims.yaml"}


def _section(section: str) -> Schema:
    """Return the schema of a section: the settings of all its classes, those of one name joined."""
    kinds = [*ALWAYS[section], *(kind for selector in CHOICES[section] for kind in tags(section, selector).values())]
    properties: dict[str, Schema] = {
        selector: {"enum": list(tags(section, selector)), "description": f"{selector} of the {section} section"}
        for selector in CHOICES[section]
    }
    for kind in kinds:
        for name, found in kind.model_json_schema()["properties"].items():
            field = {key: value for key, value in found.items() if key != "title"}
            if name in CHOICES[section]:
                continue
            known = properties.setdefault(name, field)
            if known != field and field not in known.get("anyOf", []):
                properties[name] = {"anyOf": [*known.get("anyOf", [known]), field]}
    return _mapping(properties)


def _mapping(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}
