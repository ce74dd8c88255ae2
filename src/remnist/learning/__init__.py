"""The code that decides the bits of a run: numerics, loop, losses, optimisers, schedules, augmentation, inference."""
