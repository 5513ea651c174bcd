"""Pixels and rows that change together: positions in the zarr store, and who points to them.

Saving pixels goes in four steps, on every database:

1. a position is *reserved* in a short transaction of its own (`positions.rows.reserve`);
2. the pixels go into a new file, at a position that no other file has (`zarr`);
3. the unit of work lets the row point there, if it still points where it did, and the
   position becomes *live*, the old one *garbage* (`positions.rows.point`);
4. the commit of the unit of work is the only switch.

Whatever happens in between, the row has its old pixels or the new ones. A position is never
used again: what nobody points to is collected when it is old (`collect`).
"""
