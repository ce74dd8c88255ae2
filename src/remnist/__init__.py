"""Five MNIST lab reports, every experiment run again over many seeds."""
