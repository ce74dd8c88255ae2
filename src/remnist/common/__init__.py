"""What training and evaluation share: settings, data, arithmetic, processes, layers, losses; errors, files."""
