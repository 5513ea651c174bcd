"""Provenance: what attribute values were computed from, and which of them are stale."""

from eyened_domain.services.provenance.graph import ProvenanceEdge as ProvenanceEdge
from eyened_domain.services.provenance.graph import ProvenanceGraph as ProvenanceGraph
from eyened_domain.services.provenance.graph import ValueNode as ValueNode
from eyened_domain.services.provenance.service import Provenance as Provenance
from eyened_domain.services.provenance.staleness import StaleCause as StaleCause
from eyened_domain.services.provenance.staleness import StaleReason as StaleReason
from eyened_domain.services.provenance.staleness import StaleValue as StaleValue
