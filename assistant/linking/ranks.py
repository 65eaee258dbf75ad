"""'The top 10 % by orders', 'the fifty with the longest gap', 'rank them by spend and take the first 100':
who stands highest or lowest by a feature, and among whom."""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.linking.numbers import DIGITS, EN_NUMBER, to_number
from assistant.linking.spans import Span, free


@dataclass(frozen=True)
class Top:
    """'top 10 % by spend', 'top 100 customers': a share or a count, of the feature's highest (or lowest).

    by: the words that name the feature, where they are still to be looked up in the catalogue. assumed: whether nothing
    was said of what they are ranked by.
    """

    span: Span
    share: float | None
    count: int | None
    feature: str
    lowest: bool = False
    by: str = ""
    assumed: bool = False


_PEOPLE = (
    r"(?:customers?|shoppers?|households?|spenders?|buyers?|clients?|people|families|folks|ones|accounts)"
)
_N = rf"(?P<n>{DIGITS}|{EN_NUMBER})\s?(?P<p>%|percent\b|per cent\b)?"
_HIGH = r"top|upper|leading|highest|biggest|best|largest|most|longest|widest|greatest|broadest|heaviest|first"
_LOW = r"bottom|lowest|smallest|least|fewest|shortest|narrowest|worst|last"
_END = rf"(?P<end>{_HIGH}|{_LOW})"
# What ends the words that say by what they are ranked: a time, another condition, whom they are among.
_STOP = (
    r"(?=\s*(?:$|[.,;:?!()])|\s+(?:in|over|during|within|for|from|of|across) (?:the |their |this |these )?(?:(?:last|past|previous|trailing|whole|full|year|entire|20\d\d)\b|\d|q[1-4]\b|in_that_time)"
    r"|\s+since (?!(?:their|the) )"
    r"|\s+(?:and|but|among|amongst|who|that|which|out of|of (?:those|all|that|everyone)|over the|during the|with us|this|ever)\b)"
)
_BY = rf"(?:by|on|in terms of|for|according to|ranked (?:by|on))\s+(?:the\s+|their\s+)?(?P<by>[a-z][\w /'-]{{2,70}}?){_STOP}"
_OF = rf"(?:\s+(?:of\s+)?(?:all\s+|our\s+|the\s+|those\s+|that\s+)*(?:{_PEOPLE}|group|base|list|them|these|those))?"
_EDGE = r"(?P<end>top|upper|leading|highest|biggest|largest|heaviest|bottom|lowest|smallest)"
_KIND = r"(?P<by>(?!(?:of|in|by|on|for|and|the|their)\b)[a-z][\w &/'-]{1,30}?\s+"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # 'top 10 % of customers by number of orders', 'bottom 10 % on orders'
        rf"\b{_END}\s+{_N}(?P<s>\s+spenders?)?{_OF}\s+(?:measured\s+|ranked\s+)?{_BY}",
        # 'the 50 customers with the longest time since their last purchase'
        rf"\b(?:the\s+)?{_N}{_OF}\s+(?:with|who (?:have|had|did|show)|whose|that (?:have|had)|which did|having|have|had|show(?:ed)?|by)\s+(?:the\s+)?{_END}\s+(?P<by>[a-z][\w /'-]{{2,70}}?){_STOP}",
        # 'the ten percent of clients which did save the most money with discounts'
        rf"\b(?:the\s+)?{_N}\s+(?:of\s+)?(?:the\s+|our\s+|all\s+)*{_PEOPLE}\s+(?:who|which|that)\s+(?:did |have |has |had )?(?P<by>\w+\s+the\s+{_END}\s+[a-z][\w /'-]{{2,40}}?){_STOP}",
        # 'fifty biggest spenders on produce'
        rf"\b(?:the\s+|our\s+)?{_N}\s+{_END}\s+(?P<by>spend(?:ers?|ing)|buyers|shoppers|baskets|discount\w*(?: \w+)?)(?=\s|$|[.,;?!])",
        # 'the 100 most valuable customers', 'our 50 best shoppers'
        rf"\b(?:the\s+|our\s+|top\s+)*{_N}\s+(?:(?P<end>most|highest)[\s-]+(?P<by>valuable|value)|(?P<best>best))\s+{_PEOPLE}\b",
        # 'biggest 500 grocery spenders', 'top 5 % seafood share'
        rf"\b{_EDGE}\s+{_N}\s+{_KIND}(?:share(?: of (?:the |their )?(?:annual |yearly )?spend(?:ing)?)?|spenders?|spend))(?=\s|$|[.,;?!()])",
        # 'the 20 lowest meat spenders of the year'
        rf"\b(?:the\s+|our\s+)?{_N}\s+{_EDGE}\s+{_KIND}(?:spenders?|share of (?:the |their )?(?:annual |yearly )?spend(?:ing)?))(?=\s|$|[.,;?!()])",
        # 'rank the households ... by their spend ... and return the top 20 percent'
        rf"\b{_END}\s+{_N}(?P<s>\s+spenders?)?(?:\s+of\s+(?:that|this|the)\s+group)?{_OF}(?=\s*(?:$|[.,;?!()])|\s+(?:of|in|over|among|by|from|who|only|please|instead|rather)\b)",
    )
)
RANKED_BY = re.compile(
    rf"\b(?:rank|sort|order)(?:ed|ing)?\b[^.;?!]{{0,120}}?\bby\s+(?:the\s+|their\s+)?(?P<by>[a-z][\w /'-]{{2,70}}?)(?:\s+in_that_time)?{_STOP}",
    re.IGNORECASE,
)
"""By what customers are ranked, said apart from which of them are meant."""
_NAMED = re.compile(rf"{_PEOPLE}|spenders?|%|percent", re.IGNORECASE)


