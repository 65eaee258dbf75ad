"""The assistant behind access control and the audit log: every way in (API, MCP, chat, page, command line) asks here.

What a caller may not do raises ForbiddenError. What is answered, changed or exported is in the audit log before
the caller has it, and of a change before it is made; when the log cannot be written, nothing is answered or changed.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from assistant.app import Answer, Assistant
from assistant.back import KEPT_TURNS
from assistant.bundle import make_bundle, without_members
from assistant.disclosure import Viewer, read_by
from assistant.documents import Documents, SavedDocument
from assistant.kept import KeptConversation, SharedConversation
from assistant.library import Library, SavedSegment
from assistant.llm import ChatModel
from assistant.naming import MAX_NAME, checked_name
from assistant.rooms import Rooms, describe_segment, member_ids
from assistant.run import Around
from assistant.toolbox import ToolSpec, result_json, run_tool, tool_specs
from assistant.tools import ToolResult, Tools
from assistant.tools_campaigns import keep_plan
from assistant.wanted import nobody_goes
from assistant.workspace import open_workspace
from campaigns.assign import Arm
from segments.canonical import fingerprint
from segments.codec import from_json, to_json
from segments.definition import InCluster, Node
from segments.errors import (
    ConflictError,
    DefinitionError,
    ForbiddenError,
    LLMUnavailableError,
    NotFoundError,
    code_of,
)
from segments.ports import Progress, silent
from serving.access import Caller, Permission, allow, only_reads, tool_permission
from serving.audit import Audit
from serving.customers import CustomerList, listed
from serving.jobs import Job, Jobs, no_job
from serving.metrics import Metrics
from serving.turns import TurnQueue
from serving.users import Users
from warehouse.estimate import Estimate, draw
from warehouse.export import (
    Manifest,
    check_names,
    clear_partial,
    export,
    manifest_of,
    read_manifest,
    withdraw,
)
from warehouse.reach import check_channel, without_few
from warehouse.trend import Change, change
from warehouse.webhook import deliver, webhook_of

MAX_OVERLAP = 20
AT_ONCE = 2
"""Turns together on a language model's server that nobody knows better."""


