"""XOR as a data set: four points, and how often an epoch shows them."""

POINTS = ((0, 0), (0, 1), (1, 0), (1, 1))
REPEATS = 250  # times an epoch shows each point
CLASSES = 2
