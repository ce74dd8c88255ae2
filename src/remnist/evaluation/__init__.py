"""What the trained networks do on the test set."""
