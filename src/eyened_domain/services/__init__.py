"""Use cases of the domain, and the ports that they need."""
