"""Bundles: an answer with everything that it came from, as one JSON file, and its replay to the same result.

A bundle holds the question, where its conversation stood, what the language model said, and what the answer rests on:
definition, SQL, evidence, and the digest of the members. A replay runs the turn again over the workspace's data,
without a language model and without leaving a trace in the workspace, and says what differs.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import prompts
from assistant.app import Answer, Assistant
from assistant.disclosure import Viewer
from assistant.documents import KINDS, Documents
from assistant.library import SavedSegment
from assistant.llm import ChatModel
from assistant.rooms import Rooms
from assistant.toolbox import tool_specs
from assistant.trace import ReplayedChat, Reply, reply_json
from assistant.workspace import Workspace
from segments.atomic import write_text
from segments.codec import from_json, to_json
from segments.errors import DataError, LLMUnavailableError, SegAssistError, UserError
from segments.features import Catalogue
from warehouse.suppression import shown

FORMAT = 1
SHARED = (
    "warehouse.duckdb",
    "indexes",
    "models",
    "segassist.toml",
    "ready.json",
    "vault.key",
    "vault.parquet",
)
"""What a replay only reads; what it could change (segments, conversations, plans, experiments) it has for itself."""
MADE_FROM = ("code", "prompts", "tools", "catalogue", "data", "as_of", "model")
WITHHELD = ("segment.size", "members")
"""What tells how many and who the members are: left out of the bundle of who may not see that."""
RESULT = ("answer", "language", "refused", "clarification", "tool_calls", "segment", "members", "evidence")
Bundle = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """One field that the replay has otherwise than the bundle. result: whether it is part of the result itself."""

    field: str
    then: Any
    now: Any
    result: bool

    def __str__(self) -> str:
        return f"{self.field}: {_short(self.then)} -> {_short(self.now)}"


@dataclass(frozen=True)
class Replay:
    """What a replay found: differences in the result, and in what it was made from."""

    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether the result is the same, whatever it was made from."""
        return not any(difference.result for difference in self.differences)


def make_bundle(rooms: Rooms, answer: Answer) -> Bundle:
    """The bundle of an answer that was just given. Raises UserError for one that was not asked here."""
    if answer.trace is None:
        raise UserError(
            "bundle: this answer carries no record of its turn; ask it again.",
            "bundle：这个回答没有留下记录；请重新提问。",
        )
    trace, segment = answer.trace, answer.segment
    smallest = max(rooms.workspace.settings.min_group, trace.k)
    return {
        "format": FORMAT,
        "saved_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "question": answer.question,
        "code": _code_version(),
        "prompts": prompts.fingerprint(),
        "tools": tools_fingerprint(),
        "catalogue": catalogue_fingerprint(rooms.warehouse.catalogue),
        "data": _data_mark(rooms.workspace),
        "as_of": rooms.warehouse.as_of.isoformat(),
        "model": trace.model,
        "state": trace.state,
        "library": [_saved_json(saved) for saved in trace.library],
        "replies": [reply_json(reply) for reply in trace.replies],
        "judged": list(trace.judged),
        "exact": trace.exact,
        "k": trace.k,
        "answer": answer.answer,
        "language": answer.language,
        "refused": answer.refused,
        "clarification": answer.clarification,
        "tool_calls": answer.tool_calls,
        "segment": None
        if segment is None
        else {name: segment[name] for name in ("definition", "hash", "words", "sql")}
        | {"size": shown(rooms.audiences.size(from_json(segment["definition"])), smallest)},
        "members": None if segment is None else _members_digest(rooms, segment["definition"]),
        "evidence": answer.evidence,
    }


def without_members(bundle: Bundle) -> Bundle:
    """A bundle without how many and who the members are; it says so in `withheld`, and a replay does not compare them."""
    segment = bundle["segment"]
    if segment is None:
        return bundle
    shown = {name: value for name, value in segment.items() if name != "size"}
    return bundle | {"segment": shown, "members": None, "withheld": list(WITHHELD)}


def bundle_text(bundle: Bundle) -> str:
    """A bundle as the text of its file."""
    return json.dumps(bundle, ensure_ascii=False, indent=1) + "\n"


