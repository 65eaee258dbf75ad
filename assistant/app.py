"""The composition root: opens a workspace's rooms, plugs them together, and is the assistant.

from assistant import Assistant
answer = Assistant.open("workspaces/demo").ask("who spent over $500 last quarter?")
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from queue import Queue
from typing import Any, cast

import pandas as pd

from assistant.conversations import Conversations
from assistant.disclosure import EVERYBODY, Disclosure, Viewer, read_by, reader_of
from assistant.documents import documents_of
from assistant.follow_ups import Answerable, follow_ups
from assistant.graph import KEPT_TURNS, State, Turn, TurnGraph
from assistant.grounding import to_json as evidence_json
from assistant.kept import KeptConversations
from assistant.library import Library
from assistant.linking.here import here
from assistant.linking.linker import Confidence, Linker
from assistant.llm import ChatModel
from assistant.market import Market
from assistant.noise import Noise
from assistant.scoring import Propensities
from assistant.sizes_told import SizesTold
from assistant.sql import Database
from assistant.tools import Tools
from assistant.tools_campaigns import DEFAULT_BUDGET
from assistant.tools_uplift import CampaignUplift
from assistant.tools_worth import Worths
from assistant.trace import RecordingChat, Trace, listening
from assistant.tracing import note, span
from assistant.trials import SavedExperiments, Trials
from assistant.workspace import Workspace, open_workspace
from campaigns.acquire import Acquisition
from campaigns.assumptions import Assumptions
from campaigns.experiment import purchases_read
from campaigns.plan import Strategy
from campaigns.strategy import plan_strategy
from indexes.clusters import discover
from indexes.discoveries import Discoveries
from indexes.index import CustomerIndex
from indexes.lookalikes import lookalikes
from indexes.text import SentenceEncoder
from indexes.text_search import ItemTexts, customers_near
from insights.item_model import ItemModel, build_model
from insights.recommend import Recommendations, recommend
from propensity.declared import each_outcome
from segments.canonical import fingerprint
from segments.codec import from_json, to_json
from segments.definition import InCluster, Node
from segments.errors import UserError
from segments.explain import explain
from segments.features import Catalogue
from segments.ports import Evidence, Figure
from warehouse.audience import Audiences
from warehouse.pseudonyms import Vault
from warehouse.reach import reachable
from warehouse.store import Warehouse

MAX_QUESTION = 2_000
"""Characters of one message: far more than anybody types, and read in well under a second."""

NOT_REPLAYED = ("history", "turns", "bundle", "title", "shared")
"""What a conversation remembers that no answer comes from."""


class Rooms:
    """Every room of one workspace, opened when first needed."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.warehouse = Warehouse(workspace.warehouse)
        self.state = Database(workspace.state)
        self.library = Library(self.state, workspace.settings.parameters)
        self.plans = documents_of(workspace, "plan", self.state)
        self.experiments = documents_of(workspace, "experiment", self.state)
        self.propensity = Propensities(self.warehouse, workspace.models)
        self.market = Market(self)
        self.worths = Worths(self)
        settings = workspace.settings
        self.trials = Trials(
            self.warehouse,
            settings.randomised_campaigns,
            SavedExperiments(self.experiments),
            lambda made: purchases_read(made, self.purchases, self.items),
        )
        self.uplift = CampaignUplift(
            self.trials, lambda: self.propensity.customers, settings.contact_cost, settings.gross_margin
        )
        self.discoveries = Discoveries(workspace.folder)
        self.audiences = Audiences(
            self.warehouse,
            resolver=_Resolver(self),
            saved=lambda name: self.library.get(name).definition,
            saved_names=self.library.names,
            outcomes=self.propensity.outcomes,
            discoveries=self.discoveries.counts,
            campaigns=lambda: self.trials.names,
        )
        self.noise = (
            Noise(self.state, settings.noise_epsilon, settings.noise_budget)
            if settings.noise_epsilon
            else None
        )
        self.disclosure = Disclosure(
            lambda: self.audiences,
            settings.min_group,
            SizesTold(self.state),
            self.noise,
            workspace.ready.read_text(),
        )
        self._lock = threading.RLock()

    @cached_property
    def index(self) -> CustomerIndex:
        """The behaviour index."""
        return CustomerIndex.load(self.workspace.index, self.workspace.settings.index_device)

    @cached_property
    def vault(self) -> Vault:
        """Source ids of customers, for exports."""
        return Vault(self.workspace.folder)

    @cached_property
    def purchases(self) -> pd.DataFrame:
        """Every purchase: customer_id, ts, item_id, order_id, quantity, value, discount, channel."""
        return self.warehouse.events(
            "purchase", "customer_id", "ts", "item_id", "order_id", "quantity", "value", "discount", "channel"
        )

    @cached_property
    def exposures(self) -> pd.DataFrame:
        """Whom each campaign reached, and when."""
        return self.warehouse.events("exposure", "customer_id", "campaign_id", "ts")

    @cached_property
    def redemptions(self) -> pd.DataFrame:
        """Who redeemed a coupon of each campaign, and when."""
        return self.warehouse.events("coupon_redeem", "customer_id", "campaign_id", "ts", "item_id")

    @cached_property
    def campaigns(self) -> pd.DataFrame:
        """campaign_id, type, start, end."""
        found = self.warehouse.fetch(self.warehouse.table("campaigns"))
        return found.rename(columns={"start_date": "start", "end_date": "end"})

    @property
    def assumptions(self) -> Assumptions:
        """What plans take for granted, with this workspace's margin, cost of a contact and response rate."""
        settings = self.workspace.settings
        rate = settings.response_rate or None
        return Assumptions(
            contact_cost=settings.contact_cost, gross_margin=settings.gross_margin, response_rate=rate
        )

    @cached_property
    def items(self) -> pd.DataFrame:
        """Every item."""
        return self.warehouse.fetch(self.warehouse.table("items"))

    @cached_property
    def encoder(self) -> SentenceEncoder:
        """The text encoder."""
        return SentenceEncoder(self.workspace.settings.encoder)

    @cached_property
    def item_texts(self) -> ItemTexts:
        """The items' texts, for search in words."""
        return ItemTexts(self.items, self.encoder)

    @cached_property
    def _item_model(self) -> ItemModel:
        excluded = self.workspace.settings.exclude_categories
        as_of = self.warehouse.as_of
        return build_model(self.purchases, self.items, as_of, "category", exclude=excluded, method="trending")

    def warm(self) -> None:
        """Load what the first question would otherwise wait for."""
        with self._lock:
            self.audiences.population  # noqa: B018
            self.warehouse.features()
            self.index  # noqa: B018
            self.propensity.warm()
            self._item_model  # noqa: B018
            self.market.warm()

    def recommend(self, members: Sequence[str]) -> Recommendations:
        """Next best categories."""
        with self._lock:
            return recommend(
                members, self.purchases, self.items, self.warehouse.as_of, model=self._item_model
            )

    def strategy(
        self,
        members: Sequence[str],
        goal: str | None,
        budget: float | None,
        acquisition: Acquisition | None = None,
    ) -> Strategy:
        """A campaign plan. acquisition: how the members were found, where they are lookalikes of a segment."""
        found = self.recommend(members)
        names = [n for n in ("purchase_30d", "coupon_redeem_30d") if n in self.propensity.outcomes]
        return plan_strategy(
            members,
            goal,
            budget if budget is not None else DEFAULT_BUDGET,
            self.warehouse.features(),
            {name: self.propensity.scores(name) for name in names},
            self.purchases,
            self.items,
            self.exposures,
            self.redemptions,
            self.campaigns,
            self.warehouse.as_of,
            found.rows(),
            self.assumptions,
            self.uplift.for_plans(),
            acquisition,
            [feature.name for feature in self.warehouse.catalogue if feature.group],
        )

    def discover(self, k: int | None) -> Evidence:
        """Natural segments as evidence; the discovery is kept, so that a definition may name its clusters."""
        events, items = self.warehouse.table("events"), self.warehouse.table("items")
        bought = events.filter(events.type == "purchase").inner_join(items, "item_id")
        spend = bought.group_by("customer_id", "category").aggregate(value=bought.value.sum())
        currency = self.workspace.settings.currency
        found = discover(self.index, self.warehouse.features(), self.warehouse.fetch(spend), k, currency)
        version = self.discoveries.keep(found, self.index.as_of)
        figures: list[Figure] = [
            Figure("segments", len(found.clusters), "count", "natural segments", "自然分群数"),
            Figure(
                "silhouette",
                round(found.silhouette, 3),
                "ratio",
                "silhouette (separation, -1 to 1)",
                "轮廓系数",
            ),
        ]
        if found.stability is not None:
            agreement = round(found.stability, 2)
            figures.append(
                Figure(
                    "stability",
                    agreement,
                    "ratio",
                    "agreement under resampling (1: the same)",
                    "重抽样一致性",
                )
            )
        rows = []
        for cluster in found.clusters:
            number = cluster.number
            figures.append(
                Figure(
                    f"size_{number}",
                    cluster.size,
                    "customers",
                    f"{number}. {cluster.name_en}",
                    f"{number}. {cluster.name_zh}",
                )
            )
            rows.append(
                {
                    "number": number,
                    "name": cluster.name_en,
                    "name_zh": cluster.name_zh,
                    "size": cluster.size,
                    "share": round(cluster.share, 4),
                    "persona": cluster.persona_en,
                    "persona_zh": cluster.persona_zh,
                    "definition": to_json(InCluster(version, number)),
                    "categories": [{"category": c, "index": round(i, 2)} for c, i in cluster.categories],
                }
            )
        why, dense = found.reason, found.density.reason
        notes = (str(why), why.zh, str(dense), dense.zh)
        return Evidence("", "discover_segments", tuple(figures), tuple(rows), notes)


