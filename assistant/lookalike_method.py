"""How lookalikes were found, as evidence and in one line: the method and why it, and how exact the index is."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from assistant.grounding import display
from indexes.lookalikes import METHODS, Method
from indexes.trial import LEVEL, Trial
from segments.ports import Figure

if TYPE_CHECKING:
    from assistant.rooms import Rooms

WORDS: dict[Method, tuple[str, str]] = {
    "centroid": ("centroid", "质心法"),
    "votes": ("kNN vote", "近邻投票"),
    "one_class": ("one-class SVM", "单类支持向量机"),
}
KINDS = {"flat": "Flat", "hnsw": "HNSW", "ivf_flat": "IVF-Flat", "ivf_pq": "IVF-PQ"}


def how_found(
    rooms: Rooms, seeds: Collection[str], top: int, within: Collection[str] | None = None
) -> tuple[Figure, ...]:
    """The method's figures, the index's, and `method_en` and `method_zh`: the line that an answer shows."""
    method, trial = rooms.lookalike_method(len(seeds)), rooms.lookalike_trial
    noisy = rooms.disclosure.margin is not None
    if noisy:  # what was measured tells of customers without noise
        trial = None
    figures = {figure.name: figure for figure in (*_tried(trial), *_index(rooms, method, seeds, top, within))}
    shown = {name: display(figure) for name, figure in figures.items()}
    return (
        Figure("method", method, "text", "method", "方法"),
        *figures.values(),
        Figure("method_en", _english(method, trial, shown, noisy), "text", "how they were found", "查找方法"),
        Figure("method_zh", _chinese(method, trial, shown, noisy), "text", "how they were found", "查找方法"),
    )


def _tried(trial: Trial | None) -> tuple[Figure, ...]:
    if trial is None:
        return ()
    label = "categories whose buyers were held out", "留出买家的品类数"
    figures = [Figure("tried_on", trial.categories, "count", *label)]
    for method in METHODS:
        found, (en, zh) = trial.found[method], WORDS[method]
        label = f"held-out buyers found by {en}, times chance", f"{zh}找回留出买家，为随机的倍数"
        figures.append(Figure(f"{method}_lift", found.lift, "ratio", *label, found.low, found.high, LEVEL))
        label = f"recall of held-out buyers by {en}", f"{zh}对留出买家的召回率"
        figures.append(Figure(f"{method}_recall", found.recall, "share", *label))
    return tuple(figures)


def _index(
    rooms: Rooms, method: Method, seeds: Collection[str], top: int, within: Collection[str] | None
) -> tuple[Figure, ...]:
    index = rooms.index
    # Only a centroid is searched for; a one-class machine compares everyone.
    exact = method != "centroid" or index.is_exact(top, seeds, within)
    figures = [
        Figure("index_kind", KINDS[index.kind], "text", "index", "索引"),
        Figure("index_search", "exact" if exact else "approximate", "text", "search", "检索方式"),
    ]
    if not exact and (found := index.recall) is not None:
        label = f"of the nearest {found.neighbours}, found", f"最近{found.neighbours}名中找到的比例"
        figures.append(Figure("index_recall", found.share, "share", *label))
        figures.append(
            Figure("index_neighbours", found.neighbours, "count", "neighbours looked for", "所查近邻数")
        )
    return tuple(figures)


def _english(method: Method, trial: Trial | None, shown: dict[str, str], noisy: bool) -> str:
    said = f"Method: {WORDS[method][0]}"
    if noisy:
        said += " (what was measured is not told where counts carry noise)."
    elif trial is None:
        said += " (the default; nothing was measured here)."
    else:
        others = ", ".join(
            f"{WORDS[other][0]} {shown[f'{other}_lift']}" for other in METHODS if other != method
        )
        said += (
            f". On buyers held out of {shown['tried_on']} categories it finds {shown[f'{method}_lift']} times as many as "
            f"chance (recall {shown[f'{method}_recall']}); {others}."
        )
    if shown["index_search"] == "exact":
        return f"{said} Index: {shown['index_kind']}, searched exactly."
    found = (
        f": finds {shown['index_recall']} of the nearest {shown['index_neighbours']}"
        if "index_recall" in shown
        else ""
    )
    return f"{said} Index: {shown['index_kind']}, approximate{found}."


def _chinese(method: Method, trial: Trial | None, shown: dict[str, str], noisy: bool) -> str:
    said = f"方法：{WORDS[method][1]}"
    if noisy:
        said += "（计数带噪声时不公布检验结果）。"
    elif trial is None:
        said += "（默认方法，尚未在本数据上检验）。"
    else:
        others = "，".join(
            f"{WORDS[other][1]} {shown[f'{other}_lift']}" for other in METHODS if other != method
        )
        said += (
            f"。在 {shown['tried_on']} 个品类的留出买家上，找回数为随机的 {shown[f'{method}_lift']} 倍"
            f"（召回率 {shown[f'{method}_recall']}）；{others}。"
        )
    if shown["index_search"] == "exact":
        return f"{said}索引：{shown['index_kind']}，精确检索。"
    found = (
        f"，能找到最近 {shown['index_neighbours']} 名中的 {shown['index_recall']}"
        if "index_recall" in shown
        else ""
    )
    return f"{said}索引：{shown['index_kind']}，近似检索{found}。"