def save_bundle(path: Path, bundle: Bundle) -> None:
    """Write a bundle, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, bundle_text(bundle))


def read_bundle(path: Path) -> Bundle:
    """A bundle. Raises DataError for a file that is none, or of a later format."""
    try:
        bundle = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a bundle ({error}).") from error
    if not isinstance(bundle, dict) or bundle.get("format") != FORMAT:
        found = bundle.get("format") if isinstance(bundle, dict) else None
        raise DataError(f"{path}: not a bundle of format {FORMAT} (found {found!r}).")
    missing = [
        name
        for name in (*MADE_FROM, *RESULT, "question", "state", "library", "replies")
        if name not in bundle
    ]
    if missing:
        raise DataError(f"{path}: the bundle lacks {', '.join(missing)}.")
    return bundle


def replay(bundle: Bundle, workspace: Workspace, model: ChatModel | None = None) -> Replay:
    """Run a bundle's turn again on a workspace; without a model its recorded answers are said again.

    Nothing is written into the workspace. Raises DataError for a bundle that cannot be read.
    """
    recorded = ReplayedChat(_replies(bundle), "adapter" in bundle["model"])
    with _borrowed(workspace) as copy:
        rooms = Rooms(copy)
        try:
            for saved in bundle["library"]:
                rooms.library.restore(_saved(saved))
            assistant = Assistant(rooms, model or recorded)
            assistant.kept.put("replay", bundle["state"])
            viewer = Viewer(exact=bool(bundle.get("exact")), k=_smallest(bundle))
            answer = assistant.ask(bundle["question"], "replay", viewer=viewer, judged=_judged(bundle))
            now = make_bundle(rooms, answer)
            now = without_members(now) if bundle.get("withheld") else now
        except LLMUnavailableError as error:
            if model is not None:
                raise
            return Replay((Difference("replies", len(recorded), str(error), True),))
        except SegAssistError as error:
            return Replay((Difference("answer", bundle["answer"], f"{error.code}: {error}", True),))
        finally:
            rooms.warehouse.close()
    return Replay(tuple(_differences(bundle, now, recorded if model is None else None)))


@cache
def tools_fingerprint() -> str:
    """12 hex digits that change when any tool's name, words or arguments change."""
    specs = [[spec.name, spec.description, spec.schema] for spec in tool_specs().values()]
    return _digest(specs)


def catalogue_fingerprint(catalogue: Catalogue) -> str:
    """12 hex digits that change when any feature changes."""
    return _digest([repr(feature) for feature in catalogue])


def _differences(then: Bundle, now: Bundle, recorded: ReplayedChat | None) -> Iterator[Difference]:
    for name in RESULT:
        if then[name] != now[name]:
            yield from _inside(name, then[name], now[name])
    if recorded is not None and recorded.asked < len(recorded):
        yield Difference("replies", len(recorded), recorded.asked, True)
    for name in MADE_FROM:
        # The model that speaks in a replay without one is the bundle's own.
        if then[name] != now[name] and not (name == "model" and recorded is not None):
            yield Difference(name, then[name], now[name], False)
    for call in recorded.differing if recorded is not None else ():
        yield Difference(f"prompt of call {call}", "as recorded", "another text or schema", False)


def _inside(name: str, then: Any, now: Any) -> Iterator[Difference]:
    """The parts that differ, where both sides have parts."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted({*then, *now}):
            if then.get(key) != now.get(key):
                yield from _inside(f"{name}.{key}", then.get(key), now.get(key))
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for place, (one, other) in enumerate(zip(then, now, strict=True)):
            if one != other:
                yield from _inside(f"{name}[{place}]", one, other)
    else:
        yield Difference(name, then, now, True)


@contextmanager
def _borrowed(workspace: Workspace) -> Iterator[Workspace]:
    """The workspace under another folder: its data by link; plans, experiments and discoveries as copies."""
    with tempfile.TemporaryDirectory(prefix="segassist-replay-") as name:
        folder = Path(name)
        for shared in SHARED:
            if (workspace.folder / shared).exists():
                (folder / shared).symlink_to((workspace.folder / shared).resolve())
        discoveries = workspace.folder / "discoveries"
        if discoveries.exists():
            shutil.copytree(discoveries, folder / "discoveries")
        borrowed = workspace.at(folder)
        for kind in KINDS:
            Documents(workspace.state, kind).copy_to(Documents(borrowed.state, kind))
        yield borrowed


def _replies(bundle: Bundle) -> Sequence[Reply]:
    try:
        return [
            Reply(str(reply["asked"]), reply["said"], reply.get("probability")) for reply in bundle["replies"]
        ]
    except (KeyError, TypeError) as error:
        raise DataError("replies: each must have 'asked' and 'said'.") from error


def _smallest(bundle: Bundle) -> int:
    k = bundle.get("k", 0)
    if not isinstance(k, int):
        raise DataError(f"k: must be a whole number; got {k!r}.")
    return k


def _judged(bundle: Bundle) -> list[bool]:
    """Empty for a bundle of 0.4.0."""
    judged = bundle.get("judged", [])
    if not isinstance(judged, list):
        raise DataError(f"judged: must be a list of true and false; got {judged!r}.")
    return [bool(one) for one in judged]


def _saved_json(saved: SavedSegment) -> dict[str, Any]:
    return {
        "name": saved.name,
        "version": saved.version,
        "definition": to_json(saved.definition),
        "hash": saved.hash,
        "saved_at": saved.saved_at.isoformat(),
    }


def _saved(data: dict[str, Any]) -> SavedSegment:
    try:
        return SavedSegment(
            str(data["name"]),
            int(data["version"]),
            from_json(data["definition"]),
            str(data["hash"]),
            datetime.fromisoformat(data["saved_at"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"library: a saved segment cannot be read ({error}).") from error


def _members_digest(rooms: Rooms, definition: dict[str, Any]) -> str:
    """SHA-256 of the members' pseudonyms, in order."""
    members = rooms.audiences.members(from_json(definition))
    return hashlib.sha256("\n".join(sorted(members)).encode()).hexdigest()


def _data_mark(workspace: Workspace) -> str:
    """What the workspace was built from; changes with source, loading code and features."""
    return str(json.loads(workspace.ready.read_text(encoding="utf-8"))["mark"])


def _code_version() -> str:
    try:
        return version("segment-assistant")
    except PackageNotFoundError:
        return "unknown"


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:12]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