class _Resolver:
    """Answers the conditions that models and the index decide (`AudienceResolver`)."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def propensity(self, outcome: str) -> pd.Series:
        """Probability by customer id."""
        return self._rooms.propensity.scores(outcome)

    def uplift(self, campaign: str) -> pd.Series:
        """Estimated change of the probability to buy by customer id."""
        return self._rooms.uplift.effects(campaign)

    def similar(self, seeds: Sequence[str], top: int, within: Sequence[str] | None) -> list[str]:
        """Lookalikes, nearest first."""
        return [match.customer_id for match in lookalikes(self._rooms.index, seeds, top, within)]

    def caring(self, text: str, top: int, within: Sequence[str] | None) -> list[str]:
        """Whose behaviour is nearest to those who buy what a text means."""
        rooms = self._rooms
        found = customers_near(text, rooms.index, rooms.purchases, rooms.item_texts, top, within)
        return [match.customer_id for match in found]

    def cluster(self, discovery: str, number: int) -> list[str]:
        """Whom a discovery put into a cluster."""
        return self._rooms.discoveries.members(discovery, number)


@dataclass(frozen=True)
class Answer:
    """One answered turn; `to_dict` is the machine interface (`segassist ask --json`)."""

    question: str
    answer: str
    language: str
    tool_calls: list[dict[str, Any]]
    segment: dict[str, Any] | None
    evidence: list[dict[str, Any]]
    clarification: str | None
    refused: str | None
    confidence: Confidence | None
    timings: dict[str, float]
    conversation: str
    turn: int
    follow_ups: list[str] = field(default_factory=list)
    strategy: Strategy | None = field(default=None, repr=False)
    trace: Trace | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The stable JSON form."""
        names = (
            "question",
            "answer",
            "language",
            "tool_calls",
            "segment",
            "evidence",
            "clarification",
            "refused",
            "confidence",
            "follow_ups",
        )
        return {name: getattr(self, name) for name in names} | {"timings": self.timings}


