"""The templates in .dvc/plots are those that the module builds."""

import argparse
from pathlib import Path

from remnist.review import vega

ROOT = Path(__file__).resolve().parents[3]


def test_the_committed_templates_are_the_built_ones():
    committed = {path.stem: path.read_bytes() for path in (ROOT / vega.FOLDER).iterdir()}
    assert committed == {name: text.encode() for name, text in vega.templates().items()}, "run `remnist plot-templates`"


def test_the_command_writes_them(tmp_path):
    parser = argparse.ArgumentParser()
    vega.add_arguments(parser)
    vega.run(parser.parse_args(["--out", str(tmp_path)]))
    assert {path.stem: path.read_text() for path in tmp_path.iterdir()} == vega.templates()
