"""The assistant's tools: thin typed functions over the rooms below, each returning evidence.

The docstrings are what LangChain and other clients see. Reading is free; saving and deleting change
only the segment library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from assistant import tools_audience as audience
from assistant import tools_campaigns as campaign_tools
from assistant import tools_habits, tools_market, tools_plans, tools_propensity
from assistant.lookalike_method import how_found
from assistant.natural_segments import discover_segments
from assistant.noise import LEVEL
from campaigns.assumptions import NO_TERMS, Terms
from campaigns.plan import Strategy
from insights.signals import Kind
from segments.canonical import canonical
from segments.codec import from_json, to_json
from segments.definition import (
    EVERYONE,
    FeatureCondition,
    Node,
    SimilarityCondition,
    UpliftCondition,
    conditions,
    every_condition,
)
from segments.edit import difference
from segments.errors import DefinitionError, UserError
from segments.explain import Language, explain
from segments.issues import Issue
from segments.ports import Evidence, Figure

if TYPE_CHECKING:
    from assistant.rooms import Rooms

DEFAULT_TOP = 100
COUNTING = frozenset(
    "define_segment refine_segment show_segment open_segment find_lookalikes compare_segments trend_segment "
    "breakdown_segment count_part save_segment list_segments delete_segment".split()
)
"""Tools that tell no more of customers than counts, all by way of the disclosure."""
Top = Annotated[int, Field(ge=1, description="how many customers")]
Share = Annotated[float, Field(gt=0, le=1, description="of all customers")]
Margin = Annotated[float, Field(gt=0, le=1, description="gross margin, as a share of revenue")]
Discount = Annotated[float, Field(gt=0, le=1, description="of every coupon, at most the margin")]


@dataclass(frozen=True)
class ToolResult:
    """What a tool call produced: evidence, the segment it made current (if any), a plan object (if any).

    discovery: the version of the discovery that was made. texts: the answer in English and Chinese, where the tool words
    it itself. parts: the results that it is made of, where several tools were run.
    """

    evidence: tuple[Evidence, ...]
    definition: Node | None = None
    strategy: Strategy | None = None
    texts: tuple[str, str] | None = None
    discovery: str | None = None
    parts: tuple[ToolResult, ...] = ()


def admit(rooms: Rooms, name: str) -> None:
    """Raise ForbiddenError for a tool that tells more than counts where counts carry noise."""
    if name not in COUNTING:
        rooms.disclosure.counts_only(name)


class Tools:
    """Every tool, bound to one workspace's rooms."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms

    def define_segment(self, definition: Node, alternative: Node | None = None) -> ToolResult:
        """Define a customer segment and count it; count another reading of the same words beside it."""
        evidence = self._segment_evidence("define_segment", definition)
        return ToolResult((evidence, *self._other_reading(alternative)), definition)

    def refine_segment(self, definition: Node, previous: Node, alternative: Node | None = None) -> ToolResult:
        """Edit the current segment: add, exclude, widen, change or remove a condition, and count it again; count another
        reading of the same words beside it."""
        evidence = self._segment_evidence("refine_segment", definition)
        before = self._shown(previous)
        figure = Figure("size_before", before, "customers", "customers before the edit", "修改前客户数")
        added, removed = difference(previous, definition)
        words = [f"+ {self._words(node)}" for node in added] + [f"- {self._words(node)}" for node in removed]
        edited = Evidence(evidence.id, evidence.tool, (*evidence.figures, figure), (), tuple(words))
        return ToolResult((edited, *self._other_reading(alternative)), definition)

    def show_segment(self, definition: Node) -> ToolResult:
        """Show the current segment: definition, size and SQL."""
        return ToolResult((self._segment_evidence("show_segment", definition),), definition)

    def profile_segment(self, definition: Node) -> ToolResult:
        """Describe a segment: size, spend, main figures, and what sets it apart, with effect sizes."""
        from insights.profile import profile

        rooms = self.rooms
        members = self._members(definition)
        # What defines the segment is known already; the rest is what is worth telling.
        known = [c.feature for c in conditions(definition) if isinstance(c, FeatureCondition)]
        found = profile(members, rooms.warehouse.features(), rooms.warehouse.catalogue, exclude=known)
        evidence = Evidence("", "profile_segment", found.figures(), tuple(found.rows()))
        return ToolResult((self._segment_evidence("profile_segment", definition), evidence), definition)

    def find_lookalikes(
        self, definition: Node, top: Top = DEFAULT_TOP, among: Node | None = None
    ) -> ToolResult:
        """Find the customers whose behaviour is nearest to a segment's, its members left out; with `among`, only from
        that group."""
        # Even a seed too small to show may be searched with: the answer is a crowd, not the seed.
        seeds = self.rooms.audiences.members(definition)
        if not seeds:
            raise DefinitionError.of(Issue("nobody_to_be_like"))
        most = min(top, self.rooms.audiences.population)
        found = SimilarityCondition(most, segment=definition, among=among)
        evidence = self._segment_evidence("find_lookalikes", found)
        seed = Figure(
            "seed_size", self._shown(definition), "customers", "customers in the seed segment", "种子客户数"
        )
        asked = Figure("top", top, "customers", "lookalikes asked for", "所求相似客户数")
        within = None if among is None else self.rooms.audiences.members(among)
        how = how_found(self.rooms, seeds, most, within)
        out = Evidence("", evidence.tool, (*evidence.figures, seed, asked, *how), (), evidence.notes)
        return ToolResult((out,), found)

    def find_lookalikes_of_customer(self, customer: str, top: Top = DEFAULT_TOP) -> ToolResult:
        """Find the customers whose behaviour is nearest to one customer's, given by the retailer's own id."""
        known = self.rooms.vault.known(customer)
        most = min(top, self.rooms.audiences.population)
        found = SimilarityCondition(most, customer=known)
        evidence = self._segment_evidence("find_lookalikes", found)
        figures = (*evidence.figures, *how_found(self.rooms, [known], most))
        return ToolResult((replace(evidence, figures=figures),), found)

    def score_propensity(self, definition: Node, outcome: str) -> ToolResult:
        """How likely a segment is to do an outcome (purchase_14d, purchase_30d, coupon_redeem_30d, or
        purchase_30d:CATEGORY): calibrated probabilities against everyone's, and what drives them."""
        members = self._members(definition)
        explained = self.rooms.propensity.explain(members, outcome)
        evidence = Evidence("", "score_propensity", explained.figures(), tuple(explained.rows()))
        return ToolResult((self._segment_evidence("score_propensity", definition), evidence), definition)

    def explain_propensity(self, customer: str, outcome: str) -> ToolResult:
        """How likely one customer, given by the retailer's own id, is to do an outcome, beside everyone, and what
        drives it."""
        return ToolResult((tools_propensity.explain_propensity(self.rooms, customer, outcome),))

    def estimate_uplift(self, definition: Node, campaign: str | None = None) -> ToolResult:
        """Who of a segment would buy because of a campaign, and who would buy anyway, learned from a past campaign
        (its id; by default the one that reached most customers), with checks of how far that may be believed."""
        found = self.rooms.uplift.evidence(self._members(definition), campaign)
        return ToolResult((self._segment_evidence("estimate_uplift", definition), found), definition)

    def customer_value(self, definition: Node, weeks: float | None = None) -> ToolResult:
        """What a segment is worth over the next weeks (52 by default): expected spend and purchases with intervals,
        by BG/NBD and Gamma-Gamma models."""
        found = self.rooms.worths.evidence(self._members(definition), weeks)
        return ToolResult((self._segment_evidence("customer_value", definition), found), definition)

    def discover_segments(self, k: int | None = None) -> ToolResult:
        """Find k natural segments of all customers by their behaviour, each with a name and a persona."""
        found = discover_segments(self.rooms, k)
        version = found.rows[0]["definition"]["member_of"]["discovery"] if found.rows else None
        return ToolResult((found,), discovery=version)

    def recommend_products(self, definition: Node) -> ToolResult:
        """The next best categories and products for a segment: what members do not yet buy and their peers
        do, and how such lists did on days not seen."""
        members = self._members(definition)
        found = self.rooms.recommend(members)
        evidence = Evidence("", "recommend_products", found.figures(), tuple(found.rows()))
        items = tools_market.products(self.rooms, members)
        segment = self._segment_evidence("recommend_products", definition)
        return ToolResult((segment, evidence, *items), definition)

    def bought_together(self, definition: Node | None = None, categories: Sequence[str] = ()) -> ToolResult:
        """What a segment (without one: everyone) buys together: pairs of categories by support, confidence
        and lift. categories: only what goes with these; empty for the strongest pairs of all."""
        if definition is None:
            return ToolResult((tools_market.together(self.rooms, None, categories),))
        found = tools_market.together(self.rooms, self._members(definition), categories)
        return ToolResult((self._segment_evidence("bought_together", definition), found), definition)

    def forecast_demand(
        self, category: str, store: str | None = None, stock: float | None = None
    ) -> ToolResult:
        """Units of a category in the next four weeks, in all stores or one, with 90 % intervals, the risk of
        running out and what to reorder; stock: units there now."""
        return ToolResult((tools_market.demand(self.rooms, category, store, stock),))

    def find_anomalies(self, kind: Kind = "customer") -> ToolResult:
        """How many customers, orders or coupons are odd and why; the oddest coupons. Odd is not guilty."""
        return ToolResult((tools_market.anomalies(self.rooms, kind),))

    def export_anomalies(self, kind: Kind = "customer") -> ToolResult:
        """The oddest of a kind (customer, order or coupon), by the retailer's own ids, each with its reasons. Odd is not
        guilty."""
        self.rooms.disclosure.one_customer("export_anomalies")
        return ToolResult((tools_market.export_anomalies(self.rooms, kind),))

    def placement_effect(self, category: str) -> ToolResult:
        """What display and mailer positions go with in a category's sales; observed, not tried."""
        return ToolResult(tools_market.placement_effect(self.rooms, category))

    def mail_frequency(self) -> ToolResult:
        """How response changes with the number of campaigns in a month, and the cap that this suggests."""
        return ToolResult((tools_market.mail_frequency(self.rooms),))

    def review_sentiment(self, definition: Node | None = None, goods: Sequence[str] = ()) -> ToolResult:
        """What customers (of a segment; without one: all) say in reviews: share of praise with its interval, by aspect
        (delivery, price, quality, service ...), and which items fall behind. goods: categories, departments, brands or
        words of product names; empty for all reviews."""
        if definition is None:
            return ToolResult(tools_market.review_sentiment(self.rooms, None, goods))
        found = tools_market.review_sentiment(self.rooms, self._members(definition), goods)
        return ToolResult((self._segment_evidence("review_sentiment", definition), *found), definition)

    def plan_strategy(
        self,
        definition: Node,
        goal: str | None = None,
        budget: float | None = None,
        top: Top | None = None,
        margin: Margin | None = None,
        discount: Discount | None = None,
    ) -> ToolResult:
        """A marketing strategy for a segment: objective, offer, channel, timing, budget split, expected
        response with an interval, holdout. Every figure is computed. margin, discount: instead of the workspace's margin,
        and of the discount that the members' habits suggest. With the goal acquire_lookalikes it is for the
        customers nearest to the segment, who then are the segment: `top` of them, by default as many as still are
        alike, as measured."""
        definition, strategy = self._planned(definition, goal, budget, top, Terms(margin, discount))
        currency = self.rooms.workspace.settings.currency
        notes = (*strategy.notes("en", currency), *strategy.notes("zh", currency))
        evidence = Evidence("", "plan_strategy", strategy.figures(), tuple(strategy.rows()), notes)
        return ToolResult(
            (self._segment_evidence("plan_strategy", definition), evidence), definition, strategy
        )

    def assign_holdout(
        self,
        definition: Node | None = None,
        name: str | None = None,
        share: float | None = None,
        plan: str | None = None,
        goal: str | None = None,
        budget: float | None = None,
        margin: Margin | None = None,
        discount: Discount | None = None,
    ) -> ToolResult:
        """Run a campaign on a segment as an A/B test: assign its customers to contact and holdout (share, 0..1),
        balanced and stable, and save the experiment under a name. Of a plan, which is named by `plan` (a saved one,
        whose segment then counts) or meant by its goal, budget, margin and discount: take the customers that it chose, its
        holdout and its primary metric."""
        rooms = self.rooms
        if plan is not None:
            planned = Strategy.restored(rooms.plans.load(plan))
            definition = None if planned.definition is None else from_json(planned.definition)
        elif definition is None:
            raise UserError(
                "assign_holdout: give a definition, or in `plan` the name of a saved plan.",
                "assign_holdout：请给出 definition，或在 plan 中给出已保存方案的名称。",
            )
        elif goal is not None or budget is not None:
            definition, planned = self._planned(definition, goal, budget, terms=Terms(margin, discount))
        else:
            members = self._members(definition)
            return self._told(
                campaign_tools.assign_holdout(rooms, members, definition, name, share), definition
            )
        told = campaign_tools.assign_plan(rooms, planned, definition, name, share)
        return self._told(told, definition)

    def measure_campaign(self, name: str | None = None) -> ToolResult:
        """How an experiment or a past campaign did: difference between the arms with its interval, by stratum,
        profit, verdict. Without a name: the newest experiment."""
        return self._told(campaign_tools.measure_campaign(self.rooms, name))

    def compare_plans(
        self,
        definition: Node,
        budget: float,
        goal: str | None = None,
        before: float | None = None,
        margin: Margin | None = None,
        discount: Discount | None = None,
        margin_before: Margin | None = None,
        discount_before: Discount | None = None,
    ) -> ToolResult:
        """A plan for a segment with another budget, margin or discount beside the one before: every difference. before,
        margin_before, discount_before: what that one had."""
        whom = campaign_tools.target(self.rooms, self._members, definition, goal, None)
        spent = before if before is not None else campaign_tools.DEFAULT_BUDGET
        first, second = (spent, Terms(margin_before, discount_before)), (budget, Terms(margin, discount))
        told, plan = campaign_tools.compare_terms(self.rooms, whom, goal, first, second)
        return replace(self._told(told, whom.definition), strategy=plan)

    def backtest_strategy(self, definition: Node) -> ToolResult:
        """Back-test before sending: the segment and its expected response rebuilt at past dates, and what came."""
        return self._told(campaign_tools.backtest_strategy(self.rooms, definition), definition)

    def dial_lookalikes(self, definition: Node) -> ToolResult:
        """How much like a segment its nearest customers are, by the size of the audience (measured lift). Of lookalikes:
        of the segment that they are like."""
        # Lookalikes are near each other by construction: to hide half of them would measure nothing.
        if isinstance(definition, SimilarityCondition) and definition.segment is not None:
            definition = definition.segment
        return self._told(campaign_tools.dial_lookalikes(self.rooms, self._members(definition)), definition)

    def write_copy(
        self,
        definition: Node,
        goal: str | None = None,
        budget: float | None = None,
        margin: Margin | None = None,
        discount: Discount | None = None,
    ) -> ToolResult:
        """The brief for marketing copy of a segment's campaign (occasion, products, discount: nothing else may be
        said); in a conversation the language model writes subject line, body and SMS from it in two variants."""
        definition, strategy = self._planned(definition, goal, budget, terms=Terms(margin, discount))
        return ToolResult((campaign_tools.copy_brief(strategy),), definition, strategy)

    def save_plan(
        self,
        definition: Node,
        name: str,
        goal: str | None = None,
        budget: float | None = None,
        top: Top | None = None,
        margin: Margin | None = None,
        discount: Discount | None = None,
    ) -> ToolResult:
        """Save a segment's campaign plan under a name, with Markdown, HTML and JSON files of it. top (of lookalikes),
        margin, discount: as in `plan_strategy`."""
        definition, strategy = self._planned(definition, goal, budget, top, Terms(margin, discount))
        told = campaign_tools.save_plan(self.rooms, strategy, definition, name)
        return ToolResult((told.evidence,), definition, strategy, told.texts)

    def list_plans(self) -> ToolResult:
        """List the saved campaign plans with goal and budget."""
        return self._told(tools_plans.list_plans(self.rooms))

    def open_plan(self, name: str) -> ToolResult:
        """Show a saved campaign plan as it was made; its segment is the current one then."""
        plan = tools_plans.saved_plan(self.rooms, name)
        told = tools_plans.open_plan(self.rooms, name, plan)
        return replace(self._told(told, tools_plans.segment_of(plan)), strategy=plan)

    def compare_saved_plans(
        self,
        name: str,
        other: str | None = None,
        definition: Node | None = None,
        goal: str | None = None,
        budget: float | None = None,
        margin: Margin | None = None,
        discount: Discount | None = None,
    ) -> ToolResult:
        """A saved campaign plan beside another saved one, or beside the plan for a segment with a goal and a budget:
        every difference."""
        first = tools_plans.saved_plan(self.rooms, name)
        if other is not None:
            second = tools_plans.saved_plan(self.rooms, other)
        elif definition is not None:
            definition, second = self._planned(definition, goal, budget, terms=Terms(margin, discount))
            second = replace(second, definition=to_json(definition))
        else:
            raise UserError(
                "compare_saved_plans: give `other`, the name of a saved plan, or a definition.",
                "compare_saved_plans：请给出 other（已保存方案的名称）或 definition。",
            )
        return self._told(tools_plans.compare_saved_plans(self.rooms, name, first, other, second))

    def _other_reading(self, alternative: Node | None) -> tuple[Evidence, ...]:
        if alternative is None:
            return ()
        size = self._shown(alternative)
        figures = (
            Figure("other_size", size, "customers", "customers, read the other way", "另一种读法的客户数"),
            Figure("other_en", self._words(alternative), "text", "other reading", "另一种读法"),
            Figure("other_zh", self._words(alternative, "zh"), "text", "other reading", "另一种读法"),
        )
        return (Evidence("", "other_reading", figures),)

    def _planned(
        self,
        definition: Node,
        goal: str | None,
        budget: float | None,
        top: int | None = None,
        terms: Terms = NO_TERMS,
    ) -> tuple[Node, Strategy]:
        """A plan, and whom it is for."""
        whom = campaign_tools.target(self.rooms, self._members, definition, goal, top)
        return whom.definition, self.rooms.strategy(whom.members, goal, budget, whom.acquisition, terms)

    def _told(self, told: campaign_tools.Told, definition: Node | None = None) -> ToolResult:
        segment = () if definition is None else (self._segment_evidence(told.evidence.tool, definition),)
        return ToolResult((*segment, told.evidence), definition, texts=told.texts)

    def compare_segments(self, definition: Node, other: Node, name: str) -> ToolResult:
        """Compare the current segment with another: sizes, overlap, and the conditions that differ."""
        rooms = self.rooms
        mine, theirs = (set(rooms.audiences.members(node)) for node in (definition, other))
        both = rooms.disclosure.shown_both(definition, other)
        figures = [
            *self._size_figures(definition),
            Figure(
                "other_size",
                self._shown(other),
                "customers",
                f"customers in {name}",
                f"“{name}”的客户数",
            ),
            Figure("overlap", both, "customers", "customers in both", "两者共有客户"),
        ]
        exact = rooms.disclosure.margin is None
        if exact and all(isinstance(figure.value, int) for figure in figures if figure.unit == "customers"):
            jaccard = len(mine & theirs) / len(mine | theirs) if mine | theirs else 0.0
            figures.append(
                Figure("jaccard", jaccard, "share", "overlap of either (Jaccard)", "重叠度(Jaccard)")
            )
        added, removed = difference(other, definition)
        rows = [
            {"only": only, "words": self._words(node), "words_zh": self._words(node, "zh")}
            for only, nodes in (("here", added), (name, removed))
            for node in nodes
        ]
        return ToolResult((Evidence("", "compare_segments", tuple(figures), tuple(rows)),), definition)

    def trend_segment(self, definition: Node) -> ToolResult:
        """How the size of a segment moved over the last year, a point every thirty days, and whether it jumped."""
        return self._about(definition, audience.trend_segment(self.rooms, definition))

    def diff_segment(self, definition: Node, earlier: date, later: date | None = None) -> ToolResult:
        """Who entered a segment and who left it between two dates (later: by default the date of the data): how many did
        and how many stayed, both sizes, and how all customers grew meanwhile."""
        return self._about(definition, audience.diff_segment(self.rooms, definition, earlier, later))

    def breakdown_segment(self, definition: Node, feature: str) -> ToolResult:
        """Count a segment by the values of one feature (age, favourite_department, spend_365d ...), beside everyone."""
        return self._about(definition, audience.breakdown_segment(self.rooms, definition, feature))

    def estimate_segment(self, definition: Node, share: Share | None = None) -> ToolResult:
        """Estimate a segment's size from a sample of the customers (share of them, by default 5 %), with its 95 % interval,
        the sample's size and that of all: for very large data, where to count takes long."""
        return ToolResult((audience.estimate_segment(self.rooms, definition, share),), definition)

    def count_part(self, definition: Node, part: Node) -> ToolResult:
        """How many customers of a segment meet one more condition (part), as a share of the segment and beside the share
        of everyone; the segment stays as it is."""
        return self._about(definition, audience.count_part(self.rooms, definition, part))

    def profile_times(self, definition: Node) -> ToolResult:
        """When a segment shops: the shares of its orders by day of the week and time of the day, beside everyone's."""
        return self._about(definition, audience.profile_times(self.rooms, self._members(definition)))

    def profile_places(self, definition: Node) -> ToolResult:
        """Where a segment shops: the shares of its orders by store or channel, beside everyone's."""
        return self._about(definition, tools_habits.profile_places(self.rooms, self._members(definition)))

    def profile_goods(self, definition: Node) -> ToolResult:
        """What a segment spends most on: the shares of its spend by category, beside everyone's."""
        return self._about(definition, tools_habits.profile_goods(self.rooms, self._members(definition)))

    def explain_membership(self, definition: Node, customer: str) -> ToolResult:
        """Why one customer, given by the retailer's own id, is in a segment, or which conditions are missing."""
        return self._about(definition, audience.explain_membership(self.rooms, definition, customer))

    def overlap_segments(self) -> ToolResult:
        """How the saved segments overlap: customers in both, Jaccard, near-duplicates, most alike first."""
        return ToolResult((audience.overlap_segments(self.rooms),))

    def find_duplicates(self, definition: Node) -> ToolResult:
        """Which saved segments are nearly the same as this one, saved or not: customers in both, Jaccard, near-duplicates
        first, then the most alike."""
        return self._about(definition, audience.find_duplicates(self.rooms, definition))

    def save_segment(self, definition: Node, name: str) -> ToolResult:
        """Save the current segment under a name."""
        saved = self.rooms.library.save(name, canonical(definition))
        figures = (
            Figure("name", saved.name, "text", "segment", "分群"),
            Figure("version", saved.version, "count", "version", "版本"),
            *self._size_figures(definition),
        )
        return ToolResult((Evidence("", "save_segment", figures),), definition)

    def list_segments(self) -> ToolResult:
        """List the saved segments with their sizes."""
        rows = tuple(
            {
                "name": s.name,
                "version": s.version,
                **self._listed_size(s.definition),
                "words": self._words(s.definition),
                "words_zh": self._words(s.definition, "zh"),
            }
            for s in self.rooms.library.all()
        )
        figures = (Figure("segments", len(rows), "count", "saved segments", "已保存分群"),)
        return ToolResult((Evidence("", "list_segments", figures, rows),))

    def delete_segment(self, name: str) -> ToolResult:
        """Delete a saved segment by its name. Customer data is never deleted."""
        self.rooms.library.delete(name)
        return ToolResult(
            (Evidence("", "delete_segment", (Figure("name", name, "text", "deleted", "已删除"),)),)
        )

    def open_segment(self, name: str) -> ToolResult:
        """Make a saved segment the current one."""
        return self.show_segment(self.rooms.library.get(name).definition)

    def _about(self, definition: Node, evidence: Evidence) -> ToolResult:
        return ToolResult((self._segment_evidence(evidence.tool, definition), evidence), definition)

    def _shown(self, definition: Node) -> int | str:
        """A segment's size as a chat may see it: held back where it is, or would tell of, too small a group."""
        return self.rooms.disclosure.shown(definition)

    def _listed_size(self, definition: Node) -> dict[str, str]:
        """For the list of saved segments, which one broken segment must not take away."""
        try:
            size = str(self._shown(definition))
            return {"size": size, "size_zh": size}
        except UserError as error:
            return {"size": str(error), "size_zh": error.zh}

    def _size_figures(self, definition: Node) -> tuple[Figure, ...]:
        population, size = self.rooms.audiences.population, self._shown(definition)
        margin = self.rooms.disclosure.margin
        figures = [Figure("size", size, "customers", "customers", "客户数")]
        if isinstance(size, int) and margin is not None:
            edges = max(0, size - margin), size + margin
            figures = [Figure("size", size, "customers", "customers", "客户数", *edges, LEVEL)]
        if isinstance(size, int):
            share = size / population if population else 0.0
            figures.append(Figure("share", share, "share", "of all customers", "占全部客户"))
        return (*figures, Figure("population", population, "customers", "customers in all", "客户总数"))

    def _words(self, node: Node, language: Language = "en") -> str:
        return explain(node, self.rooms.warehouse.catalogue, language, self.rooms.workspace.settings.currency)

    def _members(self, definition: Node) -> list[str]:
        members = self.rooms.audiences.members(definition)
        smallest = self.rooms.disclosure.k
        if len(members) < smallest:
            raise DefinitionError.of(Issue("too_few", smallest=smallest))
        self.rooms.disclosure.check(members)
        return members

    def _segment_evidence(self, tool: str, definition: Node) -> Evidence:
        words = (
            Figure("definition_en", self._words(definition), "text", "definition", "定义"),
            Figure("definition_zh", self._words(definition, "zh"), "text", "definition", "定义"),
            Figure("as_of", self.rooms.warehouse.as_of.isoformat(), "date", "as of", "截至"),
            *self._doubts(definition),
        )
        return Evidence("", tool, (*self._size_figures(definition), *words))

    def _doubts(self, definition: Node) -> tuple[Figure, ...]:
        """How far the uplift may be believed that the definition asks for; nothing where it asks for none."""
        asked = dict.fromkeys(
            c.campaign for c in every_condition(definition) if isinstance(c, UpliftCondition)
        )
        said = [self.rooms.uplift.doubts(campaign) for campaign in asked]
        if not said:
            return ()
        label = "how far the uplift may be believed", "增益的可信程度"
        return (
            Figure("doubts_en", " ".join(said), "text", *label),
            Figure("doubts_zh", "".join(each.zh for each in said), "text", *label),
        )


__all__ = ["EVERYONE", "ToolResult", "Tools"]
