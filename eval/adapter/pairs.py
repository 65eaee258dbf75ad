"""Pairs to learn from: requests as people write them, and the sketches of what they ask for.

    python -m eval.adapter.pairs draft --count 900 --language en --out drafts.jsonl   # definitions in exact words
    python -m eval.adapter.pairs join --drafts drafts.jsonl --requests said.jsonl --out pairs.jsonl

`draft` draws definitions from the grammar and a workspace's catalogue and says them in exact words. Somebody, or a
larger model of your own, puts them into the words of real marketers: {"id": ..., "request": ...} a line, SKIP for what
nobody would ask. `join` makes pairs of both and of the dev questions; what does not come back from its sketch as the
same definition is left out and counted. Definitions of test questions are never drafted.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.linking.link import is_chinese
from assistant.linking.linker import Linker
from assistant.rooms import Rooms, make_linker
from assistant.sketch import compact, from_sketch, to_sketch
from assistant.workspace import DEFAULT, open_workspace
from eval.adapter.grammar import Grammar, Stock
from eval.adapter.wording import wording
from eval.cases import load_cases
from eval.json_lines import read_lines, write_lines
from segments.canonical import fingerprint
from segments.check import issues
from segments.codec import from_json, to_json
from segments.definition import ItemFilter, Node, Window
from segments.errors import DefinitionError, ModelRetryError
from segments.explain import Language

SKIP = "SKIP"
HELD = re.compile(r"-[nop]\d+$")
"""Voices that no pair is learned from, so that an adapter can be judged on them before the test split is."""


@dataclass(frozen=True)
class Pair:
    """A request and its sketch. source: 'grammar' (a definition put into words), 'voice' (both by one author) or 'dev'.
    split: 'train' or 'held'."""

    id: str
    source: str
    language: str
    split: str
    request: str
    sketch: str


def draft(rooms: Rooms, linker: Linker, language: Language, count: int, seed: int) -> list[dict[str, Any]]:
    """Definitions that hold here and that no test question asks for: id, exact words, definition, words for goods and
    times."""
    warehouse, vocabulary = rooms.warehouse, rooms.audiences.vocabulary
    stock = Stock.of(
        linker,
        warehouse.features(),
        warehouse.item_values.get("category", ())[:150],
        warehouse.happened["channels"],
        sorted(vocabulary.outcomes or ()),
    )
    asked = {fingerprint(g) for case in load_cases("test") if case.gold for g in (case.gold, *case.also)}
    grammar, out, drawn = Grammar(stock, language, seed), list[dict[str, Any]](), set[str]()
    for _ in range(20 * count):
        made = grammar.draft()
        mark = fingerprint(made.node)
        if mark in asked | drawn or issues(made.node, vocabulary):
            continue
        drawn.add(mark)
        currency = rooms.workspace.settings.currency
        words = wording(made.node, warehouse.catalogue, language, currency, made.goods, made.times)
        said = {"goods": list(made.goods.values()), "times": list(made.times.values())}
        out.append(
            {
                "id": f"{language}{len(out) + 1:04}",
                "language": language,
                "words": words,
                "definition": to_json(made.node),
            }
            | said
        )
        if len(out) == count:
            break
    return out


def pair(
    linker: Linker,
    name: str,
    source: str,
    request: str,
    readings: Sequence[Node],
    goods: Mapping[ItemFilter, str],
    times: Mapping[Window, str],
) -> Pair | None:
    """The pair of a request and the first of its readings that comes back from its sketch unchanged; else None."""
    own_goods, own_times = linker.spoken(request)
    for reading in readings:
        for said_goods, said_times in _ways({**goods, **own_goods}, {**times, **own_times}, linker):
            sketch = to_sketch(reading, said_goods, said_times)
            try:
                same = fingerprint(
                    from_sketch(sketch, linker.goods, linker.time, linker.level)
                ) == fingerprint(reading)
            except (ModelRetryError, DefinitionError):
                same = False
            if same:
                language = "zh" if is_chinese(request) else "en"
                split = "held" if HELD.search(name) else "train"
                return Pair(name, source, language, split, request, compact(sketch))
    return None


def _ways(
    goods: dict[ItemFilter, str], times: dict[Window, str], linker: Linker
) -> Iterator[tuple[dict[ItemFilter, str], dict[Window, str]]]:
    """All the words of the request; then only those that mean the same when they stand alone."""
    yield goods, times
    yield (
        {items: word for items, word in goods.items() if linker.goods(word) == items},
        {window: word for window, word in times.items() if linker.time(word) == window},
    )


def join(linker: Linker, drafts: Path, requests: Path) -> tuple[list[Pair], Counter[str]]:
    """The pairs of the drafts that somebody put into words and of the dev questions, and what became of each."""
    pairs, fate = list[Pair](), Counter[str]()

    def add(found: Pair | None, source: str) -> None:
        fate[f"{source}: {'kept' if found else 'lost'}"] += 1
        if found:
            pairs.append(found)

    for case in load_cases("dev"):
        if len(case.turns) == 1 and case.gold is not None:
            add(pair(linker, case.id, "dev", case.turns[0], (case.gold, *case.also), {}, {}), "dev")
    drafted = {row["id"]: row for row in read_lines(drafts)}
    for row in read_lines(requests):
        if row["request"].strip().upper() == SKIP:
            fate["grammar: skipped"] += 1
            continue
        made = drafted[row["id"]]
        goods = {linker.goods(word): word for word in made["goods"]}
        times = {window: word for word in made["times"] if (window := linker.time(word))}
        reading = from_json(made["definition"])
        add(pair(linker, row["id"], "grammar", row["request"], (reading,), goods, times), "grammar")
    return pairs, fate


def command(about: str | None, count: int) -> argparse.ArgumentParser:
    """The command line of what drafts and joins. count: how many are drafted where nothing is said."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("draft", "join"))
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    parser.add_argument("--language", choices=("en", "zh"), default="en")
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--drafts", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    return parser


def main() -> None:
    """Command line."""
    parser = command(__doc__, count=900)
    parser.add_argument("--requests", type=Path)
    asked = parser.parse_args()
    rooms = Rooms(open_workspace(asked.workspace))
    linker = make_linker(rooms, dense=False)
    if asked.what == "draft":
        rows = draft(rooms, linker, asked.language, asked.count, asked.seed)
        write_lines(asked.out, rows)
        print(f"{asked.out}: {len(rows)} definitions to put into words")
        return
    if asked.drafts is None or asked.requests is None:
        parser.error("join needs --drafts and --requests")
    pairs, fate = join(linker, asked.drafts, asked.requests)
    write_lines(asked.out, [vars(made) for made in pairs])
    print(f"{asked.out}: {len(pairs)} pairs ({', '.join(f'{what} {n}' for what, n in sorted(fate.items()))})")


if __name__ == "__main__":
    main()
