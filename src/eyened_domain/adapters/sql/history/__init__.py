"""The history in SQL: what changed is noted in each flush, and written before the commit."""
