"""Bring the original files of the data set to data/raw.

MNIST_MIRROR names a folder or URL to take them from; without it torchvision's mirrors are asked.
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, "src")  # the code beside this script, whatever else is installed

from remnist import sources
from remnist.common.errors import reported
from remnist.common.files import read_params


def main() -> None:
    """Read the data set's name, fetch its files."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    name = sources.check_name(read_params("data").get("name"))
    sources.fetch(name, Path("data/raw"), os.environ.get("MNIST_MIRROR") or None)


if __name__ == "__main__":
    with reported():
        main()
