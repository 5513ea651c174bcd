"""The pixels of segmentations: their grid, what checks them, masks, the port of their store."""
