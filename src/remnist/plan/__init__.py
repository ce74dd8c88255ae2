"""From params.yaml and claims.yaml to the plan: checked, resolved, with digests of what decides each result."""
