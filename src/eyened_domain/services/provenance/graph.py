"""What was computed from what, as a graph and as text."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from eyened_domain.model.enums import Laterality
from eyened_domain.model.values import shown

_ESCAPED = str.maketrans({"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "\n": " "})


@frozen(kw_only=True)
class ValueNode:
    """An attribute value, with whose it is, and what has computed it."""

    attribute_value_id: int
    attribute_name: str
    value: Any
    entity: str
    """Whose value it is: ``"ImageInstance"``, ``"Study"``, …"""
    entity_id: int
    laterality: Laterality | None
    model_name: str | None
    """None where a person has given it, or an import."""
    model_version: str | None

    @property
    def model(self) -> str | None:
        """Name and version of the model."""
        return None if self.model_name is None else f"{self.model_name} {self.model_version}"

    def __str__(self) -> str:
        eye = "" if self.laterality is None else f" {self.laterality.name}"
        by = "" if self.model is None else f", by {self.model}"
        return f"{self.attribute_name} of {self.entity} {self.entity_id}{eye}{by}"


@frozen(kw_only=True)
class ProvenanceEdge:
    """That one value was computed from another, told by their ids."""

    source: int
    """What it was computed from."""
    target: int
    """What was computed."""


@frozen(kw_only=True)
class ProvenanceGraph:
    """Values, and which of them were computed from which."""

    nodes: tuple[ValueNode, ...]
    """In the order of their ids."""
    edges: tuple[ProvenanceEdge, ...]
    """In the order of the ids, of the target first."""

    def sources_of(self, attribute_value_id: int) -> tuple[ValueNode, ...]:
        """Return what a value was computed from, directly."""
        ids = {edge.source for edge in self.edges if edge.target == attribute_value_id}
        return self._with(ids)

    def results_of(self, attribute_value_id: int) -> tuple[ValueNode, ...]:
        """Return what was computed from a value, directly."""
        ids = {edge.target for edge in self.edges if edge.source == attribute_value_id}
        return self._with(ids)

    def _with(self, ids: set[int]) -> tuple[ValueNode, ...]:
        return tuple(node for node in self.nodes if node.attribute_value_id in ids)

    def mermaid(self) -> str:
        """Return it as the text of a Mermaid flowchart, what was computed from further right."""
        lines = ["flowchart LR"]
        lines += [f'    v{node.attribute_value_id}["{_label(node)}"]' for node in self.nodes]
        lines += [f"    v{edge.source} --> v{edge.target}" for edge in self.edges]
        return "\n".join(lines) + "\n"


def _label(node: ValueNode) -> str:
    eye = "" if node.laterality is None else f" {node.laterality.name}"
    parts = [
        f"{node.attribute_name} = {shown(node.value)}",
        f"{node.entity} {node.entity_id}{eye}",
        *([] if node.model is None else [node.model]),
    ]
    return "<br/>".join(part.translate(_ESCAPED) for part in parts)
