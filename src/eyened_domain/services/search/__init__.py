"""Searching: pages, counts, ids and frames of what meets a condition; see `Search`."""

from eyened_domain.services.search.listing import FieldInfo
from eyened_domain.services.search.paging import Page
from eyened_domain.services.search.service import Found, Search

__all__ = ["FieldInfo", "Found", "Page", "Search"]
