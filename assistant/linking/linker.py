"""The link stage: everything of a message that exists here, ready to be planned over."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from assistant.intents import CUES, Intents, read_intents
from assistant.linking.candidates import Candidate, Quantile, candidates, propensity_candidate
from assistant.linking.clauses import Reading, read
from assistant.linking.cues import STOP_EN
from assistant.linking.edits import Edit, propose
from assistant.linking.features import FeatureLinker
from assistant.linking.items import ItemLinker
from assistant.linking.windows import TimeMention, iter_labels
from segments.definition import EventCondition, ItemFilter, Node, Not, PropensityCondition
from segments.explain import Language
from segments.features import Catalogue
from segments.ports import TextEncoder


def is_chinese(text: str) -> bool:
    """Whether the message is written in Chinese: any Han characters, unless English words prevail."""
    han = len(re.findall(r"[一-鿿]", text))
    return han > 0 and han >= len(re.findall(r"[A-Za-z]{2,}", text)) / 2


@dataclass(frozen=True)
class Link:
    """What a message holds. `candidates` are numbered c1, c2, ... and `edits` e1, e2, ... by position.

    unknown: content words that nothing here explains. dates: calendar readings to state.
    """

    language: Language
    message: str
    candidates: tuple[Candidate, ...]
    edits: tuple[Edit, ...]
    intents: Intents
    unknown: tuple[str, ...]
    dates: tuple[str, ...]
    items: ItemFilter
    says_or: bool
    categories: tuple[str, ...] = ()

    def candidate(self, number: str) -> Candidate:
        """The candidate of an id such as 'c2'."""
        return self.candidates[int(number[1:]) - 1]

    def edit(self, number: str) -> Edit:
        """The edit of an id such as 'e1'."""
        return self.edits[int(number[1:]) - 1]


class Linker:
    """Links messages to one workspace: its catalogue, item values, feature distribution and date."""

    def __init__(
        self,
        catalogue: Catalogue,
        features: pd.DataFrame,
        item_values: dict[str, tuple[str, ...]],
        item_names: Sequence[str],
        as_of: date,
        encoder: TextEncoder | None = None,
    ) -> None:
        self.catalogue, self.as_of = catalogue, as_of
        self._table = features
        self._features = FeatureLinker(catalogue)
        self._items = ItemLinker(item_values, item_names, encoder)

    def quantile(self, feature: str, q: float) -> float:
        """The q-quantile of a feature; a negative q asks for the value of the -q-th highest customer."""
        column = self._table[feature].dropna()
        return float(column.quantile(q) if q >= 0 else column.nlargest(int(-q)).min())

    def link(self, message: str, current: Node | None = None) -> Link:
        """Link one message, given the conversation's current segment."""
        chinese = is_chinese(message)
        reading = read(_without_quotes(message), chinese, self.as_of, self._features, self._items)
        quantile: Quantile = self.quantile
        found = candidates(reading, self._features, quantile)
        numbers = [number for clause in reading.clauses for number in clause.numbers]
        times = [window for clause in reading.clauses for window in clause.windows]
        mentions = [item.items for clause in reading.clauses for item in clause.items]
        intents = read_intents(message, numbers)
        found = [candidate for candidate in found if not _is_argument(candidate, intents, message)]
        likely = _most_likely(message, reading, intents, mentions)
        if likely is not None:
            found = [c for c in found if c.reading != "top" and not _speaks_of(c.node, likely.node)]
            found.append(likely)
            intents = replace(intents, tools=tuple(t for t in intents.tools if t != "score_propensity"))
        edits = propose(reading, found, current) if current is not None else ()
        if intents.tools and not found:
            edits = tuple(edit for edit in edits if edit.kind == "remove")
        return Link(
            "zh" if chinese else "en",
            message,
            tuple(found),
            tuple(edits),
            intents,
            unknown_words(reading),
            tuple(iter_labels(_used(times, found))),
            mentions[0] if mentions else ItemFilter(),
            any("or" in clause.joins for clause in reading.clauses),
            tuple(category for items in mentions for category in items.category),
        )


_MOST_LIKELY = re.compile(
    r"\b(?:most likely|likeliest|highest (?:probability|chance|propensity|likelihood)|best chance)\b|最有可能|最可能|概率最高",
    re.IGNORECASE,
)


def _most_likely(
    message: str, reading: Reading, intents: Intents, mentions: list[ItemFilter]
) -> Candidate | None:
    """'the 10 % most likely to buy': a condition on a model's probability, not a question about it."""
    if not _MOST_LIKELY.search(message):
        return None
    outcome = intents.outcome or "purchase_30d"
    category = next((c for items in mentions for c in items.category), None)
    if category is not None and outcome != "coupon_redeem_30d":
        outcome = f"purchase_30d:{category}"
    tops = [top for clause in reading.clauses for top in clause.tops]
    return propensity_candidate(outcome, next((top.share for top in tops if top.share), None))


