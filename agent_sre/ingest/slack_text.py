"""What a Slack message says, whatever it is built of: text, attachments, blocks and rich text as plain parts.

Apps put the same thing into different places. A part is one attachment, or the message outside of its attachments: its
headline, all of its text, its first link, its fields and its colour. Slack's marks (``<url|words>``, ``&amp;``, stars)
are taken off. What is nested deeper than messages are, or longer, is cut.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_sre.domain.visible import one_line
from agent_sre.ingest.fields import items, section, text, word

MAX_PARTS = 20
_MAX_BLOCKS = 100
_DEPTH = 6
_LINK = re.compile(r"<(https?://[^|>\s]{1,2000})(?:\|([^>]*))?>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_ENTITY = re.compile("|".join(_ENTITIES))
_EMOJI = re.compile(r":[a-z0-9_+-]{2,40}:")


@dataclass(frozen=True, slots=True)
class Part:
    """``raw`` is the text as it was sent; ``emoji`` the names of those in it."""

    headline: str
    text: str
    link: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    color: str = ""
    emoji: tuple[str, ...] = ()


def parts(message: Mapping[str, Any]) -> tuple[Part, ...]:
    """The message's attachments, each a part, then what stands outside of them."""
    found = [_attachment(item) for item in items(message.get("attachments"))[:MAX_PARTS] if isinstance(item, dict)]
    outside = [word(message.get("text")), *_blocks(message.get("blocks"))]
    return (*found, _part("", outside, "", {}, ""))


def plain(told: str) -> str:
    """Slack's marks taken off."""
    shown = _LINK.sub(lambda link: link[2] or link[1], told)
    return _ENTITY.sub(lambda entity: _ENTITIES[entity[0]], _EMOJI.sub("", shown)).replace("*", "").replace("`", "")


def _attachment(item: Mapping[str, Any]) -> Part:
    fields = {
        plain(word(one.get("title"))).strip(): plain(word(one.get("value"))).strip()
        for one in items(item.get("fields"))[:_MAX_BLOCKS]
        if isinstance(one, dict)
    }
    told = [word(item.get("pretext")), word(item.get("title")), word(item.get("text")), *_blocks(item.get("blocks"))]
    if not any(told):
        told = [word(item.get("fallback"))]
    title = word(item.get("title"))
    return _part(title, told, word(item.get("title_link")), fields, word(item.get("color")))


def _part(title: str, told: list[str], link: str, fields: Mapping[str, str], color: str) -> Part:
    raw = text("\n".join(filter(None, told)))
    first = _LINK.search(raw)
    lines = [line for line in plain(raw).splitlines() if line.strip()]
    headline = one_line(plain(title) or (lines[0] if lines else ""), 500)
    emoji = tuple(_EMOJI.findall(raw)[:20])
    return Part(headline, plain(raw), text(link or (first[1] if first else "")), dict(fields), color, emoji)


def _blocks(value: object) -> list[str]:
    return [told for block in items(value)[:_MAX_BLOCKS] for told in _texts(block, _DEPTH) if told]


def _texts(block: object, depth: int) -> Iterator[str]:
    """The texts of a block, in reading order: header, section, context, rich text."""
    if not isinstance(block, dict) or depth == 0:
        return
    inner = block.get("text")
    if isinstance(inner, str):
        url = word(block.get("url"))
        yield f"<{url}|{inner}>" if url else inner
    else:
        yield word(section(block, "text").get("text"))
    nested = [item for name in ("fields", "elements") for item in items(block.get(name))[:_MAX_BLOCKS]]
    if block.get("type") == "rich_text_section":
        # Its pieces are one line, which links and styles cut into several.
        yield "".join(told for item in nested for told in _texts(item, depth - 1))
        return
    for item in nested:
        yield from _texts(item, depth - 1)
