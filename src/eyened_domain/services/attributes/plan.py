"""What bringing a frame of attributes in would do, and what it did."""

from __future__ import annotations

from typing import Any

from attrs import asdict, define, field, frozen

from eyened_domain.model.enums import AttributeDataType, Laterality
from eyened_domain.services.attributes.owners import OwnerKind


@frozen
class ModelNamed:
    """The model whose values they are: a stored one, or one that is made if need be."""

    model_id: int | None
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@define
class Counts:
    """What becomes of the cells of a column, or of several."""

    new: int = 0
    changed: int = 0
    same: int = 0
    cleared: int = 0
    empty: int = 0
    """Empty cells where nothing is to be cleared."""

    def __add__(self, other: Counts) -> Counts:
        mine, theirs = asdict(self), asdict(other)
        return Counts(**{name: mine[name] + theirs[name] for name in mine})


@define
class AttributeColumn:
    """One column of the frame: an attribute, and what becomes of its cells."""

    name: str
    data_type: AttributeDataType
    is_new: bool
    """Whether the attribute is defined only now."""
    counts: Counts = field(factory=Counts)
    cells: list[Any] = field(factory=list, repr=False)


@define
class AttributePlan:
    """What bringing a frame in would do. Nothing is written until it is applied.

    Attributes:
        owners: the entity that the values are of: ``ImageInstance``.
        model: what computed them; None for none.
        model_is_new: whether the model is made.
        clear: whether an empty cell takes a value away.
        columns: the attributes, in the order of the frame.
    """

    kind: OwnerKind = field(repr=False)
    model: ModelNamed | None
    model_is_new: bool
    clear: bool
    columns: list[AttributeColumn]
    ids: list[int] = field(repr=False)
    eyes: list[Laterality | None] = field(repr=False)

    @property
    def owners(self) -> str:
        """The entity that the values are of."""
        return self.kind.name

    @property
    def total(self) -> Counts:
        """The counts of all columns together."""
        return sum((column.counts for column in self.columns), Counts())

    @property
    def writes(self) -> bool:
        """Whether there is anything to write but definitions and the model."""
        total = self.total
        return bool(total.new or total.changed or total.cleared)

    def __str__(self) -> str:
        by = "no model" if self.model is None else f"model {self.model}"
        made = " (new)" if self.model_is_new else ""
        lines = [f"{len(self.ids):,} rows of {self.owners}, {by}{made}"]
        heads = ("new", "changed", "same", "cleared", "empty")
        lines.append(f"{'attribute':24}{'type':8}" + "".join(f"{one:>9}" for one in heads))
        for column in self.columns:
            told = f"{column.data_type.name}{'*' if column.is_new else ''}"
            numbers = "".join(f"{getattr(column.counts, one):9,}" for one in heads)
            lines.append(f"{column.name[:23]:24}{told:8}{numbers}")
        if any(column.is_new for column in self.columns):
            lines.append("* a new attribute")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as JSON can hold it."""
        return {
            "owners": self.owners,
            "rows": len(self.ids),
            "model": None if self.model is None else [self.model.name, self.model.version],
            "model_is_new": self.model_is_new,
            "clear": self.clear,
            "attributes": [
                {
                    "name": column.name,
                    "type": column.data_type.name,
                    "is_new": column.is_new,
                    **asdict(column.counts),
                }
                for column in self.columns
            ],
        }


@frozen
class AttributeResult:
    """What bringing a frame in did.

    Attributes:
        written: new values, changed ones, the same as before, cleared ones and empty cells.
        plan: what it followed, with the counts of each column as they came to be.
    """

    written: Counts
    plan: AttributePlan = field(repr=False)

    def __str__(self) -> str:
        one = self.written
        cleared = f", {one.cleared:,} cleared" if one.cleared else ""
        return f"{one.new:,} new, {one.changed:,} changed, {one.same:,} the same{cleared}"
