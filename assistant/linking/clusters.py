"""Natural segments by their number, as a discovery listed them ('cluster 2', 'the second persona', '第二类客户')."""

from __future__ import annotations

import re

from assistant.linking.numbers import EN_NUMBER, ORDINALS, to_number
from assistant.linking.spans import Span

_NUMBERED = re.compile(
    r"\b(?:the |natural )*(?:clusters?|(?<!age )(?<!income )(?:segment|group)|persona)\s+(?:number\s+|no\.?\s*|#\s*)?"
    rf"(?P<en>\d{{1,2}}|{EN_NUMBER})\b(?!\s*(?:[-–%]|to\b|percent))"
    rf"|\b(?:the )?(?P<nth>{'|'.join(ORDINALS)})\s+(?:cluster|persona|natural segment)\b"
    r"|(?:聚类|分群|人群|群体)\s*(?P<zh>\d{1,2}|[一二三四五六七八九十])(?![\d年个天次])"
    r"|第\s*(?P<di>\d{1,2}|[一二三四五六七八九十])\s*[个号]?\s*(?:类(?:客户|人群|用户|顾客)?|聚类|群[体组]?|组|分群|人群|细分)",
    re.IGNORECASE,
)


def numbered(text: str) -> list[tuple[Span, int]]:
    """Where a message names natural segments by number, and which."""
    found = []
    for match in _NUMBERED.finditer(text):
        if match["nth"]:
            number = ORDINALS.index(match["nth"].lower()) + 1
        else:
            number = int(to_number(match["en"] or match["zh"] or match["di"]))
        found.append((match.span(), number))
    return found