def member_ids(rooms: Rooms, definition: Node) -> list[str]:
    """Source ids of a definition's members, for export."""
    return rooms.vault.source_ids(rooms.audiences.members(definition))


def describe_segment(
    rooms: Rooms, definition: Node, *, language: str = "en", counted: bool = True
) -> dict[str, Any]:
    """A definition with its hash, size, members reachable by channel, SQL and words. counted: ask for the sizes."""
    digest = fingerprint(definition)
    return {
        "name": rooms.library.name_of(digest),
        "definition": to_json(definition),
        "hash": digest,
        "size": rooms.audiences.size(definition) if counted else None,
        "reachable": reachable(rooms.audiences, definition) if counted else {},
        "sql": rooms.audiences.sql(definition),
        "words": explain(
            definition,
            rooms.warehouse.catalogue,
            "zh" if language == "zh" else "en",
            rooms.workspace.settings.currency,
        ),
    }


def make_linker(rooms: Rooms, *, dense: bool = True) -> Linker:
    """The linker of a workspace; without `dense`, words are matched by their spelling only."""
    warehouse = rooms.warehouse
    features = warehouse.features()
    return Linker(
        _told(warehouse.catalogue, features),
        features,
        warehouse.item_values,
        warehouse.item_names,
        warehouse.as_of,
        rooms.encoder if dense else None,
        here(
            warehouse.happened["types"],
            warehouse.happened["channels"],
            [outcome for each in rooms.workspace.settings.outcomes for outcome in each_outcome(each)],
        ),
    )


