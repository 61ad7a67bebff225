"""Which signs may be written: those of Unicode, or plain ASCII where the output takes no other."""

import unicodedata
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """The signs of a page, and how text of others is made fit for it."""

    encoding: str
    bar: str
    passed: str
    missed: str
    times: str
    arrow: str
    left: str
    more: str
    levels: str  # rising heights of a small chart

    def fit(self, value: Any) -> Any:
        """The same document with all its text printable here: no control signs, no lost letters."""
        if isinstance(value, str):
            return self._fit_text(value)
        if isinstance(value, dict):
            return {self._fit_text(str(name)): self.fit(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.fit(item) for item in value]
        return value

    def _fit_text(self, text: str) -> str:
        # why: an error message of somebody's task may hold escape sequences that repaint a terminal
        printable = "".join(" " if _is_control(sign) else sign for sign in text)
        if self is UNICODE:
            return printable.encode("utf-8", "replace").decode("utf-8")
        spelt = printable.translate(_IN_ASCII)
        return spelt.encode(self.encoding, "replace").decode(self.encoding)


UNICODE = Glyphs(
    encoding="utf-8",
    bar="█",
    passed="✓",
    missed="✗",
    times="×",
    arrow="→",
    left="←",
    more="…",
    levels="▁▂▃▄▅▆▇█",
)
ASCII = Glyphs(
    encoding="ascii",
    bar="#",
    passed="ok",
    missed="MISSED",
    times="x",
    arrow="->",
    left="<-",
    more="...",
    levels="_.:-=+*#",
)

_IN_ASCII = str.maketrans(
    {
        "→": "->",
        "←": "<-",
        "−": "-",
        "–": "-",
        "—": "-",
        "×": "x",
        "·": ".",
        "…": "...",
        "≥": ">=",
        "≤": "<=",
        "±": "+-",
        "≈": "~",
        "✓": "ok",
        "✗": "MISSED",
        "↑": "^",
        "↓": "v",
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
        "µ": "u",
        "μ": "u",
        "²": "2",
        "\N{NO-BREAK SPACE}": " ",
        "\N{NARROW NO-BREAK SPACE}": " ",
    }
)


def glyphs_for(encoding: str | None) -> Glyphs:
    """Unicode for UTF-8, else ASCII."""
    return UNICODE if (encoding or "").lower().replace("-", "") in {"utf8", "utf8sig"} else ASCII


def _is_control(sign: str) -> bool:
    return unicodedata.category(sign) in {"Cc", "Cf", "Zl", "Zp"}
