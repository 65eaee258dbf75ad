"""Conditions of the visual editor that point at a crowd: those most similar to somebody, and clusters of a discovery."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from segments.definition import EVERYONE, AllOf, FeatureCondition, InCluster, MemberOf, SimilarityCondition
from segments.errors import UserError
from serving.page import editor_values as values
from serving.views import Choices

SIMILAR = 100
"""Customers that a new similarity asks for."""


def similar(choices: Choices) -> SimilarityCondition:
    """A similarity to begin with: to a saved segment, or to frequent buyers where none is saved."""
    usual = FeatureCondition("orders_90d", ">=", 10)
    seed = MemberOf(choices.segments[0]) if choices.segments else usual
    return SimilarityCondition(SIMILAR, segment=AllOf((seed,)))


def cluster(choices: Choices) -> InCluster:
    """The first cluster of the newest discovery. Raises UserError where nothing was discovered."""
    if not choices.clusters:
        raise UserError(
            "No natural groups were discovered yet; ask the chat: what natural groups do our customers form?",
            "还没有发现自然分群；请在对话中提问：我们的客户可以分成哪几类？",
        )
    return cluster_of(next(iter(choices.clusters)))


def cluster_of(key: str) -> InCluster:
    """The cluster that a list's value stands for. Raises UserError."""
    discovery, _, number = key.rpartition("#")
    return InCluster(discovery, values.whole("cluster", number))


def key_of(node: InCluster) -> str:
    """The value that stands for a cluster in a list."""
    return f"{node.discovery}#{node.number}"


def set_similar(part: SimilarityCondition, field: str, value: Any, choices: Choices) -> SimilarityCondition:
    """A similarity after a change of how many, of whom or what they are like, or of whom they are among."""
    match field:
        case "top":
            return replace(part, top=_at_least_one(values.whole("top", value)))
        case "mode":
            return _turned(part, str(value), choices)
        case "text" if part.text is not None:
            return replace(part, text=_said(field, value))
        case "customer" if part.customer is not None:
            return replace(part, customer=_said(field, value))
        case "among":
            return replace(part, among=(part.among or EVERYONE) if value == "true" else None)
    raise UserError(
        f"edit: a similarity has no field '{field}' here; change it in the text.",
        f"edit：相似条件在这里没有“{field}”这一项；请在文本中修改。",
    )


def _turned(part: SimilarityCondition, mode: str, choices: Choices) -> SimilarityCondition:
    """Like a segment, or by what customers care about; the same again changes nothing."""
    if mode == "text" and part.text is None:
        text = next(iter(choices.items.get("category", ())), "wine")
        return SimilarityCondition(part.top, text=text, among=part.among)
    if mode == "segment" and part.segment is None:
        return replace(similar(choices), top=part.top, among=part.among)
    return part


def _at_least_one(top: int) -> int:
    if top < 1:
        raise UserError(
            f"top: must be at least 1 customer; got {top}.", f"top：至少为 1 位客户，而给的是{top}。"
        )
    return top


def _said(field: str, value: Any) -> str:
    if not (said := str(value).strip()):
        raise UserError(f"similar_to.{field}: must not be empty.", f"similar_to.{field}：不能为空。")
    return said
