"""Write the JSON schemas of params.yaml and claims.yaml, which editors read."""

import argparse
from pathlib import Path

from remnist.files import write_json
from remnist.plan import schema

SCHEMAS = {"params.schema.json": schema.params, "claims.schema.json": schema.claims}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: it has none."""


def run(_: argparse.Namespace) -> None:
    """Write both to the working directory."""
    for name, make in SCHEMAS.items():
        write_json(Path(name), make())
