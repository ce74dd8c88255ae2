"""The trained networks on the test set: their predictions, and how good these are."""
