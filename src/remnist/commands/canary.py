"""Compute what each process that computes portably computes first, and compare its bits with the known ones.

A new version of a library, or a processor that nobody has tried, shows so in a second whether it changes any result.
`make lock` runs it on what it resolved.
"""

import argparse

from remnist import kernels
from remnist.learning import numerics


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line may say: nothing."""


def run(_: argparse.Namespace) -> None:
    """Print the digest of each kind of computation.

    Raises:
        UserError: one has other bits, or the libraries take other kernels than those that are pinned.
    """
    from remnist.learning import canary

    try:
        numerics.settle()
    finally:
        if kernels.is_in_use:  # else this processor cannot compute them
            print_digests(canary.digests(), canary.DIGESTS)


def print_digests(found: dict[str, str], known: dict[str, str]) -> None:
    """Print a line a kind, with the known digest where that is another."""
    for name, digest in found.items():
        print(f"{name:<36} {digest}" + (f"  known: {known[name]}" if digest != known[name] else ""))
