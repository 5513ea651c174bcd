"""Every speed claim of the README, measured beside its limit in the same run."""