def _speaks_of(node: Node, likely: Node) -> bool:
    """Whether a condition only repeats what is to be predicted ('buy beer', 'redeem a coupon')."""
    return (
        isinstance(node, EventCondition)
        and isinstance(likely, PropensityCondition)
        and (
            node.event == ("coupon_redeem" if likely.outcome.startswith("coupon") else "purchase")
            and node.window.start is None
            and node.measure == "count"
        )
    )


def _is_argument(candidate: Candidate, intents: Intents, message: str) -> bool:
    """Whether the words are a tool's argument, not a condition: what will be bought, what may be spent."""
    node = candidate.node
    if not isinstance(node, EventCondition):
        return False
    if "score_propensity" in intents.tools and node.event in ("purchase", "coupon_redeem"):
        cue = CUES["score_propensity"].search(message)
        return (
            cue is not None
            and candidate.end > cue.start()
            and node.window.end == 0
            and node.measure == "count"
        )
    if "find_lookalikes" in intents.tools and not node.items and node.value == intents.top:
        return True
    if "plan_strategy" in intents.tools and node.measure == "value":
        return intents.budget is not None and node.value == intents.budget
    if "recommend_products" in intents.tools and node.event == "purchase":
        return not node.items and node.measure == "count"
    return False


def _without_quotes(message: str) -> str:
    """Names in quotes are names, not conditions: blanked, so that positions stay."""
    return re.sub(r"[\"“「《].{1,60}?[\"”」》]", lambda m: " " * len(m.group()), message)


def _used(times: list[TimeMention], found: list[Candidate]) -> list[TimeMention]:
    """The time expressions that a candidate's window comes from."""
    windows = set()
    for candidate in found:
        node = candidate.node.child if isinstance(candidate.node, Not) else candidate.node
        if isinstance(node, EventCondition):
            windows.add(node.window)
    return [time for time in times if time.window in windows]


_STOP_ZH = re.compile(
    r"[的了吗呢吧啊呀过着是在有和与及或且并又还也都就才只再把给让将被从到对于里中内外上下前后之间以及个位名家些们这那哪谁什么怎样如何多少几请帮我你他她它您"
    r"咱想要看找查列出告诉一下最近过去近所有全部客户顾客用户人群人家庭会员名单消费者购买买花费支出金额总共一共至少最多超过大于小于少于不到以上以下"
    r"年月日天周次单元块件张岁口占比率例数量平均每但却而后如果那么谢谢你好能不能可以可能需要应该现在目前其中同时另外此外此时时候比较更很非常太最"
    r"做出来去回改成换为成加上减掉留下保留只看去掉排除不要没无未从来曾经一直经常总是通常主要大多分群群体细分条件定义目标受众活动营销优惠券优惠券预算策略方案"
    r"推荐产品商品东西相似类似概率保存删除显示对比打折折扣品牌品类类别部门门店店铺订单购物下订逛街刚已经正好左右大约差不多大概]"
)
_CHATTER_EN = frozenset(
    """been being got gotten goes really quite kind sort bit bunch lot lots guys everybody someone who'd who've they've
    we've i've i'd i'll we'd that've let give gave need wanted trying try see show pull identify build create tell
    figure segment customer shopper household grab fetch whose whom at'least actually basically ones folk folks shop
    shopped bought ever just spent last total overall least most than then them each among across those these here
    right team boss meeting asked wondering curious possible wants marketing marketer email report dashboard campaign
    interested specifically specific particular following sometime once while since because though still again
    haven havent hasn didn don doesn isn aren won t s re ve ll d m it's i'm we're they're whats what's hows
    worth running run ran doing done seem seems seen look looking looked based counting counts also dept section
    aisle counter category categories products product brand recently lately somewhat pretty fairly somehow
    whatever either both whichever less more few fewer than under over bucks dollar k usd amount figure figures
    usual usually average avg mean typical typically per visit trip trips basket baskets order orders purchase
    tends tend usually prefer like likes love loves loyal best good great nice cool awesome sorry oh hmm um
    no not nope yeah yes yep only-- and/or households' within inside outside including include includes included
    plus minus without except excluding other another rest remaining whole entire full part portion half third
    quarter double triple twice once times time day days week weeks month months year years today yesterday
    tomorrow currently present date dates period window range start end begin beginning early late later earlier
    ago next upcoming coming previous prior past future any some none every all many much lot several various
    recommend suggest anybody somebody thing things bit fine point certain own owns owned living live lives home house houses place group groups kind kinds type types sort sorts
    set sets number numbers count size sized big bigger biggest small smaller smallest high higher highest low
    lower lowest top bottom upper heavy light moderate medium long short new newer newest old older oldest
    """.split()
)


def unknown_words(reading: Reading) -> tuple[str, ...]:
    """Content words outside everything that was understood: what the data may not have."""
    rest = reading.unclaimed()
    for cue in CUES.values():
        rest = cue.sub(lambda match: " " * len(match.group()), rest)
    if reading.chinese:
        pieces = re.findall(r"[一-鿿]{2,}", _STOP_ZH.sub(" ", rest))
        return tuple(dict.fromkeys(pieces))
    words = re.findall(r"[a-z][a-z'-]{2,}", rest.lower())
    return tuple(dict.fromkeys(w for w in words if w not in STOP_EN and w not in _CHATTER_EN))
