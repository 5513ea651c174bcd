"""Readers of pixels: one module per kind of file, as in `image_headers`.

Each reads the header of the open file first, and nothing is decoded before size,
pixel budget and the row have been found to agree.
"""
