"""The command line: `remnist <command>`; `python -m remnist.cli <command>` runs the code of the path's first copy."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

# Module and summary of each command. A module is imported for its own command only: some load pandas or DVC.
COMMANDS = {
    "demo": ("commands.demo", "copy the project to a folder and make a small study on scikit-learn's digits of it"),
    "repro": ("commands.repro", "run the study, after any interruption"),
    "ahead": ("commands.ahead", "train and evaluate what is stale, ahead of DVC's stages"),
    "worker": ("commands.worker", "work for a study on other machines"),
    "check-lock": ("commands.check_lock", "tell whether `dvc repro` would run any stage"),
    "check-results": ("commands.check_results", "train a few variants again and compare them with dvc.lock"),
    "share": ("commands.share", "send what dvc.lock names to a remote"),
    "fetch": ("commands.fetch", "bring what dvc.lock names from a remote"),
    "pack": ("commands.pack", "pack every run's learning curves and predictions into docs/runs.tar.xz"),
    "unpack": ("commands.unpack", "unpack them, to judge the claims by other rules without training"),
    "canary": ("commands.canary", "compute what each process computes first and compare its bits with the known ones"),
    "verify": ("commands.verify", "train the same here and on emulated processors and compare the bits"),
    "review": ("review.pull_request", "say what the working tree changes against another revision"),
    "experiments": ("review.sweep", "say what experiments changed, side by side"),
    "page": ("page.build", "write the page of results, one file that needs no network"),
    "plots-page": ("review.plots_page", "write the page that `dvc plots` fills in, which needs no network"),
    "plot-templates": ("review.vega", "write the templates of `dvc plots`"),
    "schemas": ("commands.schemas", "write the JSON schemas of params.yaml and claims.yaml"),
}


def main(words: Sequence[str] | None = None) -> None:
    """Run a command.

    Args:
        words: the command line behind the program's name; None takes this process's.
    """
    words = sys.argv[1:] if words is None else words
    parser = argparse.ArgumentParser(prog="remnist", description="Commands of the study; run them from its root.")
    commands = parser.add_subparsers(metavar="command", required=True)
    parsers = {name: commands.add_parser(name, help=summary) for name, (_, summary) in COMMANDS.items()}
    if not words or words[0] not in COMMANDS:
        parser.parse_args(words)
        return
    from remnist.runtime.stage import command_main

    with command_main():
        module, command = import_module(f"remnist.{COMMANDS[words[0]][0]}"), parsers[words[0]]
        command.description, command.formatter_class = module.__doc__, argparse.RawDescriptionHelpFormatter
        module.add_arguments(command)
        module.run(parser.parse_args(words))


if __name__ == "__main__":
    main()
