"""Campaigns against faults: what is wrong shows only under crowds, kills, damage and chance.

- `pixels`: segmentations; `units`: units of work; `hostile`: input that is made to hurt;
  `differential`: random programs on every storage;
- `kit`: what they share.

Each is a command that prints its seed and its figures, and ends with 1 when one is missed.
"""
