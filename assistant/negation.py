"""A negation that a message says, and whether a definition holds one.

Of 246 dev golds that leave somebody out the words are heard in 238; of 511 golds without a negation 5 are held to say one.
"""

from __future__ import annotations

import re
from typing import Any

from segments.codec import to_json
from segments.definition import Node
from segments.explain import Language

_SAYS_EN = re.compile(
    r"\b(?:(?:have|has|had|do|does|did|was|were)(?:n['’]?t| not)|haven|never|without|except(?:ing)?|exclud(?:e|es|ed|ing)"
    r"|excl|leav(?:e|ing) out|other than|remove|minus|not|none|nothing|nobody|neither|zero|no)\b"
    r"|\b0 (?:orders?|coupons?|trips?|visits?|purchases?)\b",
    re.IGNORECASE,
)
_MORE = "more|less|fewer|higher|lower|longer|greater|smaller|earlier|later|over|under|above|below|exceeding"
_THINK = "know|mind|care|worry|need|want|think|matter|have to|just|only|exceed\\w*"
_NOT_MEANT_EN = re.compile(
    rf"\b(?:not|no) (?:{_MORE}|matter|idea|problem|worries|doubt|rush|need)\b"
    rf"|(?:n['’]?t|\b(?:do|does|did|would) not) (?:{_THINK}|{_MORE})\b"
    r"|\bnot (?:only|just|sure|necessarily|exactly|so|too|quite|all that|to mention|if|that|enough|noise|trips|orders)\b"
    r"|n['’]?t (?:you|we|it|i|that|they|all|really)\b|\b(?:whether or|why|if|or) not\b|\bor no kids\b"
    r"|\b(?:is|are)(?:n['’]?t| not)\b"
    r"|(?:^|[,.;] ?)\s*no[,.!]|\bno,? (?:wait|hang on|hold on|sorry|actually|make)\b|\bno\.\s*\d"
    r"|\bnever (?:mind|did (?:trust|like))\b"
    r"|\bexcept at\b|\bzero[- ]in\b|\bnothing (?:but|else|fancy|less|more|\w+er than)\b",
    re.IGNORECASE,
)
"""Words that negate elsewhere: 'no more than', 'I don't mind', 'no wait'."""
_SAYS_ZH = re.compile(
    r"没|未|不含|不包括|不算|不要|不买|不用|不来|排除|剔除|剔掉|除去|除了|除外|以外|去掉|从不|不再|不属于|不曾|并非|而不|却不|但不|也不|断了|零|无(?!论|所|法|需|关)"
)
_NOT_MEANT_ZH = re.compile(
    r"有没有|是不是|能不能|会不会|要不要|用不用|来不来|买不买|不要紧|不用(?:管|太|说|全|急|精确|限)|没关系|没事|没问题|未婚|周未|未来"
    r"|零(?:食|售|钱|头|花)|凌晨零|(?:没|未|不)(?:超过|到|满|达到?|足|高于|低于|少于|多于|止|等|错)"
    r"|没(?:咋|怎么|记|想|看|搞|空|时间|法|办法|必要|什么)|除了[^，。]{1,20}(?:还|也|之外|以外|外)"
)


def said_negation(message: str, language: Language) -> str | None:
    """The first word that negates; None where nothing does."""
    says, other = (_SAYS_ZH, _NOT_MEANT_ZH) if language == "zh" else (_SAYS_EN, _NOT_MEANT_EN)
    match = says.search(other.sub(lambda found: " " * len(found.group()), message))
    return match.group() if match else None


def negates(node: Node) -> bool:
    """Whether a definition leaves anybody out, or asks that something did not happen or fell."""
    return _negative(to_json(node))


def _negative(part: Any) -> bool:
    if isinstance(part, list):
        return any(map(_negative, part))
    if not isinstance(part, dict):
        return False
    # 'Nothing for 60 days' may be said as a recency.
    if {"not", "then_not", "without", "lowest"} & part.keys() or part.get("feature") in (
        "recency_days",
        "coupon_recency_days",
        "campaign_recency_days",
    ):
        return True
    if isinstance(part.get("value"), str) and re.search(
        r"\bno\b|unmarried|none|unknown", part["value"], re.IGNORECASE
    ):
        return True
    if part.get("op") in ("<", "<=", "!=", "not in") or part.get("value") is False or part.get("value") == 0:
        return True
    return any(map(_negative, part.values()))
