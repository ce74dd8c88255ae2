"""In which order a library adds the terms of a sum, found from outside.

FPRev (Xie et al., "FPRev: revealing floating-point accumulation orders", USENIX ATC 2025): of n terms let two be M and
-M, so large that it swallows all others, and the rest 1. Those ones survive that are added after the two have met, so
the result says how many terms lie below the sum in which they meet. From such sizes the tree of additions follows.
"""

import json
import sys
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ORDERS = Path(__file__).with_name("orders.json")
LARGE = np.float32(2**40)  # of which a last digit is worth more than all ones of a sum

Tree = int | tuple["Tree", ...]  # a term's place, or what is added, in this order
Sum = Callable[[NDArray[np.float32]], float]  # of the terms, (n,)


def tree(add: Sum, n: int) -> Tree:
    """Return the tree of additions of a sum of n terms."""

    def below(i: int, j: int) -> int:
        """Return how many terms lie below the sum in which two meet."""
        terms = np.ones(n, np.float32)
        terms[i], terms[j] = LARGE, -LARGE
        return n - round(add(terms))

    def grow(places: Sequence[int]) -> Tree:
        first, *others = places
        grown: Tree = first
        sizes = {j: below(first, j) for j in others}
        for _, met in groupby(sorted(others, key=lambda j: (sizes[j], j)), key=sizes.__getitem__):
            grown = (grown, grow(list(met)))
        return grown

    return grow(range(n))


def words(grown: Tree) -> str:
    """Return a tree in short: 0:8 is a chain that adds terms 0 to 7 one by one."""
    first, chain = grown, list[int]()
    while isinstance(first, tuple) and isinstance(first[1], int):
        chain.append(first[1])
        first = first[0]
    if isinstance(first, int):
        chain.append(first)
        chain.reverse()
        steps = {b - a for a, b in pairwise(chain)}
        if len(chain) == 1:
            return str(first)
        if len(steps) == 1:
            [step] = steps
            return f"{chain[0]}:{chain[-1] + 1}" + (f":{step}" if step != 1 else "")
    assert isinstance(grown, tuple)
    return "(" + " + ".join(words(each) for each in grown) + ")"


def order_of_product(rows: int, columns: int, terms: int, place: int, left: str = "C", right: str = "C") -> str:
    """Return how numpy adds the terms of a matrix product.

    Args:
        rows, columns: the product's.
        terms: of each sum.
        place: 0 for the product's first element, -1 for its last, which other kernels compute.
        left, right: layout of the matrices, C by rows and F by columns.
    """
    a, b = np.ones((rows, terms), np.float32, order=left), np.ones((terms, columns), np.float32, order=right)  # type: ignore[call-overload]

    def add(probe: NDArray[np.float32]) -> float:
        a[place] = probe
        return float(np.matmul(a, b)[place, place])

    return words(tree(add, terms))


def main() -> None:
    """Write the orders of the canary's products to orders.json; or print those of some rows, columns and terms.

    An emulator would take a minute to import the canary.
    """
    if asked := list(map(int, sys.argv[1:])):
        rows, columns, *terms = asked
    else:
        from remnist.learning.canary import COLUMNS, ROWS, TERMS

        rows, columns, terms = ROWS, COLUMNS, list(TERMS)
    orders = {each: [order_of_product(rows, columns, each, place) for place in (0, -1)] for each in terms}
    text = json.dumps(orders, indent=2) + "\n"
    if asked:
        print(text)
    else:
        ORDERS.write_text(text)


if __name__ == "__main__":
    main()
