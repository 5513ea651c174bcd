"""Campaigns: long runs that look for faults. `python -m campaigns.differential`, for example."""
