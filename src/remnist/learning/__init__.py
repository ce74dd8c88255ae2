"""What decides the bits of a run: numerics, the loop, losses, optimisers, schedules, augmentation, inference."""