def ranks(text: str) -> list[Top]:
    """Every rank of customers (not of segments or products), none overlapping."""
    found: list[Top] = []
    for place, pattern in enumerate(_PATTERNS):
        for match in pattern.finditer(text):
            top = _top(text, match, bare=place == len(_PATTERNS) - 1)
            if top is not None and free(top.span, (other.span for other in found)):
                found.append(top)
    return found


_FORESEEN = re.compile(r"\b(?:odds|chances?|probabilit\w+|likel\w+|propensit\w+)\b", re.IGNORECASE)
"""'with the best odds of buying': a model's rank, not a feature's."""


def _top(text: str, match: re.Match[str], *, bare: bool) -> Top | None:
    number = to_number(match["n"])
    groups = match.groupdict()
    by = (groups.get("by") or "").strip()
    end = (match["end"] or groups.get("best") or "").lower()
    if end in ("first", "last", "most", "least") and (bare or not by):
        return None
    if _FORESEEN.search(by):
        return None
    if bare:
        ranked = RANKED_BY.search(text)
        by = ranked["by"] if ranked is not None else ("spend" if groups.get("s") else "")
        again = re.match(r"\s+(?:instead|rather)\b", text[match.end() :])
        if not (match["p"] or by or again or _NAMED.search(match.group())):
            return None
    if number <= 0 or (match["p"] and number > 100) or not (match["p"] or number.is_integer()):
        return None
    lowest = re.fullmatch(_LOW, end) is not None and end != "least"
    share, count = (number / 100, None) if match["p"] else (None, int(number))
    return Top(match.span(), share, count, "spend_365d", lowest, by or "spend", not by)


AMONG = re.compile(
    r"\b(?:(?:considering|taking|looking at)(?: as (?:the|a|my|our) base)? only|as (?:the|a|my|our) base|restrict(?:ing|ed)?(?: ourselves| it| this)? to|among|amongst|out of (?:everyone|everybody|all|those|the)|within (?:that|this) group|of (?:that|this) group|from (?:that|this) group"
    r"|of (?:those|all|everyone|the (?:customers|households|ones|people|shoppers|buyers)) (?:who|that|which|whose|with))\b",
    re.IGNORECASE,
)
"""The other conditions say who is ranked, not who of the ranked is kept."""