class Service:
    """One workspace as its users may use it."""

    def __init__(self, rooms: Rooms, model: ChatModel | None = None, at_once: int = AT_ONCE) -> None:
        """at_once: turns that the language model's server answers well together, where the settings do not say."""
        settings = rooms.workspace.settings
        self.turns = TurnQueue(settings.turns_at_once or at_once, settings.turns_waiting)
        self.rooms, self._model = rooms, model
        self.users = Users(rooms.state, always=bool(rooms.workspace.settings.oidc_issuer))
        self.audit = Audit(rooms.workspace.folder, rooms.workspace.audit)
        self.jobs = Jobs(rooms.state)
        self.metrics = Metrics()
        self.session_lasts = timedelta(hours=settings.session_hours)
        self._lock = threading.Lock()
        self._assistant: Assistant | None = None

    @classmethod
    def open(cls, folder: Path, model: ChatModel | None = None, at_once: int = AT_ONCE) -> Service:
        """Open a built workspace; without a model, everything but questions. Raises NotBuiltError."""
        return cls(Rooms(open_workspace(folder)), model, at_once)

    @property
    def assistant(self) -> Assistant:
        """Loaded with the first question; counting and listing need none of it."""
        with self._lock:
            if self._assistant is None:
                if self._model is None:
                    raise LLMUnavailableError(
                        "There is no language model here; start the server.", "这里没有语言模型；请启动服务。"
                    )
                self._assistant = Assistant(self.rooms, self._model)
            return self._assistant

    @cached_property
    def _tools(self) -> Tools:
        return Tools(self.rooms)

    def check(self, caller: Caller, permission: Permission, action: str) -> None:
        """Raise ForbiddenError, and write down that it was tried."""
        try:
            allow(caller, permission)
        except ForbiddenError:
            self.log(caller, "denied", of=action)
            raise

    def smallest(self, caller: Caller) -> int:
        """The smallest group that is shown to a caller; those who may export see smaller ones too, outside the chat."""
        return self.rooms.workspace.settings.smallest(caller.role.name)

    def _viewer(self, caller: Caller) -> Viewer:
        """What is shown to a caller: exact counts to those who may export, except through another's language model."""
        exact = sees_all(caller) and caller.via != "mcp"
        return Viewer(caller.space, exact, self.smallest(caller))

    def log(self, caller: Caller, action: str, **detail: Any) -> None:
        """Write an entry of the audit log, and count it."""
        self.audit.write(caller, action, **detail)
        self.metrics.action(action, caller.via, detail.get("count", 0))

    @contextmanager
    def changing(self, caller: Caller, action: str, **detail: Any) -> Iterator[dict[str, Any]]:
        """Around a change: its entry is in the audit log before it is made, and one more with what came of it, where the
        caller puts something into what this yields, or when it fails."""
        with self.audit.changing(caller, action, **detail) as came:
            self.metrics.action(action, caller.via, 0)
            yield came

    def _around(self, caller: Caller, conversation: str | None = None) -> Around:
        """Around every call of a tool, in a turn or alone: one that changes something has an entry of its own before it
        does, and one more when it fails."""

        def around(name: str, arguments: Mapping[str, Any]) -> AbstractContextManager[object]:
            if only_reads(name):
                return nullcontext()
            tools = [{"name": name, "arguments": dict(arguments)}]
            return self.changing(caller, "tool", tools=tools, conversation=conversation)

        return around

    # Questions

    def ask(
        self,
        caller: Caller,
        question: str,
        conversation: str | None = None,
        gone: Callable[[], bool] = nobody_goes,
    ) -> Answer:
        """Answer one turn, when it is its turn. gone: whether the caller has left, who then waits no more, and whose turn
        is given up while it has done nothing; one whose tools have run is finished and kept.

        Raises BusyError.
        """
        self.check(caller, "ask", "ask")
        log = _TurnLog(self.log, caller, question, conversation)
        with log, self.turns.enter(_asking(caller, conversation)) as ticket:
            for _ in ticket.positions(gone):
                pass
            thread, viewer = _thread(caller, conversation), self._viewer(caller)
            around = self._around(caller, conversation)
            answer = self.assistant.ask(question, thread, log.hear, viewer, gone=gone, around=around)
            self._keep_bundle(answer)
        return self._seen(caller, answer)

    def stream(
        self,
        caller: Caller,
        question: str,
        conversation: str | None = None,
        gone: Callable[[], bool] = nobody_goes,
    ) -> Iterator[tuple[str, Any]]:
        """('queue', {'before': turns}) once a second until it is the turn's turn, then (step, data) as steps end, and last
        ('done', Answer). Whoever stops reading waits no more. gone: as in `ask`; without it a turn that has begun is
        finished, as a page is opened again. Raises BusyError."""
        self.check(caller, "ask", "ask")
        log = _TurnLog(self.log, caller, question, conversation)
        with log, self.turns.enter(_asking(caller, conversation)) as ticket:
            for before in ticket.positions(gone):
                yield "queue", {"before": before}
            thread, viewer, assistant = _thread(caller, conversation), self._viewer(caller), self.assistant
            ended, around = ticket.hand_over(), self._around(caller, conversation)
            for step, data in assistant.stream(question, thread, log.hear, viewer, ended, gone, around):
                if step != "done":
                    yield step, data
                    continue
                self._keep_bundle(data)
                yield step, self._seen(caller, data)

    def _keep_bundle(self, answer: Answer) -> None:
        """While data, code and saved segments are those of the answer."""
        self.assistant.kept.keep_bundle(answer.conversation, answer.turn, make_bundle(self.rooms, answer))

    def _seen(self, caller: Caller, answer: Answer) -> Answer:
        """The answer as its caller may have it: their own name for the conversation, small groups hidden."""
        for evidence in answer.evidence:
            values = {figure["name"]: figure["value"] for figure in evidence["figures"]}
            self._claim(caller, evidence["tool"], values)
        segment = answer.segment
        if segment is not None:
            segment = self._hidden(caller, segment, from_json(segment["definition"]))
        return replace(answer, segment=segment, conversation=answer.conversation.removeprefix(_space(caller)))

    def conversation(
        self, caller: Caller, conversation: str, offset: int = 0, limit: int = KEPT_TURNS
    ) -> tuple[list[dict[str, Any]], int, Node | None]:
        """What was said in a conversation of the caller's (the last `limit` turns before the last `offset` ones), how many
        turns there were, and its current segment."""
        self.check(caller, "ask", "conversation")
        thread = _thread(caller, conversation)
        return *self.assistant.kept.turns(thread, offset, limit), self.assistant.segment(thread)

    def bundle(self, caller: Caller, conversation: str, turn: int | None = None) -> dict[str, Any]:
        """The bundle of a turn of the caller's, of the last one by default (`assistant.bundle`). Raises NotFoundError.

        How many and who the members are is left out for those who may not see that.
        """
        self.check(caller, "ask", "bundle")
        thread = _thread(caller, conversation)
        found = self.assistant.kept.bundle(thread, turn)
        if found is None:
            if not self.assistant.history(thread, 1):
                raise NotFoundError(
                    f"There is no conversation '{conversation}'.", f"没有对话“{conversation}”。"
                )
            which = "its last turn" if turn is None else f"turn {turn}"
            raise NotFoundError(
                f"turn: conversation '{conversation}' has no bundle of {which}; ask the question again.",
                f"turn：对话“{conversation}”没有{which}的存证包；请重新提问。",
            )
        self.log(caller, "bundle", conversation=conversation, turn=turn)
        return found if sees_all(caller) else without_members(found)

    def set_segment(self, caller: Caller, conversation: str, definition: Node) -> None:
        """Make an edited definition a conversation's current segment."""
        self.check(caller, "ask", "edit")
        self.assistant.set_segment(_thread(caller, conversation), definition)

    def conversations(
        self, caller: Caller, offset: int = 0, limit: int = 100
    ) -> tuple[list[KeptConversation], int]:
        """The caller's conversations, the last changed first, and how many there are."""
        self.check(caller, "ask", "conversations")
        return self.assistant.kept.all(_space(caller), offset, limit)

    def rename_conversation(self, caller: Caller, conversation: str, title: str) -> str:
        """Give a conversation of the caller's another title. Raises NotFoundError, UserError."""
        self.check(caller, "ask", "rename conversation")
        with self.changing(caller, "rename", conversation=conversation, name=checked_name(title)):
            return self.assistant.kept.rename(_thread(caller, conversation), title)

    def delete_conversation(self, caller: Caller, conversation: str) -> None:
        """Delete a conversation of the caller's, its bundles and its link with it. Raises NotFoundError."""
        self.check(caller, "ask", "delete conversation")
        with self.changing(caller, "delete", conversation=conversation):
            self.assistant.kept.delete(_thread(caller, conversation))

    def share_conversation(self, caller: Caller, conversation: str) -> str:
        """A token by which others of the workspace may read the turns that a conversation of the caller's has now; the
        one before it is no longer good. Raises NotFoundError."""
        self.check(caller, "ask", "share conversation")
        viewer = self._viewer(caller)
        exact = self.rooms.noise is not None and viewer.exact
        with self.changing(caller, "share", conversation=conversation):
            return self.assistant.kept.share(_thread(caller, conversation), exact, viewer.k)

    def unshare_conversation(self, caller: Caller, conversation: str) -> None:
        """End the link of a conversation of the caller's. Raises NotFoundError."""
        self.check(caller, "ask", "unshare conversation")
        with self.changing(caller, "unshare", conversation=conversation):
            self.assistant.kept.unshare(_thread(caller, conversation))

    def shared_conversation(
        self, caller: Caller, token: str, offset: int = 0, limit: int = KEPT_TURNS
    ) -> SharedConversation:
        """What another user shared, to read; a page of it as of `conversation`. Raises NotFoundError; ForbiddenError where
        its counts are exact and the caller's carry noise, or where it may tell of smaller groups than the caller is
        shown."""
        self.check(caller, "ask", "shared conversation")
        found = self.assistant.kept.shared(token, offset, limit)
        if found.exact:
            self.check(caller, "export", "shared conversation with exact counts")
        smallest = self.smallest(caller)
        if not sees_all(caller) and max(found.k, self.rooms.workspace.settings.min_group) < smallest:
            self.log(caller, "denied", of="shared conversation with smaller groups")
            raise ForbiddenError(
                f"This conversation may tell of groups of fewer than {smallest} customers, which your role is not shown.",
                f"这个对话可能涉及不足{smallest}名客户的群体，您的角色看不到。",
            )
        self.log(caller, "read shared", conversation=found.space + found.id)
        return found

    def fork(self, caller: Caller, conversation: str, copy: str) -> bool:
        """Copy a conversation under another id; False when there is none."""
        return self.assistant.kept.copy(_thread(caller, conversation), _thread(caller, copy))

    # Tools

    def tools(self, caller: Caller) -> list[ToolSpec]:
        """The tools that the caller's role may use."""
        specs = tool_specs().values()
        return [spec for spec in specs if caller.may(permission_of(spec))]

    def call(self, caller: Caller, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Run a tool on JSON arguments; evidence and segment as JSON."""
        return result_json(self.run(caller, name, arguments), self.rooms.workspace.settings.currency)

    def run(self, caller: Caller, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Run a tool on JSON arguments; its result with the words and the plan that it may have."""
        spec = tool_specs().get(name)
        if spec is not None:
            self.check(caller, permission_of(spec), name)
        around, begun = self._around(caller), False

        def beginning(name: str, arguments: Mapping[str, Any]) -> AbstractContextManager[object]:
            nonlocal begun
            begun = not only_reads(name)
            return around(name, arguments)

        try:
            with read_by(_reader(caller), self._viewer(caller)):
                result = run_tool(self._tools, name, arguments, beginning)
        except Exception as error:
            if not begun:  # without the arguments, which may be too large or not fit
                self.log(caller, "tool", tools=[{"name": name[:64]}], failed=code_of(error))
            raise
        for evidence in result.evidence:
            self._claim(caller, evidence.tool, {figure.name: figure.value for figure in evidence.figures})
        if only_reads(name):
            digest = None if result.definition is None else fingerprint(result.definition)
            tools = [{"name": name, "arguments": arguments}]
            self.log(caller, "tool", tools=tools, definition=digest)
        return result

    def _claim(self, caller: Caller, tool: str, figures: dict[str, Any]) -> None:
        """What a tool has saved is its caller's, unless it is somebody's already."""
        rooms = self.rooms
        saving: dict[str, Library | Documents] = {
            "save_segment": rooms.library,
            "save_plan": rooms.plans,
            "assign_holdout": rooms.experiments,
        }
        if tool in saving and "name" in figures:
            saving[tool].claim(str(figures["name"]), caller.name)

    # Segments

    def read(self, definition: object) -> Node:
        """A definition from JSON, with the workspace's parameters. Raises DefinitionError."""
        return from_json(definition, self.rooms.workspace.settings.parameters)

    def preview(self, caller: Caller, definition: Node) -> dict[str, Any]:
        """A definition counted, with its SQL and words; of very large data estimated instead (`estimate_from`)."""
        self.check(caller, "read", "preview")
        if self.noises(caller):
            self.size(caller, definition)
        elif self.very_large and not self.rooms.audiences.ranks(definition):
            estimated = self.estimate(caller, definition)
            return describe_segment(self.rooms, definition, counted=False) | {"estimate": estimated}
        return self._hidden(caller, describe_segment(self.rooms, definition), definition)

    def size(self, caller: Caller, definition: Node) -> int | None:
        """How many members; None where that is, or tells of, a group too small for the caller to see."""
        told = self.told(caller, definition)
        return told if isinstance(told, int) else None

    def told(self, caller: Caller, definition: Node) -> int | str:
        """As `size`; where that is None '<k' for a small group, '≈N' for a size that would tell of one."""
        self.check(caller, "read", "size")
        if sees_all(caller):
            return self.rooms.audiences.size(definition)
        with read_by(_reader(caller), self._viewer(caller)):
            return self.rooms.disclosure.shown(definition)

    def estimate(self, caller: Caller, definition: Node, share: float | None = None) -> dict[str, Any]:
        """The size from a sample of a share of the customers, with its interval; without them where they, or what they
        tell of, are a group too small for the caller to see. Raises what `draw` does, ForbiddenError under noise."""
        self.check(caller, "read", "estimate")
        sample = draw(self.rooms.audiences, definition, share)
        found: Estimate | None = sample.estimate
        if not sees_all(caller):
            with read_by(_reader(caller), self._viewer(caller)):
                found = self.rooms.disclosure.estimated(sample)
        hidden = {} if found is not None else {"size": None, "low": None, "high": None}
        return asdict(sample.estimate) | hidden

    @property
    def very_large(self) -> bool:
        """Whether there are so many events that previews estimate (`estimate_from`)."""
        events: int = self.rooms.warehouse.meta["quality"]["events"]
        return events >= self.rooms.workspace.settings.estimate_from

    def diff(self, caller: Caller, definition: Node, earlier: date, later: date | None) -> dict[str, Any]:
        """How many entered, left and stayed between two dates (default of the later one: the data's), and both sizes.

        None for what is, or tells of, a group too small for the caller to see. Raises UserError, DefinitionError.
        """
        self.check(caller, "read", "diff")
        audiences = self.rooms.audiences
        return self.moved(
            caller, definition, change(audiences, definition, earlier, later or audiences.as_of)
        )

    def moved(self, caller: Caller, definition: Node, found: Change) -> dict[str, Any]:
        """What `diff` gives, of a change of the definition that is known."""
        self.check(caller, "read", "diff")
        disclosure = self.rooms.disclosure
        sizes: dict[str, Any] = {
            "earlier": found.earlier.isoformat(),
            "later": found.later.isoformat(),
            "before": len(found.left) + found.stayed,
            "after": len(found.entered) + found.stayed,
        }
        parts = {"entered": len(found.entered), "left": len(found.left), "stayed": found.stayed}
        if sees_all(caller):
            return sizes | parts
        with read_by(_reader(caller), self._viewer(caller)):
            told = disclosure.moved(definition, found)
        for size, value in (("before", told.before), ("after", told.after)):
            sizes[size] = value if isinstance(value, int) else None
        return sizes | (parts if told.parts else dict.fromkeys(parts))

    def overlap(self, caller: Caller, definitions: Sequence[Node]) -> list[list[int | None]]:
        """Customers in both, for every two of the definitions; None for a group too small to show."""
        self.check(caller, "read", "overlap")
        if not 2 <= len(definitions) <= MAX_OVERLAP:
            raise DefinitionError(
                f"definitions: must be 2 to {MAX_OVERLAP}; got {len(definitions)}.",
                f"definitions：必须是2到{MAX_OVERLAP}个，而给了{len(definitions)}个。",
            )
        if sees_all(caller):
            sets = [frozenset(self.rooms.audiences.members(definition)) for definition in definitions]
            return [[len(a & b) for b in sets] for a in sets]
        with read_by(_reader(caller), self._viewer(caller)):
            shown = [[self.rooms.disclosure.shown_both(a, b) for b in definitions] for a in definitions]
        return [[size if isinstance(size, int) else None for size in row] for row in shown]

    def clusters(self, caller: Caller) -> list[dict[str, Any]]:
        """The clusters that were discovered so far, with the definition of each. Raises ForbiddenError under noise.

        size: when it was discovered; for who may not see every size today's, None for a group too small to show.
        """
        self.check(caller, "read", "clusters")
        with read_by(_reader(caller), self._viewer(caller)):
            self.rooms.disclosure.counts_only("clusters")
        found = []
        for version in self.rooms.discoveries.versions():
            for cluster in self.rooms.discoveries.clusters(version):
                definition = InCluster(version, cluster.number)
                size = cluster.size if sees_all(caller) else self.size(caller, definition)
                found.append({"definition": to_json(definition)} | asdict(cluster) | {"size": size})
        return found

    def noises(self, caller: Caller) -> bool:
        """Whether counts carry noise for a caller, who then sees nothing else of customers."""
        with read_by(_reader(caller), self._viewer(caller)):
            return self.rooms.disclosure.margin is not None

    def save(self, caller: Caller, name: str, definition: Node, if_match: str | None = None) -> SavedSegment:
        """Save a new version under a name. Raises StaleError when it is not the version of `if_match`."""
        self.check(caller, "write", "save")
        self.rooms.audiences.size(definition)
        with self.changing(caller, "save", segment=checked_name(name), definition=fingerprint(definition)):
            saved = self.rooms.library.save(name, definition, if_match=if_match)
            self.rooms.library.claim(saved.name, caller.name)
        return saved

    def rename(self, caller: Caller, name: str, new: str) -> str:
        """Give a saved segment another name. Raises NotFoundError, UserError, ConflictError."""
        self.check(caller, "write", "rename")
        with self.changing(caller, "rename", segment=name[:MAX_NAME], name=checked_name(new)):
            return self.rooms.library.rename(name, new)

    def delete(self, caller: Caller, name: str, if_match: str | None = None) -> None:
        """Delete a saved segment with its versions. Raises NotFoundError, StaleError."""
        self.check(caller, "write", "delete")
        with self.changing(caller, "delete", segment=name[:MAX_NAME]):
            self.rooms.library.delete(name, if_match)

    # Plans and experiments

    def save_plan(
        self,
        caller: Caller,
        name: str,
        definition: Node,
        goal: str | None,
        budget: float | None,
        if_match: str | None,
        top: int | None = None,
    ) -> SavedDocument:
        """Make a plan and save it as a new version. Raises StaleError when it is not the version of `if_match`."""
        self.check(caller, "write", "save plan")
        with read_by(_reader(caller), self._viewer(caller)):
            made = self._tools.plan_strategy(definition, goal, budget, top)
        strategy, definition = made.strategy, made.definition or definition
        assert strategy is not None
        with self.changing(caller, "save", plan=checked_name(name), definition=fingerprint(definition)):
            saved = keep_plan(self.rooms, strategy, definition, name, if_match)
            self.rooms.plans.claim(saved.name, caller.name)
        return replace(saved, owner=saved.owner or caller.name)

    def delete_document(
        self, caller: Caller, documents: Documents, name: str, if_match: str | None = None
    ) -> None:
        """Delete a plan or an experiment with its versions. Raises NotFoundError, StaleError."""
        self.check(caller, "write", f"delete {documents.kind}")
        with self.changing(caller, "delete", **{documents.kind: name[:MAX_NAME]}):
            documents.delete(name, if_match)

    # Customers one by one

    def members(
        self, caller: Caller, definition: Node, offset: int = 0, limit: int | None = None
    ) -> tuple[list[str], int]:
        """Source ids of members, ordered by pseudonym, and how many there are in all."""
        self.check(caller, "export", "members")
        ids = member_ids(self.rooms, definition)
        page = ids[offset:] if limit is None else ids[offset : offset + limit]
        self._exported(caller, "members", definition, len(page), len(ids), offset)
        return page, len(ids)

    def movers(
        self,
        caller: Caller,
        definition: Node,
        earlier: date,
        later: date | None,
        which: Literal["entered", "left"],
        offset: int = 0,
        limit: int | None = None,
    ) -> tuple[list[str], int]:
        """Source ids of those who entered or left between two dates, ordered by pseudonym, and how many in all."""
        self.check(caller, "export", which)
        found = change(self.rooms.audiences, definition, earlier, later or self.rooms.audiences.as_of)
        every = found.entered if which == "entered" else found.left
        page = every[offset:] if limit is None else every[offset : offset + limit]
        what = f"{which} between {found.earlier} and {found.later}"
        self._exported(caller, what, definition, len(page), len(every), offset)
        return self.rooms.vault.source_ids(list(page)), len(every)

    def customers(
        self,
        caller: Caller,
        documents: Documents,
        name: str,
        version: int | None = None,
        arm: Arm | None = None,
    ) -> CustomerList:
        """Who is in a plan or an experiment, or in one arm of it, ordered by pseudonym. Raises NotFoundError.

        Whoever is no longer kept, by retention or erasure, is left out.
        """
        kind = documents.kind
        self.check(caller, "export", f"customers of {kind}")
        found = listed(kind, name.strip(), documents.load(name, version), self.rooms.vault)
        page = found.of(arm)
        self.log(
            caller,
            "export",
            exported=f"{kind} {found.name}",
            definition=found.definition,
            count=len(page.rows),
            of=len(found.rows),
            offset=0,
            as_of=found.as_of,
        )
        return page

    def scores(
        self, caller: Caller, definition: Node, outcome: str, offset: int = 0, limit: int | None = None
    ) -> tuple[list[tuple[str, float]], int]:
        """(source id, calibrated probability) of members, likeliest first, and how many there are in all."""
        self.check(caller, "export", "scores")
        members = self.rooms.audiences.members(definition)
        scores = self.rooms.propensity.scores(outcome).reindex(members).dropna()
        ordered = scores.sort_index().sort_values(ascending=False, kind="stable")
        page = ordered.iloc[offset:] if limit is None else ordered.iloc[offset : offset + limit]
        ids = self.rooms.vault.source_ids([str(customer) for customer in page.index])
        self._exported(caller, f"scores of {outcome}", definition, len(page), len(ordered), offset)
        return [(i, float(p)) for i, p in zip(ids, page, strict=True)], len(ordered)

    def export(
        self,
        caller: Caller,
        definition: Node,
        name: str,
        file_format: str,
        channel: str = "",
        progress: Progress = silent,
    ) -> Path:
        """Write members and manifest under the workspace's exports, all or nothing; return the export's folder."""
        self.check(caller, "export", "export")
        folder = self.rooms.workspace.folder / "exports"
        rooms, by, digest = self.rooms, caller.name, fingerprint(definition)
        agreed = {"channel": channel} if channel else {}

        def record(manifest: Manifest) -> None:
            count, of = manifest.count, manifest.count if manifest.total is None else manifest.total
            more = {"format": file_format, "id": manifest.id} | agreed
            self._exported(caller, name, definition, count, of, 0, **more)

        asked = {"exporting": name, "definition": digest, "format": file_format} | agreed
        with self.changing(caller, "exporting", **asked):
            return export(
                rooms.audiences,
                rooms.vault,
                definition,
                folder,
                name,
                file_format,
                by,
                channel=channel,
                database=rooms.workspace.settings.export_database,
                record=record,
                progress=progress,
            )

    def start_export(
        self,
        caller: Caller,
        definition: Node,
        name: str,
        file_format: str,
        channel: str = "",
        webhook: str = "",
    ) -> Job:
        """Have an export made by a server process. channel: only members who agreed to it. webhook: which of the
        workspace's the file is delivered to.

        Raises DefinitionError, UserError, NotFoundError (channel, webhook) before anything is kept.
        """
        self.check(caller, "export", "export")
        check_names(name, file_format, self.rooms.workspace.settings.export_database)
        self.rooms.audiences.sql(definition)
        asked = {"exporting": name, "definition": fingerprint(definition), "format": file_format}
        if channel:
            check_channel(self.rooms.audiences, channel)
            asked["channel"] = channel
        if webhook:
            webhook_of(self.rooms.workspace.settings.webhooks, webhook)
            asked["webhook"] = webhook
        with self.changing(caller, "export_asked", **asked):
            return self.jobs.create(caller, definition, name, file_format, channel, webhook)

    def exports(self, caller: Caller, offset: int = 0, limit: int = 100) -> tuple[list[Job], int]:
        """The caller's export jobs, newest first, and how many there are; an admin's are everybody's."""
        self.check(caller, "export", "exports")
        return self.jobs.page(None if caller.may("operate") else caller.name, offset, limit)

    def export_job(self, caller: Caller, job_id: str) -> Job:
        """An export job of the caller's. Raises NotFoundError for other people's too."""
        self.check(caller, "export", "export")
        job = self.jobs.get(job_id)
        if job.user != caller.name and not caller.may("operate"):
            raise no_job(job_id)
        return job

    def cancel_export(self, caller: Caller, job_id: str) -> Job:
        """Stop an export job that has not ended. Raises NotFoundError, ConflictError."""
        job = self.export_job(caller, job_id)
        with self.changing(caller, "export_cancelled", exporting=job.name, job=job_id):
            return self.jobs.cancel(job_id)

    def deliver_again(self, caller: Caller, job_id: str) -> Job:
        """Have a delivery that failed tried again, of the same file. Raises NotFoundError, ConflictError."""
        job = self.export_job(caller, job_id)
        if job.folder is not None:
            self._folder_of(job)
        with self.changing(caller, "delivery_asked", exporting=job.name, job=job_id, webhook=job.webhook):
            return self.jobs.again(job_id)

    def exported_file(self, caller: Caller, job_id: str) -> tuple[Path, Manifest]:
        """The members file of a job that has made one, checked. Raises NotFoundError, ConflictError."""
        job = self.export_job(caller, job_id)
        if not job.has_file:
            raise ConflictError(
                f"export: job {job_id} is {job.state}; there is a file when it is done.",
                f"export：任务{job_id}的状态是{job.state}；完成后才有文件。",
            )
        folder = self._folder_of(job)
        manifest = manifest_of(folder)
        self.log(caller, "download", exported=job.name, definition=manifest.fingerprint, count=manifest.count)
        return folder / manifest.file, manifest

    def make_export(self, job: Job, progress: Progress) -> tuple[str, int]:
        """Do an export job: (its folder, customers in it). Raises UnauthenticatedError when its user is revoked."""
        caller = self.users.named(job.user).by(job.via) if self.users.on else job.caller
        if job.folder is None:
            job = self._with_file(caller, job, progress)
        if job.webhook:
            self._deliver(caller, job, progress)
        return str(job.folder), int(job.count or 0)

    def _with_file(self, caller: Caller, job: Job, progress: Progress) -> Job:
        """The job with its export made; what is to be delivered is kept before. Raises ConflictError where another process
        has taken it over."""
        exports = self.rooms.workspace.folder / "exports"
        if job.attempts > 1:
            clear_partial(exports, job.name)
        made = self.export(caller, job.definition, job.name, job.format, job.channel, progress)
        folder, count = str(made.relative_to(exports)), read_manifest(made).count
        if job.webhook and not self.jobs.made(job, folder, count):
            withdraw(made)
            raise ConflictError(
                f"export: job {job.id} was taken over by another process.",
                f"export：任务{job.id}已由另一进程接手。",
            )
        return replace(job, folder=folder, count=count)

    def _deliver(self, caller: Caller, job: Job, progress: Progress) -> None:
        """Deliver the export of a job. Raises ForbiddenError, NotFoundError, UserError, StorageError."""
        self.check(caller, "export", "delivery")
        made = self._folder_of(job)
        address, secret = webhook_of(self.rooms.workspace.settings.webhooks, job.webhook)
        sent = {"exported": job.name, "id": made.name, "webhook": job.webhook, "count": job.count}
        with self.changing(caller, "delivering", **sent) as came:
            came["tries"] = deliver(made, address, secret, progress=progress)

    def _folder_of(self, job: Job) -> Path:
        """Where the export of a job is. Raises NotFoundError when it has been removed."""
        folder = self.rooms.workspace.folder / "exports" / str(job.folder)
        if not folder.is_dir():
            raise NotFoundError(
                f"export: the file of job {job.id} has been removed.", f"export：任务{job.id}的文件已被删除。"
            )
        return folder

    def _exported(
        self, caller: Caller, what: str, definition: Node, count: int, of: int, offset: int, **more: Any
    ) -> None:
        as_of, digest = self.rooms.warehouse.as_of.isoformat(), fingerprint(definition)
        what_of = {"exported": what, "definition": digest, "count": count, "of": of, "offset": offset}
        self.log(caller, "export", **what_of | {"as_of": as_of} | more)

    def _hidden(self, caller: Caller, segment: dict[str, Any], definition: Node) -> dict[str, Any]:
        """A described segment as its caller may have it: without a size that is, or tells of, too small a group."""
        if sees_all(caller):
            return segment
        try:
            size = self.size(caller, definition)
        except ForbiddenError:  # the budget is spent
            size = None
        if size is None or self.noises(caller):
            return segment | {"size": size, "reachable": {}}
        few = self.smallest(caller)
        return segment | {"size": size, "reachable": without_few(segment.get("reachable", {}), size, few)}


class _TurnLog:
    """Writes one turn down as soon as its tools have run, so before any of its answer is out; a turn that fails
    earlier, with its error."""

    def __init__(
        self, log: Callable[..., None], caller: Caller, question: str, conversation: str | None
    ) -> None:
        self._log, self._caller, self._done = log, caller, False
        self._asked = {"question": question, "conversation": conversation}

    def hear(self, step: str, data: dict[str, Any]) -> None:
        """A step of the turn has ended; what is only for the log is taken out of its data."""
        if step == "run":
            self._write(tools=data.pop("made"), definition=data.pop("definition"))
        elif step == "answer":
            self._write()

    def _write(self, **more: Any) -> None:
        if not self._done:
            self._log(self._caller, "ask", **self._asked, **more)
            self._done = True

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception):
            self._write(failed=code_of(error))


def permission_of(spec: ToolSpec) -> Permission:
    """The permission that a tool takes."""
    return tool_permission(spec.name, spec.schema["properties"])


def sees_all(caller: Caller) -> bool:
    """Whether a caller may see the size of any group: those who may export its members."""
    return caller.may("export")


def _reader(caller: Caller) -> str:
    """Who remembers what was shown: the user, as in their conversations."""
    return caller.space or caller.name


def _asking(caller: Caller, conversation: str | None) -> str:
    """Who takes turns with others in the queue: users, or conversations where there are no users."""
    return caller.space or f":{conversation or uuid.uuid4().hex}"


def _space(caller: Caller) -> str:
    return f"{caller.space}:" if caller.space else ""


def _thread(caller: Caller, conversation: str | None) -> str:
    """Where a conversation is kept: apart for each user. ':' is in no user's and no conversation's name."""
    return _space(caller) + (conversation or uuid.uuid4().hex[:12])
