"""From settings to weights."""
