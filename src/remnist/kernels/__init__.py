"""Kernels of the project's own, in C, whose bits depend on no library, compiler or processor.

`is_in_use` is for `remnist.learning.numerics` to set: portable numerics use them.
"""

is_in_use = False
