"""Rarer garbage collections while many objects are loaded."""

from eyened_domain.services.garbage import rarer_collections

__all__ = ["rarer_collections"]
