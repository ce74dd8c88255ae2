"""Check params.yaml and write plan.json, every variant's settings in full.

If anything is wrong, the plan that stands is left as it is.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, "src")  # the code beside this script, whatever else is installed

from remnist.common.errors import reported
from remnist.common.files import read_yaml, write_json
from remnist.resolve import resolve


def main() -> None:
    """Read params.yaml, resolve, write plan.json."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    write_json(Path("plan.json"), resolve(read_yaml(Path("params.yaml"))))


if __name__ == "__main__":
    with reported():
        main()
