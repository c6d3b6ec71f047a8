"""Text from outside made safe to look at, on a page, in a terminal, in a chart or in a chat.

Escaping keeps a page's markup whole; it does not stop a log line from turning the reading order round with a bidi
control, hiding words in Unicode tag characters, or moving a terminal's cursor. Such characters are shown as what they
are, ``<U+202E>``, so that a person sees that they are there. Not here: HTML escaping, which the templates do.
"""

import re

_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls but tab and line feed: ESC drives terminals, NUL ends strings
    "\u00ad\u061c\u180e"  # soft hyphen, Arabic letter mark, Mongolian vowel separator
    "\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"  # zero width, bidi marks and embeddings, separators, isolates
    "\ufeff\ufff9-\ufffb\ufffe\uffff"  # byte order mark, interlinear annotation, what XML does not allow
    "\U000e0000-\U000e007f"  # tag characters
    "\ud800-\udfff"  # lone surrogates: no encoder takes them
    "]"
    # Joiners belong to scripts and emoji that need them; beside ASCII they only hide.
    "|(?<=[\x20-\x7e])[\u200c\u200d]|[\u200c\u200d](?=[\x20-\x7e])"
)


def visible(text: str) -> str:
    """The text with every hidden or direction-changing character written out as ``<U+XXXX>``; CRLF becomes LF."""
    return _HIDDEN.sub(_name, text.replace("\r\n", "\n"))


def one_line(text: str, limit: int = 200) -> str:
    """Visible, whitespace runs as one space, at most ``limit`` characters with an ellipsis where it was cut."""
    flat = " ".join(visible(text).split())
    return flat if len(flat) <= limit else flat[: max(limit - 1, 0)].rstrip() + "…"


def _name(match: "re.Match[str]") -> str:
    return f"<U+{ord(match[0]):04X}>"
