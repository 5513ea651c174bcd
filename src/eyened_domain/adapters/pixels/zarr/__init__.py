"""The pixels of segmentations, in the Zarr v3 layout that other programs read.

`layout`: names and metadata; `manifest`: what a slot says about itself; `codecs`: from
pixels to bytes and back; `files`: slots on the disk.
"""
