"""Turn the original files into one safetensors file, with the validation images, if any, held out."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, "src")  # this checkout's code, whatever else is installed

from remnist.data import preparation, sources
from remnist.files import read_params, write_bytes
from remnist.runtime.stage import stage_main

# isort: split
from safetensors.numpy import save  # after the package, which reads first who started this process


def main() -> None:
    """Read data/raw, hold out, write data/images.safetensors."""
    data = read_params("data")
    name = sources.check_name(data.get("name"))
    validation = sources.check_validation(name, data.get("validation"))
    arrays = sources.read(name, Path("data/raw"))
    write_bytes(Path("data/images.safetensors"), save(preparation.split(arrays, validation), {"name": name}))


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    with stage_main("preprocess"):
        main()