def _figures(turn: Turn) -> int:
    return sum(len(evidence.figures) for evidence in (turn.result.evidence if turn.result else ()))


def _told(catalogue: Catalogue, features: pd.DataFrame) -> Catalogue:
    """The features that tell customers apart here: a shop that knows no ages does not hear of them."""
    kept = []
    for feature in catalogue:
        values = features[feature.name].dropna().unique()
        if len(values) > 1 or (len(values) == 1 and values[0]):
            kept.append(feature)
    return Catalogue(kept)


class Assistant:
    """Answers questions about one workspace's customers, in conversations that survive a restart."""

    def __init__(
        self,
        rooms: Rooms,
        model: ChatModel,
        linker: Linker | None = None,
        graph: type[TurnGraph] = TurnGraph,
    ) -> None:
        """linker, graph: other stages than the product's own, for experiments that leave one out."""
        self.rooms = rooms
        self.tools = Tools(rooms)
        self.linker = linker or make_linker(rooms)
        self.conversations = Conversations(rooms.workspace.conversations)
        self._model = RecordingChat(model)
        self._graph = graph(self.linker, self._model, self.tools, self.conversations.saver)
        self.kept = KeptConversations(self.conversations, self._graph)

    @classmethod
    def open(cls, folder: str | Path, model: ChatModel) -> Assistant:
        """Open a built workspace. Raises NotBuiltError."""
        return cls(Rooms(open_workspace(Path(folder))), model)

    def ask(
        self,
        question: str,
        conversation: str | None = None,
        on_step: Callable[[str, dict[str, Any]], None] = lambda _step, _data: None,
        viewer: Viewer = EVERYBODY,
        judged: Sequence[bool] = (),
    ) -> Answer:
        """Answer one turn. `on_step` hears of every step as it ends. viewer: who pays for noised counts.
        judged: of the sizes that are told, which give a small group away, where that is known from an earlier time.

        Raises LLMUnavailableError, UserError for a question that is too long.
        """
        if len(question) > MAX_QUESTION:
            raise UserError(
                f"question: may have {MAX_QUESTION:,} characters; got {len(question):,}.",
                f"question：最多{MAX_QUESTION:,}个字符，而给了{len(question):,}个。",
            )
        thread = conversation or uuid.uuid4().hex[:12]
        turn = Turn(question, on_step)
        started = time.perf_counter()
        config: Any = {"configurable": {"thread_id": thread}}
        with (
            span("turn") as opened,
            self.conversations.used(),
            listening() as replies,
            read_by(reader_of(thread), viewer, judged) as judgements,
        ):
            if self.rooms.workspace.settings.trace_content:
                note(opened, question=question, conversation=thread)
            before = self._graph.compiled.get_state(config).values
            saved = tuple(self.rooms.library.all())
            state = cast(State, self._graph.compiled.invoke({"bundle": None}, config, context=turn))
            note(opened, tool=turn.plan.tool if turn.plan else None, figures=_figures(turn))
        turn.timings["total"] = time.perf_counter() - started
        kept = {name: value for name, value in before.items() if name not in NOT_REPLAYED}
        trace = Trace(
            kept, saved, tuple(replies), self._model.identity, tuple(judgements.made), viewer.exact, viewer.k
        )
        answer = self._answer(turn, state, thread)
        return replace(answer, trace=trace, follow_ups=self._follow_ups(answer, viewer))

    def stream(
        self,
        question: str,
        conversation: str | None = None,
        on_step: Callable[[str, dict[str, Any]], None] = lambda _step, _data: None,
        viewer: Viewer = EVERYBODY,
        ended: Callable[[], None] = lambda: None,
    ) -> Iterator[tuple[str, Any]]:
        """(step, data) as steps end, and last ('done', Answer); an error is raised where it happened.

        `on_step` hears of a step first, and of every one, even when nobody reads on; `ended` is called after the last.
        """
        queue: Queue[tuple[str, Any]] = Queue()

        def hear(step: str, data: dict[str, Any]) -> None:
            on_step(step, data)
            queue.put((step, data))

        def work() -> None:
            try:
                done = self.ask(question, conversation, hear, viewer)
                queue.put(("done", done))
            except BaseException as error:  # noqa: BLE001 - handed to the reader, who raises it
                queue.put(("error", error))
            finally:
                ended()

        context = copy_context()  # the turn's spans belong to whoever reads on
        threading.Thread(target=context.run, args=(work,), daemon=True).start()
        while True:
            step, data = queue.get()
            if step == "error":
                raise data
            yield step, data
            if step == "done":
                return

    def warm(self) -> None:
        """Load what the first question would otherwise wait for."""
        self.rooms.warm()
        self.linker.link("warm up")

    def history(self, conversation: str) -> list[dict[str, Any]]:
        """What was said in a conversation: number, question, answer, tool, definition of each of the last turns."""
        return self.kept.history(conversation)

    def segment(self, conversation: str) -> Node | None:
        """A conversation's current segment."""
        data = self.kept.state(conversation).get("current")
        return from_json(data) if data else None

    def set_segment(self, conversation: str, definition: Node) -> None:
        """Make an edited definition the conversation's current segment; undo takes it back. Raises DefinitionError."""
        self.rooms.audiences.size(definition)
        values, made = self.kept.state(conversation), to_json(definition)
        before = values.get("current")
        trail = [*values.get("trail", []), *([before] if before and before != made else [])]
        self.kept.put(conversation, {"current": made, "trail": trail[-KEPT_TURNS:]})

    def members(self, definition: Node) -> list[str]:
        """Source ids of the members, for export."""
        return member_ids(self.rooms, definition)

    def _follow_ups(self, answer: Answer, viewer: Viewer) -> list[str]:
        """What may be asked next: of a segment large enough to tell of, or of natural segments that were found."""
        settings, rooms = self.rooms.workspace.settings, self.rooms
        tools = [str(call["name"]) for call in answer.tool_calls]
        large = answer.segment is not None and answer.segment["size"] >= rooms.disclosure.smallest(viewer)
        if answer.clarification or answer.refused or not (large or tools[-1:] == ["discover_segments"]):
            return []
        happened = set(rooms.warehouse.happened["types"])
        here = Answerable(
            self.linker.catalogue,
            settings.currency,
            rooms.propensity.outcomes,
            bool(settings.response_rate) or {"exposure", "coupon_redeem"} <= happened,
            rooms.noise is not None and not viewer.exact,
        )
        return follow_ups(tools, "zh" if answer.language == "zh" else "en", here)

    def _answer(self, turn: Turn, state: State, thread: str) -> Answer:
        current = state.get("current")
        language = turn.link.language if turn.link else "en"
        stopped = turn.refused is not None
        segment = (
            None
            if current is None or stopped
            else describe_segment(self.rooms, from_json(current), language=language)
        )
        currency = self.rooms.workspace.settings.currency
        evidence = [evidence_json(e, currency) for e in (turn.result.evidence if turn.result else ())]
        timings = {
            name: round(turn.timings.get(name, 0.0), 4)
            for name in ("link", "plan", "check", "run", "answer", "total")
        }
        return Answer(
            turn.question,
            turn.answer,
            language,
            turn.calls,
            segment,
            evidence,
            turn.clarification,
            turn.refused,
            turn.confidence,
            timings,
            thread,
            state["turns"],
            strategy=turn.result.strategy if turn.result else None,
        )
