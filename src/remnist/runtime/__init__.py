"""Where and how runs are computed, which decides no bit: processes, a cluster, finished seeds, progress."""
