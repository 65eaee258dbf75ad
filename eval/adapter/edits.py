"""Conversations to learn from: a request of a pair, an edit of it, and the sketch of what the two ask for together.

    python -m eval.adapter.edits draft --pairs pairs.jsonl --language en --count 300 --out drafts.jsonl
    python -m eval.adapter.edits join --drafts drafts.jsonl [--messages said.jsonl] --out edits.jsonl

`draft` edits the sketches of learned pairs: a condition more, one less, one in place of another, other goods, another
amount or time, more people let in, the first few by a measure, all of it anew. Each draft says the change in plain
words; somebody, or a larger model of your own, puts it into a marketer's message: {"id": ..., "message": ...} a line,
SKIP for what nobody would say. `join` makes two pairs of each, as an edit is read: after the messages before it, and
after the words of the segment before it. A draft without a message is said in its plain words.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.edits_again import as_sentence
from assistant.linking.linker import Linker
from assistant.rooms import Rooms, make_linker
from assistant.sketch import ITEMS, ORDER, WHEN, compact, from_sketch, to_sketch
from assistant.workspace import open_workspace
from eval.adapter.pairs import SKIP, command
from eval.adapter.phrases import said
from eval.adapter.wording import wording
from eval.json_lines import read_lines, write_lines
from segments.canonical import fingerprint
from segments.check import issues, validate
from segments.definition import Node
from segments.errors import DefinitionError, ModelRetryError
from segments.explain import Language, explain
from segments.fields import WINDOW_KEYS

Sketch = dict[str, Any]
TRIES = 40
CHAINED = 0.3
"""Share of the drafts that edit an edit."""
OFTEN = {
    "add": 4,
    "exclude": 3,
    "swap": 3,
    "remove": 4,
    "widen": 3,
    "goods": 8,
    "amount": 3,
    "time": 2,
    "rank": 1,
    "anew": 1,
}
"""How often each kind of change is drawn, beside the others; goods often, as three of four conditions drawn have none."""
HELD_OF_256 = 20
DAYS = (7, 10, 14, 21, 30, 45, 60, 75, 90, 120, 150, 180, 240, 270, 365)
CHANGED = ("goods", "amount", "time")
NO_PLAIN_OPPOSITE = {"not", "any_of", "compare", "propensity", "without"}
SPOKEN = 0.3
"""Share of the new times that are said in words and not in days."""
FACTORS = (0.25, 0.5, 0.6, 0.75, 1.5, 2, 2.5, 3, 4)


@dataclass(frozen=True)
class Part:
    """A condition as the conversation says it, and as the words of the segment name it."""

    said: Sketch
    named: Sketch


@dataclass(frozen=True)
class Edit:
    """parts: the conditions after it, all of them required. kind: of OFTEN. old, new: what it takes and brings."""

    kind: str
    parts: tuple[Part, ...]
    old: Sketch | None = None
    new: Sketch | None = None


class Editor:
    """Draws edits. pool: sketches of one language to take new conditions from."""

    def __init__(
        self, rooms: Rooms, linker: Linker, language: Language, pool: Sequence[Sketch], seed: int
    ) -> None:
        self.rooms, self.linker, self.language = rooms, linker, language
        self.draw = random.Random(seed)
        self.conditions = [part for sketch in pool for part in parts_of(sketch)]
        self.wholes = list(pool)
        self.goods = sorted({part[ITEMS] for part in self.conditions if ITEMS in part})
        self.times = sorted({part[WHEN] for part in self.conditions if WHEN in part})
        self.ranks = [part for part in self.conditions if "rank_by" in part and "among" not in part]

    def parts(self, sketch: Sketch) -> tuple[Part, ...]:
        """The conditions of a sketch; as it stands they are said and named."""
        return tuple(Part(part, self.named(part)) for part in parts_of(sketch))

    def named(self, sketch: Sketch) -> Sketch:
        """The sketch in the catalogue's names and in days. Raises ModelRetryError and DefinitionError."""
        named: Sketch = to_sketch(self.node(sketch), {}, {})
        return named

    def node(self, sketch: Sketch) -> Node:
        """What a sketch defines. Raises ModelRetryError and DefinitionError."""
        return from_sketch(sketch, self.linker.goods, self.linker.time, self.linker.level)

    def step(self, parts: tuple[Part, ...]) -> Edit | None:
        """An edit of the conditions; None where what was drawn has nothing to change in them, or changes nobody."""
        kind = self.draw.choices(list(OFTEN), list(OFTEN.values()))[0]
        edit = self._in_place(kind, parts) if kind in ("remove", *CHANGED) else self._with_new(kind, parts)
        if edit is None or not self._holds(
            whole_said(parts), whole_said(edit.parts), whole_named(edit.parts)
        ):
            return None
        return edit

    def _in_place(self, kind: str, parts: tuple[Part, ...]) -> Edit | None:
        """One condition less, or changed."""
        place = self.draw.randrange(len(parts))
        before, old, after = parts[:place], parts[place], parts[place + 1 :]
        if kind == "remove":
            return Edit(kind, (*before, *after), old.said) if len(parts) > 1 else None
        change = self._change(kind, old.said.get("not", old.said))
        if change is None:
            return None
        made = Part(_with(old.said, change), _with(old.named, change))
        return Edit(kind, (*before, made, *after), old.said, made.said)

    def _change(self, kind: str, condition: Sketch) -> Sketch | None:
        """Other goods, another amount or another time for a condition; None where it has none."""
        if kind == "goods":
            return {ITEMS: self.draw.choice(self.goods)} if ITEMS in condition else None
        if kind == "time":
            spoken = self.draw.random() < SPOKEN and self.times
            change = (
                {WHEN: self.draw.choice(self.times)} if spoken else {"from_days_ago": self.draw.choice(DAYS)}
            )
            return change if "event" in condition else None
        value = condition.get("value")
        if isinstance(value, bool) or not isinstance(value, int | float) or not value:
            return None
        changed = value * self.draw.choice(FACTORS)
        return {"value": max(1, round(changed)) if value >= 1 else min(round(changed, 2), 0.95)}

    def _with_new(self, kind: str, parts: tuple[Part, ...]) -> Edit | None:
        """A condition more, one in place of another, more people let in, the first few, or all of it anew."""
        pool = {"rank": self.ranks, "anew": self.wholes}.get(kind, self.conditions)
        new = self.draw.choice(pool)
        if kind == "anew":
            return Edit(kind, tuple(Part(part, part) for part in parts_of(new)), new=new)
        said, named = whole_said(parts), whole_named(parts)
        if kind == "rank":
            return Edit(kind, (Part(new | {"among": said}, new | {"among": named}),), new=new)
        if "rank_by" in new:
            return None
        if kind == "widen":
            return Edit(kind, (Part({"any_of": [said, new]}, {"any_of": [named, new]}),), new=new)
        if kind == "swap":
            place = self.draw.randrange(len(parts))
            return Edit(kind, (*parts[:place], Part(new, new), *parts[place + 1 :]), parts[place].said, new)
        if kind == "exclude" and NO_PLAIN_OPPOSITE & set(new):
            return None
        added = {"not": new} if kind == "exclude" else new
        return Edit(kind, (*parts, Part(added, added)), new=new)

    def _holds(self, before: Sketch, after: Sketch, named: Sketch) -> bool:
        """Whether an edit leaves a segment with members, others than before, and the same by both ways to say it."""
        vocabulary, members = self.rooms.audiences.vocabulary, self.rooms.audiences.members
        try:
            nodes = [self.node(sketch) for sketch in (before, after, named)]
            for node in nodes:
                validate(node, vocabulary)
        except (ModelRetryError, DefinitionError):
            return False
        if fingerprint(nodes[1]) != fingerprint(nodes[2]) or issues(nodes[1], vocabulary):
            return False
        found = set(members(nodes[1]))
        return bool(found) and found != set(members(nodes[0]))

    def words(self, sketch: Sketch) -> str:
        """A sketch's conditions in plain words, with its own words for goods and times."""
        node, goods, times = self.node(sketch), {}, {}
        for part in _inner(sketch):
            if ITEMS in part and (found := self.linker.goods(part[ITEMS])):
                goods[found] = part[ITEMS]
            if WHEN in part and (window := self.linker.time(part[WHEN])):
                times[window] = part[WHEN]
        currency = self.rooms.workspace.settings.currency
        text = wording(node, self.rooms.warehouse.catalogue, self.language, currency, goods, times)
        return re.sub(r"^customers who |的客户$", "", text)

    def message(self, edit: Edit) -> str:
        """The edit in plain words."""
        old, new = (sketch and self.words(sketch) for sketch in (edit.old, edit.new))
        return said(self.draw, edit.kind, self.language, old or "", new or "", edit.old or {}, edit.new or {})

    def told(self, sketch: Sketch) -> str:
        """The sketch's segment in words, as an edit of it is read beside them."""
        return as_sentence(
            explain(self.node(sketch), self.rooms.warehouse.catalogue, self.language), self.language
        )


