"""Bring the original files of the data set to data/raw.

MNIST_MIRROR names a folder or URL to take them from; without it torchvision's mirrors are asked.
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, "src")  # this checkout's code, whatever else is installed

from remnist.data import sources
from remnist.files import read_params
from remnist.runtime.stage import stage_main


def main() -> None:
    """Read the data set's name, fetch its files."""
    name = sources.check_name(read_params("data").get("name"))
    sources.fetch(name, Path("data/raw"), os.environ.get("MNIST_MIRROR") or None)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    with stage_main("download"):
        main()
