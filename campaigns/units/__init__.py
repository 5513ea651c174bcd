"""Units of work under crowds, kills and cut connections: each happens once, or not at all."""