def parts_of(sketch: Sketch) -> list[Sketch]:
    """The conditions that a sketch requires."""
    return list(sketch["all_of"]) if list(sketch) == ["all_of"] else [sketch]


def whole_of(parts: Sequence[Sketch]) -> Sketch:
    """One sketch that requires all of the conditions."""
    flat = [inner for part in parts for inner in parts_of(part)]
    return flat[0] if len(flat) == 1 else {"all_of": flat}


def whole_said(parts: Sequence[Part]) -> Sketch:
    """The sketch that the conversation says."""
    return whole_of([part.said for part in parts])


def whole_named(parts: Sequence[Part]) -> Sketch:
    """The sketch that the words of the segment name."""
    return whole_of([part.named for part in parts])


def _with(sketch: Sketch, change: Sketch) -> Sketch:
    """The condition with the change, its fields in order; a time takes the place of another."""
    if list(sketch) == ["not"]:
        return {"not": _with(sketch["not"], change)}
    timed = {WHEN, "from_days_ago"} & set(change)
    kept = {key: v for key, v in sketch.items() if not (timed and key in WINDOW_KEYS | {WHEN})}
    return ordered(kept | change)


def ordered(value: Any) -> Any:
    """The sketch with its fields in the order that the model writes them."""
    if isinstance(value, list):
        return [ordered(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    place = {key: n for n, key in enumerate(ORDER)}
    return {key: ordered(value[key]) for key in sorted(value, key=lambda key: place.get(key, -1))}


def _inner(value: Any) -> list[Sketch]:
    if isinstance(value, list):
        return [found for inner in value for found in _inner(inner)]
    return [value, *(f for inner in value.values() for f in _inner(inner))] if isinstance(value, dict) else []


def draft(editor: Editor, pairs: Sequence[dict[str, str]], count: int) -> list[dict[str, Any]]:
    """Drafts of edits: id, language, kind, the messages before, the change in plain words, and both sketches of the end."""
    out = list[dict[str, Any]]()
    for _ in range(TRIES * count):
        pair = editor.draw.choice(pairs)
        start = json.loads(pair["sketch"])
        try:
            made = _drafted(editor, pair["request"], start)
        except (ModelRetryError, DefinitionError):
            continue
        if made is not None:
            out.append(
                {"id": f"{editor.language}-edit-{len(out) + 1:04}", "language": editor.language} | made
            )
        if len(out) == count:
            break
    return out


def _drafted(editor: Editor, request: str, start: Sketch) -> dict[str, Any] | None:
    """A draft that begins with a request, of one edit or of two; None where one drawn does not hold."""
    parts, led = editor.parts(start), [request]
    if editor.draw.random() < CHAINED:
        first = editor.step(parts)
        if first is None:
            return None
        led.append(editor.message(first))
        parts = editor.parts(whole_said(first.parts))
    edit = editor.step(parts)
    if edit is None:
        return None
    before, after = whole_said(parts), whole_said(edit.parts)
    return {
        "kind": edit.kind,
        "led": led,
        "told": editor.told(before),
        "before": editor.words(before),
        "change": editor.message(edit),
        "after": editor.words(after),
        "sketch": compact(ordered(after)),
        "named_sketch": compact(ordered(whole_named(edit.parts))),
    }


def join(drafts: Sequence[dict[str, Any]], messages: Mapping[str, str]) -> list[dict[str, str]]:
    """Two pairs of each draft, in the words of its message or else in plain words; a part of them is held out."""
    out = []
    for row in drafts:
        message = messages.get(row["id"], row["change"])
        if message.strip().upper() == SKIP:
            continue
        led = " ".join(as_sentence(request, row["language"]) for request in row["led"])
        split = "held" if hashlib.sha256(row["id"].encode()).digest()[0] < HELD_OF_256 else "train"
        kept = {"source": "edit", "language": row["language"], "split": split}
        told = f"{row['told']} {message}"
        out.append({"id": row["id"]} | kept | {"request": f"{led} {message}", "sketch": row["sketch"]})
        out.append({"id": f"{row['id']}-told"} | kept | {"request": told, "sketch": row["named_sketch"]})
    return out


def main() -> None:
    """Command line."""
    parser = command(__doc__, count=300)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--messages", type=Path)
    asked = parser.parse_args()
    if asked.what == "join":
        if asked.drafts is None:
            parser.error("join needs --drafts")
        messages = {row["id"]: row["message"] for row in read_lines(asked.messages)} if asked.messages else {}
        made = join(list(read_lines(asked.drafts)), messages)
        write_lines(asked.out, made)
        print(f"{asked.out}: {len(made)} pairs")
        return
    if asked.pairs is None:
        parser.error("draft needs --pairs")
    rows = [r for r in read_lines(asked.pairs) if r["language"] == asked.language and r["split"] == "train"]
    rooms = Rooms(open_workspace(asked.workspace))
    pool = [json.loads(row["sketch"]) for row in rows]
    editor = Editor(rooms, make_linker(rooms, dense=False), asked.language, pool, asked.seed)
    drafts = draft(editor, rows, asked.count)
    write_lines(asked.out, drafts)
    print(f"{asked.out}: {len(drafts)} edits to put into words")


if __name__ == "__main__":
    main()
