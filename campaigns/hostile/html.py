"""Reliability S6: whatever stands in a database, the HTML of a notebook shows it as text.

Payloads that break out of tags, attributes, comments and styles, as they are and mixed, are
put into every text, JSON value and name of every entity: identifiers, file names, tags,
features, creators. All `_repr_html_` are parsed, the cards of images and segmentations with
their pictures and with the reasons why there is none.

    python -m campaigns.hostile.html [--full] [--seed N]

Prints the seed and the figures; exit code 1 when there is a script, a handler, an address
with a script, a tag or attribute that is not ours, or a text that is not found back.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import numpy as np

from eyened_domain.adapters.memory import MemoryUnitOfWork
from eyened_domain.adapters.memory.images import MemoryImages
from eyened_domain.errors import EyenedError
from eyened_domain.model import Feature
from eyened_domain.model.entity import Entity, EntityInfo, entity_classes
from eyened_domain.model.html_table import LONGEST_TEXT
from eyened_domain.model.values import Json, Text
from eyened_domain.services.segmenting import Segmenting
from eyened_domain.testing import Builder

PAYLOADS = (
    "$\\href{javascript:alert(1)}{x}$", "<script>alert(1)</script>",
    "</td><script>alert(1)</script>", "<ScRiPt src=//x.example>", "<<script>script>",
    "<scr<script>ipt>", "<img src=x onerror=alert(1)>", '"><img src=x onerror="alert(1)">',
    "'><img src=x onerror='alert(1)'>", '" onload="alert(1)', "' onmouseover='alert(1)",
    "` onclick=`alert(1)", "x onfocus=alert(1) autofocus", "<svg/onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x>", "<a href=javascript:alert(1)>x</a>",
    '<a href="jAvAsCrIpT:alert(1)">x</a>', "<a href='&#106;avascript:alert(1)'>x</a>",
    "javascript:alert(1)", "data:text/html,<b>", "<iframe srcdoc='<script>alert(1)</script>'>",
    "<iframe src=javascript:alert(1)>", "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>", "<form action=javascript:alert(1)><button>",
    "<body onload=alert(1)>", "<base href=//x.example>", "<link rel=stylesheet href=//x.example>",
    "<meta http-equiv=refresh content=0;url=//x.example>",
    "<style>*{background:url(//x.example)}</style>", "</style><script>alert(1)</script>",
    '"style="background:url(//x.example)', "expression(alert(1))", "</title><script>", "<!--",
    "--><script>alert(1)</script>", "<![CDATA[<script>alert(1)</script>]]>", "<?xml ?>",
    "<!DOCTYPE", "</table></div><script>alert(1)</script>", "</textarea><script>", "<textarea>",
    "<plaintext>", "<xmp>", "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<math><mtext><style>", "&lt;script&gt;alert(1)&lt;/script&gt;", "&amp;lt;b&amp;gt;",
    "&#60;script&#62;", "&#x3c;b", "&", "&quot; onload=&quot;", "&nbsp", "\\x3cscript\\x3e",
    "\\u003cscript>", "%3Cscript%3E", "{{7*7}}", "${7*7}", "<%= 7 %>", "$$x$$", "\\(x\\)",
    "\u202e<b>", "\ufeff<b>", "\u2028<b>", "＜script＞", "<b\t>", "<\n/td>",
    "<details open ontoggle=alert(1)>", "<video><source onerror=alert(1)>",
    "<input onfocus=alert(1) autofocus>", "😀<i>",
)  # fmt: skip
TAGS = frozenset(
    {"b", "caption", "div", "figcaption", "figure", "i", "img", "span", "table", "tbody"}
    | {"td", "th", "tr"}
)
ATTRIBUTES = frozenset({"alt", "class", "dir", "src", "style"})
PICTURE = "data:image/jpeg;base64,"
BARRED = ("scripts", "handlers", "script addresses", "strangers", "texts lost", "raised")


class Parsed(HTMLParser):
    """What a browser would find: tags, attributes and texts."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.figures: Counter[str] = Counter()
        self.texts: list[str] = [""]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Judge a tag and its attributes."""
        self.texts.append("")
        self.figures["scripts"] += tag == "script"
        self.figures["strangers"] += tag not in TAGS
        self.figures["pictures"] += tag == "img"
        for name, value in attrs:
            text = "".join((value or "").split()).lower()
            self.figures["handlers"] += name.startswith("on")
            self.figures["script addresses"] += "javascript:" in text
            well = not text.startswith(PICTURE) if name != "src" else text.startswith(PICTURE)
            self.figures["strangers"] += name not in ATTRIBUTES or not well or "url(" in text

    def handle_endtag(self, tag: str) -> None:
        """Begin another text."""
        self.figures["strangers"] += tag not in TAGS
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.texts[-1] += data

    def handle_comment(self, data: str) -> None:
        """Count what we never write."""
        self._count_stranger(data)

    def handle_decl(self, decl: str) -> None:
        """Count what we never write."""
        self._count_stranger(decl)

    def handle_pi(self, data: str) -> None:
        """Count what we never write."""
        self._count_stranger(data)

    def unknown_decl(self, data: str) -> None:
        """Count what we never write."""
        self._count_stranger(data)

    def _count_stranger(self, _text: str) -> None:
        self.figures["strangers"] += 1


def payloads(rng: random.Random, count: int) -> Iterator[str]:
    """Give every payload by itself, then mixtures of them."""
    for number in range(count):
        one = number < len(PAYLOADS)
        yield PAYLOADS[number] if one else "".join(rng.choices(PAYLOADS, k=rng.randint(2, 4)))


def run(*, count: int, seed: int) -> dict[str, Any]:
    """Run the campaign.

    Returns:
        figures; those that are `BARRED` must be 0.
    """
    figures: Counter[str] = Counter()
    rng = random.Random(seed)
    for payload in payloads(rng, count):
        for entity in entity_classes():
            _show_table(entity, payload, figures)
        _show_cards(payload, figures)
    named = ("HTML parsed", "values", "pictures", "refused", *BARRED)
    return {"seed": seed, "payloads": count} | {name: figures[name] for name in named}


def _show_table(entity: type[Entity], payload: str, figures: Counter[str]) -> None:
    """Put the payload into all columns that take it, and show the object."""
    one = entity.__new__(entity)
    held = []
    for name, value in _values(entity.__entity__, payload):
        try:
            setattr(one, name, value)
        except EyenedError:
            figures["refused"] += 1
            continue
        if not entity.__entity__.columns[name].private:
            held.append(value)
    _judge(one, held, figures)


def _values(info: EntityInfo, payload: str) -> Iterator[tuple[str, Any]]:
    for name, column in info.columns.items():
        if isinstance(column.kind, Text):
            yield name, payload[: column.kind.length or LONGEST_TEXT]
        elif isinstance(column.kind, Json):
            yield name, {payload[:200]: [payload[:200], 1]}


def _show_cards(payload: str, figures: Counter[str]) -> None:
    """Show an image and its segmentations, with their pictures and without."""
    builder, name = Builder(), payload[:45]
    file = payload[:200].replace("..", "")
    images = MemoryImages({file: np.zeros((12, 4, 6), np.uint8)})
    with MemoryUnitOfWork(image_store=images) as uow:
        try:
            image = uow.images.add(
                builder.an_image(dataset_identifier=file, nr_of_frames=12, rows_y=4, columns_x=6)
            )
            who, what = builder.a_creator(creator_name=name), Feature(feature_name=name)
            what.add_subfeature(Feature(feature_name=f"{name}2"))
            masks = {f"{name}2": np.ones((12, 4, 6), bool)}
            drawn = Segmenting().create_from_masks(uow, image, masks, feature=what, creator=who)
            uow.flush()
        except EyenedError:
            figures["refused"] += 1
            return
        _judge(image, [file], figures)
        _judge(drawn, [name, f" {name}2"], figures)
        images.pixels.clear()  # the reason that is told instead of a picture names the file
        _judge(image, [file], figures)
        _judge(drawn, [name], figures)


def _judge(one: Any, held: list[Any], figures: Counter[str]) -> None:
    try:
        parsed = Parsed(one._repr_html_())
    except Exception:  # noqa: BLE001 - a repr never raises
        figures["raised"] += 1
        return
    figures.update(parsed.figures)
    figures["HTML parsed"] += 1
    for value in held:
        figures["values"] += 1
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        figures["texts lost"] += text not in parsed.texts


def sound(figures: dict[str, Any]) -> bool:
    """Tell whether nothing broke out and nothing was lost."""
    return not any(figures[name] for name in BARRED) and bool(figures["pictures"])


def main() -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="1,000 payloads instead of 200")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    options = parser.parse_args()
    figures = run(count=1000 if options.full else 200, seed=options.seed)
    for name, value in figures.items():
        print(f"{name:>16}: {value}")
    return 0 if sound(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
