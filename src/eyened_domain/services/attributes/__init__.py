"""Attributes: definitions, models and values; DataFrames of them in and out."""

from eyened_domain.services.attributes.plan import AttributePlan as AttributePlan
from eyened_domain.services.attributes.plan import AttributeResult as AttributeResult
from eyened_domain.services.attributes.service import Attributes as Attributes
