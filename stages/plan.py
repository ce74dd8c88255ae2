"""Check params.yaml and claims.yaml; write plan.json, every variant's settings in full, and digests.json.

If anything is wrong, the plan that stands is left as it is.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, "src")  # this checkout's code, whatever else is installed

from remnist.files import read_yaml, write_json
from remnist.plan import claims, comparisons, digests
from remnist.plan.resolve import resolve
from remnist.runtime.stage import Inputs, stage_main


def main(inputs: Inputs) -> None:
    """Read both files, resolve, write the plan and its digests."""
    plan = resolve(read_yaml(Path("params.yaml")))
    comparisons.check(claims.read(Path("claims.yaml")), plan)
    entries, found = {name: variant.to_json() for name, variant in plan.items()}, digests.of_study(plan)
    inputs.check()
    write_json(Path("plan.json"), entries)
    write_json(Path("digests.json"), found)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    with stage_main("plan") as inputs:
        main(inputs)
