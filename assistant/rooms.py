"""The rooms of one workspace, opened when first needed and plugged together; what is told of a segment; its linker."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import pandas as pd

from assistant.disclosure import Disclosure
from assistant.documents import documents_of
from assistant.library import Library
from assistant.linking.here import here
from assistant.linking.linker import Linker
from assistant.market import Market
from assistant.noise import Noise
from assistant.scoring import Propensities
from assistant.sizes_told import SizesTold
from assistant.sql import Database
from assistant.tools_campaigns import DEFAULT_BUDGET
from assistant.tools_uplift import CampaignUplift
from assistant.tools_worth import Worths
from assistant.trials import SavedExperiments, Trials
from assistant.workspace import Workspace
from campaigns.acquire import Acquisition
from campaigns.assumptions import NO_TERMS, Assumptions, Terms
from campaigns.experiment import purchases_read
from campaigns.plan import Strategy
from campaigns.strategy import plan_strategy
from indexes.discoveries import Discoveries
from indexes.index import CustomerIndex
from indexes.lookalikes import DEFAULT, Method, lookalikes
from indexes.text import SentenceEncoder
from indexes.text_search import ItemTexts, customers_near
from indexes.trial import LEAST_BUYERS, Trial
from insights.item_model import ItemModel, build_model
from insights.recommend import Recommendations, recommend
from propensity.declared import each_outcome
from segments.canonical import fingerprint
from segments.codec import to_json
from segments.definition import Node
from segments.explain import explain
from segments.features import Catalogue
from warehouse.audience import Audiences
from warehouse.pseudonyms import Vault
from warehouse.reach import reachable
from warehouse.store import Warehouse


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
    def lookalike_trial(self) -> Trial | None:
        """How the methods of finding lookalikes did on this workspace's buyers; None where nothing could be tried."""
        return Trial.load(self.workspace.index)

    def lookalike_method(self, seeds: int) -> Method:
        """How lookalikes of so many customers are found; of fewer than the trial's seeds nothing is known."""
        trial = self.lookalike_trial
        return DEFAULT if trial is None or seeds < LEAST_BUYERS // 2 else trial.method

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
        terms: Terms = NO_TERMS,
    ) -> Strategy:
        """A campaign plan. acquisition: how the members were found, where they are lookalikes of a segment."""
        found = self.recommend(members)
        names = [n for n in ("purchase_30d", "coupon_redeem_30d") if n in self.propensity.outcomes]
        plan = plan_strategy(
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
            self.assumptions.under(terms),
            self.uplift.for_plans(),
            acquisition,
            [feature.name for feature in self.warehouse.catalogue if feature.group],
        )
        return replace(plan, terms=terms)


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
        method = self._rooms.lookalike_method(len(seeds))
        return [match.customer_id for match in lookalikes(self._rooms.index, seeds, top, within, method)]

    def caring(self, text: str, top: int, within: Sequence[str] | None) -> list[str]:
        """Whose behaviour is nearest to those who buy what a text means."""
        rooms = self._rooms
        found = customers_near(text, rooms.index, rooms.purchases, rooms.item_texts, top, within)
        return [match.customer_id for match in found]

    def cluster(self, discovery: str, number: int) -> list[str]:
        """Whom a discovery put into a cluster."""
        return self._rooms.discoveries.members(discovery, number)


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
            [str(name) for name in rooms.campaigns.sort_values("start")["campaign_id"]],
        ),
    )


def _told(catalogue: Catalogue, features: pd.DataFrame) -> Catalogue:
    """The features that tell customers apart here: a shop that knows no ages does not hear of them."""
    kept = []
    for feature in catalogue:
        values = features[feature.name].dropna().unique()
        if len(values) > 1 or (len(values) == 1 and values[0]):
            kept.append(feature)
    return Catalogue(kept)
