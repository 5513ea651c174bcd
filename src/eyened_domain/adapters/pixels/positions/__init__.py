"""Positions in the zarr store: reserved, live, garbage; and the rows that point to them."""
