"""How images and segmentations show themselves in a notebook: pictures beside a table.

HTML without scripts: every text is escaped, pictures are ``data:`` addresses of bytes that
were made here or begin as a JPEG does. A card is always returned: what cannot be shown is
told in it.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from eyened_domain.errors import BadInput, EyenedError
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.html_table import (
    NO_FORMULAS,
    Described,
    escaped,
    main_rows,
    titled_rows,
)

if TYPE_CHECKING:
    from PIL.Image import Image

    from eyened_domain.adapters.image_store import StoredImages
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.pixels.pictured import PicturedPixels

Find = Callable[[type[Entity], int], Entity]

CARD_PIXELS = 60_000_000
"""Pixels of an image, all its scans together, that a card is made of at most."""
CARD_SIZE = 540
"""Longest side of a picture on a card; that of the larger thumbnail."""

_MASK = "mask"  # as in model.pixels.masks, which brings numpy
_LINKS = ("image_instance", "feature", "model", "creator")
_LEFT_OUT = frozenset({"cf_roi", "cf_keypoints", "data_hash", "file_checksum", "old_path"})


def image_card(images: StoredImages, image: ImageInstance) -> str:
    """Return an image as HTML: its thumbnail, of a volume the middle B-scan as well.

    The thumbnail is made at this moment when there is none.
    """
    figures = [_figure(lambda: _thumbnail(images, image), "en face" if _is_deep(image) else "")]
    if _is_deep(image):
        middle = (image.nr_of_frames or 1) // 2
        figures.append(_figure(lambda: _b_scan(images, image, middle), f"B-scan {middle}"))
    return _card(image, figures)


def segmentation_card(grid: PicturedPixels, find: Find | None) -> str:
    """Return a segmentation as HTML: its masks over the image, with the colour of each.

    Args:
        grid: the segmentation.
        find: returns an object by its id; None when the unit of work has closed, and
            nothing may be loaded any more.
    """
    if find is not None:
        _attempt(lambda: _load_links(grid, find))
    figures = [_figure(*view) for view in _views(grid)]
    return _card(grid, figures, _attempt(lambda: _legend(grid)) or "")


def _is_deep(image: ImageInstance) -> bool:
    """Whether the thumbnail shows the volume from the front; see `image_pixels.shown`."""
    return (image.nr_of_frames or 1) >= 10


def _load_links(grid: PicturedPixels, find: Find) -> None:
    """Load what is shown of this one, and not the same for all that were loaded with it."""
    for name in _LINKS:
        link = grid.__entity__.links.get(name)
        identity = grid.__dict__.get(str(link.via)) if link is not None else None
        if link is not None and identity is not None and grid.__dict__.get(name) is None:
            kept = find(entity_class(link.target), identity)  # a session forgets what nobody has
            getattr(grid, name)
            del kept


def _views(grid: PicturedPixels) -> Iterator[tuple[Callable[[], bytes], str]]:
    """Give how to make each picture, with its caption."""
    if not grid.is_3d:
        yield lambda: _overlay(grid, {}), "en face" if grid.is_en_face else ""
        return
    yield lambda: _overlay(grid, {"en_face": True}), "en face"
    scans = sorted(grid.scan_indices or range(grid.depth))
    middle = scans[len(scans) // 2]
    yield lambda: _overlay(grid, {"scan": middle}), f"B-scan {middle}"


def _overlay(grid: PicturedPixels, view: Mapping[str, Any]) -> bytes:
    image: ImageInstance = grid.image_instance
    _check_size(image.shape or grid.shape)
    _check_size(grid.shape)
    if not grid.has_pixels:
        return _jpeg(image.picture(CARD_SIZE))
    return _jpeg(grid.overlay(max_size_px=CARD_SIZE, **view))


def _thumbnail(images: StoredImages, image: ImageInstance) -> bytes:
    stored = images.thumbnail_bytes(image, CARD_SIZE)
    if stored is not None:
        return stored
    _check_size(image.shape or (1, 1, 1))
    return _jpeg(images.within(CARD_PIXELS).picture_of(image, CARD_SIZE))


def _b_scan(images: StoredImages, image: ImageInstance, scan: int) -> bytes:
    from PIL import Image  # noqa: PLC0415 - loaded when a picture is made

    from eyened_domain.adapters.files.image_pixels.shown import (  # noqa: PLC0415 - Pillow
        eight_bit,
    )

    _check_size(image.shape or (1, 1, 1))
    picture = Image.fromarray(eight_bit(images.within(CARD_PIXELS).b_scan_of(image, scan)))
    picture.thumbnail((CARD_SIZE, CARD_SIZE), Image.Resampling.LANCZOS)
    return _jpeg(picture)


def _check_size(shape: tuple[int, int, int]) -> None:
    pixels = math.prod(shape)
    if pixels > CARD_PIXELS:
        raise BadInput(
            f"{pixels:,} pixels are more than a notebook makes a picture of by itself; "
            "picture() and overlay() do"
        )


def _jpeg(picture: Image) -> bytes:
    written = io.BytesIO()
    picture.convert("RGB").save(written, "JPEG", quality=85)
    return written.getvalue()


def _legend(grid: PicturedPixels) -> str:
    from eyened_domain.adapters.pictures import overlays  # noqa: PLC0415 - Pillow

    names = grid.mask_names
    title = grid.shown_name if overlays.is_single(names) else None
    return "".join(
        f'<div><span style="{_swatch(colour, hatched=title is not None and name != _MASK)}">'
        f"</span> {escaped(title if title is not None and name == _MASK else name)}</div>"
        for name, colour in overlays.legend_of(grid, names).items()
    )


def _swatch(colour: tuple[int, int, int], *, hatched: bool) -> str:
    """Return the style of a small square as its mask is painted."""
    code = "#{:02x}{:02x}{:02x}".format(*colour)
    stripes = f"repeating-linear-gradient(135deg,{code},{code} 2px,transparent 2px,transparent 4px)"
    return (
        f"display:inline-block;width:0.9em;height:0.9em;background:{stripes if hatched else code}"
    )


def _figure(make: Callable[[], bytes], caption: str) -> str:
    try:
        shown = base64.b64encode(make()).decode()
        inner = f'<img src="data:image/jpeg;base64,{shown}" alt="" style="max-width:100%">'
    except Exception as error:  # noqa: BLE001 - a card tells what went wrong, whatever it is
        inner = f"<div><i>No picture: {escaped(_reason(error))}</i></div>"
    told = f"<figcaption>{escaped(caption)}</figcaption>" if caption else ""
    return f'<figure style="margin:0;max-width:{CARD_SIZE}px">{inner}{told}</figure>'


def _reason(error: Exception) -> str:
    """Return what may be told: our errors say what to do, others may hold anything."""
    return str(error) if isinstance(error, EyenedError) else type(error).__name__


def _attempt(work: Callable[[], Any]) -> Any:
    """Do what a card can be made without."""
    try:
        return work()
    except Exception:  # noqa: BLE001 - the pictures tell what is missing
        return None


def _card(one: Described, figures: list[str], legend: str = "") -> str:
    table = titled_rows(one.__entity__.name, main_rows(one, _LEFT_OUT))
    return (
        f'<div {NO_FORMULAS} style="display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start">'
        f"{''.join(figures)}<div>{legend}{table}</div></div>"
    )
