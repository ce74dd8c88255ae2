"""What a change did to the study: for a pull request, for a sweep of experiments."""
