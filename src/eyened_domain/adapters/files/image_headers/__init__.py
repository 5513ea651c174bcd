"""Readers of image headers: one module per kind of file."""
