"""The page of results: one file that needs no network, made of what Git holds."""
