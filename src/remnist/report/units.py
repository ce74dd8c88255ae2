"""The units in which a metric's differences are shown."""


def scale(metric: str) -> tuple[float, str]:
    """Return the factor by which a metric's differences are shown, and the unit that they then have."""
    return (1, "epochs") if metric == "epochs_to_reach" else (100, "points")
