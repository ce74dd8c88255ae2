"""The data sets: where they come from, how they are prepared, how a run loads them."""
