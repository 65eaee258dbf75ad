"""Edits that a message may ask of the current segment: add, exclude, widen, change or remove a condition."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.linking.campaigns import of_the_same
from assistant.linking.candidates import Candidate
from assistant.linking.clauses import Reading
from assistant.linking.edit_values import with_number, with_time
from assistant.linking.items import merged
from assistant.linking.ranks import Top
from assistant.linking.swaps import swaps
from assistant.linking.topics import on_topic, topics
from segments.catalogue import PARTS
from segments.definition import (
    AllOf,
    AnyOf,
    Condition,
    EventCondition,
    FeatureCondition,
    Node,
    Not,
    PropensityCondition,
    RankCondition,
    SimilarityCondition,
    UpliftCondition,
    Window,
    conditions,
    top_level,
)
from segments.edit import add, affirmed, change, either, fewer_of, negate_at, remove, same_subject
from segments.errors import DefinitionError

SWAP, TOP = "swap", "top"
"""Begin the sources of edits that a message settles."""
NUMBER, TIME = "number", "time"
"""Begin the sources of edits that put another number or time into a condition."""
CLAUSES = "clauses"
"""The source of an edit that is every clause's of a message."""


@dataclass(frozen=True)
class Edit:
    """One edit: `kind` is add, widen, change or remove; `target` what is changed or removed.

    Edits with the same `source` are readings of the same words: at most one of them is meant.
    """

    kind: str
    node: Node | None = None
    target: Node | None = None
    reading: str = ""
    source: str = ""

    @property
    def settled(self) -> bool:
        """Whether its message leaves no choice: what goes and what comes were both said, or how many of the ranked."""
        return self.ranks or self.source.startswith(SWAP)

    @property
    def ranks(self) -> bool:
        """Whether it says how many of the ranked."""
        return self.source.startswith(TOP)

    @property
    def values(self) -> bool:
        """Whether it puts another number or time into a condition that is there, or was read clause by clause."""
        return self.kind == "change" and self.source.startswith((NUMBER, TIME, CLAUSES))

    def apply(self, definition: Node) -> Node:
        """The definition after the edit."""
        if self.kind == "add" and self.node is not None:
            return add(definition, self.node)
        if self.kind == "widen" and self.node is not None:
            return either(definition, self.node)
        if self.kind == "change" and self.node is not None and self.target is not None:
            return change(definition, self.target, self.node)
        if self.kind == "remove" and self.target is not None:
            return remove(definition, self.target)
        return definition


_REMOVE = re.compile(
    r"\b(?:drop|remove|forget(?: about)?|get rid of|scrap|lose|bin|axe|ignore|take out|take away|cancel|no need for|delete|ditch|undo)\b"
    r"|\bwithout the\b|\b(?:take|leave|get)\b[^.?!]{0,25}\bout\b|去掉|删掉|删除|取消|不用管|不考虑|移除|忽略|不限|撤掉|去除|拿掉|放掉|松掉|不卡|别管|不要(?=[^，。；]{1,10}(?:条件|限制|要求|筛选))",
    re.IGNORECASE,
)
_CONDITION_WORD = re.compile(
    r"condition|filter|criteri|rule|requirement|part|bit|restriction|条件|限制|要求|筛选", re.IGNORECASE
)
_EXCLUDE = re.compile(
    r"\bexclud|\bexcept|\bbut not\b|\b(?:drop|remove|kick out|take out|leave out|lose)\b[^.?!]{0,12}\b(?:those|people|anyone|everyone|customers|shoppers|households|who)\b|\bwho\b[^.?!]{3,40}(?:, (?:also )?|\b(?:are|is|go) (?:also )?)out\W*$|排除|剔除|除去|除了",
    re.IGNORECASE,
)
_WIDEN = re.compile(
    r"^\W*or\b|\b(?:also include|include also|as well\b|too\b|or (?:those|people|customers|anyone|who)|add (?:in )?(?:those|people|anyone|customers) who|plus (?:those|people|anyone)"
    r"|and also (?:those|people)|widen|broaden|expand)|也(?:算|包括|加|要)|或者|扩大|放宽|加上那些|还包括",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(r"^\W*or\b|\b(?:too|as well|also)\b|也(?:算|要|加|包括)", re.IGNORECASE)
"""'June and August count too', '5月的也要': another time beside the one that is there, not in its place."""
_NARROW = re.compile(
    r"\b(?:they|who|those)\b[^.?!]{0,8}\b(?:need|must|should|have to|ought|got to)\b|[也还都]得(?!到)|\b(?:keep (?:just|only)|(?:just|only) keep|retain|narrow|(?:just|only) (?:the ones|those|people|customers|shoppers)|(?:of|among|amongst|from|within) (?:those|these|them))\b"
    r"|只(?:要|留|看|保留)|保留|其中|这(?:些|批)人?(?:里|中)",
    re.IGNORECASE,
)
"""'Keep just those who bought snacks too' lets nobody in."""
_CHANGE = re.compile(
    r"\b(?:make (?:it|that|this|them)|change|instead|rather|switch|replace|update|what about|how about|i meant?|sorry|set (?:it|that)|actually|same(?: thing| again)?,? but|raise|lower|bump|increase|reduce|swap|extend|shorten)\b"
    r"|^\s*(?:那就?|就|请|改)*用(?=前|排名前|最高)|不对|我是说|改成|改为|换成|换为|调整|调到|提高到|降到|改到|变成|放宽到|缩短|延长|而不是",
    re.IGNORECASE,
)


_NEVER_OUT = re.compile(
    r"\b(?:drop|remove|exclud\w+|(?:leave|kick|take|throw) out|get rid of|lose|cut|but not)\s+(?:all |any ?(?:of )?)?(?:the )?(?:anyone|anybody|everyone|those|people|customers|shoppers|households|ones|buyers|one|body)\s+"
    r"(?:who|that)(?:['’](?:s|ve|d)| has| have| had| did| do| does)?\s*(?:never|not|n['’]?t|(?:has|have|did|does|do)n['’]?t)\b"
    r"|(?:从来?没有?|没有?|未)[^，,。；;]{1,12}(?:的|者)(?:人|客户|顾客|那些|那批)?(?:都|全|统统)?(?:去掉|剔除|剔掉|剔了|排除|踢掉|踢出去|删掉|刨掉|筛掉|不要(?![^，。]*(?:删|动|去掉|剔|排除|踢)))",
    re.IGNORECASE,
)
"""'Drop anyone who's never redeemed a coupon' keeps who did."""
_DO_NOT = re.compile(
    r"\b(?:don['’]?t|do not|never mind|no need)\b|^\W*(?:请|先)?(?:别|不要|不用|无需)", re.IGNORECASE
)
_EACH = re.compile(
    r"\b(?:on|for) both\b|\bboth (?:of them|times|windows|periods)\b|\ball of (?:it|them)\b|\bthe whole thing\b|\bthroughout\b"
    r"|(?:两个|两边|俩)(?:条件|时间)?都|时间都|全都?(?:改|按|换)|统一|一律(?:改|按|换)",
    re.IGNORECASE,
)
"""'90 days on both': the time of every condition that has one."""
_TIMELESS = re.compile(
    r"\b(?:drop|remove|take off|lose|forget|without|ignore|no)\b[^.?!]{0,15}\b(?:time|date|window|period)\b"
    r"|不限时间|时间不限|(?:去掉|取消)时间",
    re.IGNORECASE,
)
_ALLOW = re.compile(
    r"\b(?:include|allow|bring back|let|put back|after all)\b|也要|加回|恢复|包括", re.IGNORECASE
)
_ALL = r"(?:all (?:of )?(?:the |our |my )?(?:customers|shoppers|people|households)|everyone|everybody|the (?:whole|entire) base)"
_START_OVER = re.compile(
    r"\b(?:start(?:ing)? over|new segment|from scratch|forget (?:all|everything) (?:that|this)?|fresh start|different (?:question|segment))\b"
    rf"|^\s*(?:(?:and|now|ok(?:ay)?|then|but),? )*(?:of|among(?:st)?|out of|from) {_ALL}\s*[,:]|[,;]? (?:among(?:st)?|out of) {_ALL}\s*[?.!]*$"
    r"|^\s*(?:那|现在)?(?:在|从)?(?:所有|全部|全体)(?:客户|顾客|人)(?:中|里|之中|当中)"
    r"|重新来|重来|从头(?!到尾)|换一个|另一个分群|新的分群",
    re.IGNORECASE,
)


_PEOPLE = r"(?:customers?|shoppers?|people|persons?|ppl|folks?|households?|famil(?:y|ies)|clients?|buyers?|members?|users?|everyone|everybody|anyone|anybody)"
_ALONE = re.compile(
    r"^\W*(?:(?:please|pls|kindly|now|ok(?:ay)?|right|next|then|well|hi|hey|so)\W+)*"
    r"(?:(?:can|could|may) (?:i|we|you) (?:please )?(?:see |have |get |find |show |give |list |pull )+(?:me |us )?|(?:i|we)(?:['’]d| would)? (?:want|need|like|am after|are after) (?:to see )?"
    r"|i['’]?m (?:after|looking for) |(?:give|show|find|get|list|pull|fetch|send)(?: up)? (?:me |us )?|(?:who are|which) )*"
    rf"(?:(?:all|any|the|our|every)(?: of)? )*(?:[\w-]+ ){{0,2}}?{_PEOPLE},? (?:who|that|which|whose|of(?! (?:them|these|those))|with|over|under|above|below|aged?|in|having|buying|between|from|living|without|not|spending|shopping)\b.{{8,}}"
    rf"|^[^，,。；;]*(?:[，,][^，,。；;]*)*(?:的|家庭)(?:客户|顾客|会员|人|人群|家庭|用户|客人|消费者|群体|买家)?(?<=客户|顾客|会员|人群|家庭|用户|客人|群体|买家)[。！!\s]*$"
    r"|^[^，,。；;]*(?:[，,][^，,。；;]*)*的(?:人|消费者)[。！!\s]*$",
    re.IGNORECASE,
)
_ON_IT = re.compile(
    r"\b(?:them|(?:these|those)(?! (?:\d|(?:same )?(?:days|weeks|months)))|also|too|as well|only|just|instead|rather|same|keep|drop|exclud\w+|remove|leave|add|include|make|change|swap|switch"
    r"|narrow|widen|limit|again|any ?more|either|else|other|another|still|meant|oops|sorry|mistake|backwards|back|and not|plus|(?:this|the|that|our) (?:segment|group|list)|has to go|have to go|(?:is|are) out|can go|be ignored|should|must|both conditions)\b|^\W*(?:and|but|or|not|no|without|except|minus)\b"
    r"|其中|里[面头]|这[里些批群拨波部]|那[些批群拨波部]|[他她它]们|[再也只还仅才]|同[样时]|另外|不要|去掉|加[上入进个]|剔|排除|改|换|除[了去外]|[留保]留?[下着住]|就[行是好]|筛|减|反过来|倒过来|相反|剩|为止|说错|写错|看错|^\W*(?:加|补|外加|以及|和|或|包括)|踢|删|刨|去除|忽略|收紧|缩|限[定制]|放宽|扩|我(?:是说|说的|指)|应该是|当前|上[述面]|该[分人]|^\W*[但不而并且]",
    re.IGNORECASE,
)


def stands_alone(text: str) -> bool:
    """Whether a message names customers and describes them in full, with no word of a segment at hand: 'customers over 55
    who bought seafood last year', 上季度买牛肉花了至少80的客户."""
    return _ALONE.search(text) is not None and _ON_IT.search(text) is None


PARTS_OF_DAY = frozenset(f"{part}_share_365d" for part in PARTS)
"""Shares of orders by time: 'change that to the afternoon' swaps one for another."""


def begins_anew(text: str) -> bool:
    """Whether a message leaves the current segment and describes another: 'start over: ...'."""
    return _START_OVER.search(text) is not None


def propose(reading: Reading, found: Sequence[Candidate], current: Node) -> tuple[Edit, ...]:
    """The edits a message may mean, most specific first."""
    existing = list(conditions(current))
    if begins_anew(reading.text):
        return ()
    found = [replace(each, node=of_the_same(each.node, reading.text, existing)) for each in found]
    if len(found) == 1 and _NEVER_OUT.search(reading.text) and not _DO_NOT.search(reading.text):
        return (Edit("add", affirmed(found[0].node), None, found[0].reading, "c0"),)
    swapped = swaps(reading, [candidate.node for candidate in found], existing)
    if swapped:
        return tuple(
            Edit("change", swap.node, swap.target, source=f"{SWAP}{place}")
            for place, swap in enumerate(swapped)
        )
    among = _among(reading, found, current)
    if among is not None:
        return (Edit("change", among, current, source=TOP),)
    around = _other_way_round(reading.text, current)
    if around is not None:
        return (Edit("change", around, current, source=SWAP),)
    whole = (
        _any_of_them(reading.text, current)
        or _multiplied(reading.text, existing)
        or _picked_from(reading.text, found, existing)
    )
    if whole is not None:
        return (whole,)
    edits: list[Edit] = [*_removals(reading, found, existing), *_allowed_again(reading, found, current)]
    if edits:
        spoken = [edit.target for edit in edits]
        found = [c for c in found if not any(_same_words(c.node, target) for target in spoken)]
    changing = bool(_CHANGE.search(reading.text)) or (not found and not edits)
    if changing and not edits:
        edits += _resized(reading, existing)
        if edits:
            return _unique(edits)
    wider = _WIDEN.search(reading.text) is not None and _ALTERNATIVE.search(reading.text) is not None
    if (changing or not found) and not edits and not wider:
        retimed = list(_retimed(reading, found, existing, changing))
        edits += _on_each(retimed, current) if _EACH.search(reading.text) else retimed
    if (
        edits
        and found
        and all(isinstance(affirmed(c.node), EventCondition) and not _leaf_items(c.node) for c in found)
    ):
        return _unique(edits)
    negated = {part.child for part in top_level(current) if isinstance(part, Not)}
    for i, candidate in enumerate(found):
        # 'of those who did not buy lately, who spent ...' speaks of another thing than the negation.
        alike = [c for c in existing if (c in negated) == isinstance(candidate.node, Not)]
        edits += _for_candidate(candidate, reading, alike, changing, f"c{i}")
    return _unique(edits)


def _same_words(node: Node, target: Node | None) -> bool:
    """Whether a candidate only names what an edit already takes out."""
    leaf = affirmed(node)
    out = affirmed(target) if target is not None else None
    if out is None or isinstance(out, AllOf | AnyOf | Not) or isinstance(leaf, AllOf | AnyOf | Not):
        return False
    return same_subject(out, leaf) or _shares_items(out, leaf)


def _allowed_again(reading: Reading, found: Sequence[Candidate], current: Node) -> Iterator[Edit]:
    """'include the beer drinkers after all': an exclusion taken back."""
    if not _ALLOW.search(reading.text):
        return
    for part in top_level(current):
        if isinstance(part, Not):
            for candidate in found:
                if _same_words(candidate.node, part):
                    yield Edit("remove", target=part, source=repr(part))


def _unique(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    return tuple(dict.fromkeys(edit for edit in edits if edit.node != edit.target))[:6]


def _leaf_items(node: Node) -> bool:
    leaf = affirmed(node)
    return isinstance(leaf, EventCondition) and bool(leaf.items)


def _removals(reading: Reading, found: Sequence[Candidate], existing: Sequence[Condition]) -> Iterator[Edit]:
    """'drop the soup condition', 'forget about age': the existing condition on the same subject."""
    text = reading.text
    named = bool(_CONDITION_WORD.search(text))
    if not _REMOVE.search(text) and not (named and _EXCLUDE.search(text)):
        return
    if not named and re.search(
        r"\b(?:drop|remove)\b[^.?!]{0,12}\b(?:those|people|anyone|customers|who|shoppers|households)\b",
        text,
        re.I,
    ):
        return
    spoken = topics(text)
    for condition in existing:
        if on_topic(condition, spoken):
            yield Edit("remove", target=condition, source=repr(condition))
        for candidate in found:
            leaf = affirmed(candidate.node)
            fewer = _without_items(condition, leaf)
            if fewer is not None:
                yield Edit("change", fewer, condition, source=repr(condition))
            elif _names(leaf, condition):
                yield Edit("remove", target=condition, source=repr(condition))
        if isinstance(condition, FeatureCondition) and any(
            mention.feature == condition.feature or _akin(mention.feature, condition.feature)
            for clause in reading.clauses
            for mention in clause.features
        ):
            yield Edit("remove", target=condition, source=repr(condition))
        if isinstance(condition, EventCondition) and not condition.items:
            flags = {flag for clause in reading.clauses for flag in clause.flags}
            spend = condition.measure == "value" and "spend" in flags
            quiet = condition.measure == "count" and condition.event == "purchase" and "quiet" in flags
            coupon = condition.event == "coupon_redeem" and "redeem" in flags
            mail = condition.event == "exposure" and "campaign" in flags
            if spend or quiet or coupon or mail:
                yield Edit("remove", target=condition, source=repr(condition))


def _names(leaf: Node, condition: Condition) -> bool:
    """Whether a condition is spoken of: one on the same thing, unless another amount of it is said ('drop those with one
    order')."""
    amounts = [
        (each.measure, each.op, each.value) for each in (leaf, condition) if isinstance(each, EventCondition)
    ]
    plain = ("count", ">=", 1)
    other = len(amounts) == 2 and amounts[0] != plain and amounts[0][:2] != amounts[1][:2]
    return _shares_items(condition, leaf) or (same_subject(condition, leaf) and not other)  # type: ignore[arg-type]


def _without_items(condition: Condition, leaf: Node) -> EventCondition | None:
    """'beer or wine' without the wine: the condition with the items that are left, or None where none are."""
    if not (isinstance(condition, EventCondition) and isinstance(leaf, EventCondition)):
        return None
    kept = {
        name: tuple(v for v in getattr(condition.items, name) if v not in getattr(leaf.items, name))
        for name in ("department", "category", "text")
    }
    before = {name: getattr(condition.items, name) for name in kept}
    if kept == before or not any(kept.values()):
        return None
    return replace(condition, items=replace(condition.items, **kept))


def _akin(a: str, b: str) -> bool:
    return {a, b} == {"kids_count", "has_children"}


def _shares_items(condition: Condition, leaf: Node) -> bool:
    if not (isinstance(condition, EventCondition) and isinstance(leaf, EventCondition)):
        return False
    mine, theirs = condition.items, leaf.items
    return bool(
        set(mine.category) & set(theirs.category)
        or set(mine.department) & set(theirs.department)
        or set(mine.text) & set(theirs.text)
        or (set(mine.brand) & set(theirs.brand))
    )


def _retimed(
    reading: Reading, found: Sequence[Candidate], existing: Sequence[Condition], changing: bool
) -> Iterator[Edit]:
    """'make it 120 days', '$300 instead': a time or number put in place of the one that is there."""
    times = [window for clause in reading.clauses for window in clause.windows]
    numbers = [number for clause in reading.clauses for number in clause.numbers]
    if _TIMELESS.search(reading.text):
        for condition in existing:
            if isinstance(condition, EventCondition) and condition.window.start is not None:
                yield Edit("change", replace(condition, window=Window()), condition, source=repr(condition))
        return
    plain = all(not _leaf_items(c.node) for c in found)
    if not plain and not changing:
        return
    windowed = any(isinstance(c, EventCondition) and c.window.start is not None for c in existing)
    # 'change 30 days to two weeks' names what it changes.
    spoken = {time.window.start for time in times} | {number.value for number in numbers}
    named = [c for c in existing if isinstance(c, EventCondition) and c.window.start in spoken]
    if named and len(times) + len(numbers) > 1:
        existing = named
        times = [time for time in times if all(c.window != time.window for c in named)]
    # What was said last is what 'it' most often means.
    for condition in reversed(existing):
        for i, time in enumerate(times):
            new = with_time(condition, time, windowed)
            if new is not None and new != condition:
                yield Edit("change", new, condition, source=f"{TIME}{i}")
        for i, number in enumerate(numbers):
            if number.op == "between" and changing:
                # 'change 4 to 7' names the value that is there and the one that is wanted.
                if not _holds(condition, number.value) or number.high is None:
                    continue
                number = replace(number, value=number.high, op=None, high=None, unit="")
            changed = with_number(condition, number, reading.text)
            if changed is not None and changed != condition:
                yield Edit("change", changed, condition, source=f"{NUMBER}{i}")


def _on_each(edits: Sequence[Edit], current: Node) -> list[Edit]:
    """Edits that put one time into one condition or another, as edits that put it into all of them; as they were where one
    gets in another's way, or the time is taken away."""
    if not all(edit.source.startswith(TIME) for edit in edits):
        return list(edits)
    whole = dict[str, Node]()
    try:
        for edit in edits:
            whole[edit.source] = edit.apply(whole.get(edit.source, current))
    except DefinitionError:
        return list(edits)
    return [Edit("change", node, current, source=source) for source, node in whole.items()]


_OF_THEM = re.compile(
    r"\b(?:of|among|from|within) (?:them|these|those|this (?:segment|group))\b|其中|他们(?:当?中|里面?)|这些(?:人|客户)(?:中|里)",
    re.IGNORECASE,
)


def _among(reading: Reading, found: Sequence[Candidate], current: Node) -> Node | None:
    """'The top 50 of them by spend': the highest of the current segment, not those of everyone who are in it."""
    ranked = [c.node for c in found if isinstance(c.node, RankCondition) and c.node.among is None]
    if len(ranked) != 1 or len(found) != 1 or not _OF_THEM.search(reading.text):
        return None
    return fewer_of(replace(ranked[0], among=current))


_AROUND = re.compile(
    r"\W*(?:(?:no|oops|sorry|actually|wait|hm+|and|now|flip it|turn it around|i meant?|make it|give me|show me|do)\W+)*(?:the )?(?:exact(?:ly)? )?(?:other way (?:a?round|about)|opposite|reverse|vice versa)(?: please| then| of that)?\W*"
    r"|\W*(?:不对|弄反了|搞反了|说反了)?\W*(?:我?要)?(?:反过来|倒过来|相反的?|反着来|弄反了|搞反了)(?:的|吧|看看)?\W*",
    re.IGNORECASE,
)


def _other_way_round(text: str, current: Node) -> Node | None:
    """'The other way round': of two conditions of which one is an absence the other one is; of one, who does not meet it."""
    if _AROUND.fullmatch(text) is None:
        return None
    if len(top_level(current)) == 1:
        return negate_at(current, ())
    if not isinstance(current, AllOf) or [isinstance(c, Not) for c in current.children].count(True) != 1:
        return None
    return negate_at(negate_at(current, (0,)), (1,)) if len(current.children) == 2 else None


_ANY_OF_THEM = re.compile(
    r"\W*(?:(?:no|oops|sorry|actually|wait|hm+|ok(?:ay)?|well|and|but)\W+)*(?:or [a-z][\w ]{1,30}?(?:,? i mean(?:t)?)?[,;.]\W*)?"
    r"(?:(?:either|any)(?: (?:one|of (?:them|the two|those)))?(?: of (?:them|the two))? (?:is|are|will|would|can|should)(?: be)? (?:fine|ok(?:ay)?|enough|good|do|alright|all right|count)|either will do"
    r"|(?:it )?(?:need(?:n['’]?t| not)|does(?:n['’]?t| not) (?:have|need) to)(?: be)? both|one of (?:the two|them) (?:is|will be) (?:enough|fine|ok))"
    r"(?:\W+(?:it )?(?:need(?:n['’]?t| not)|does(?:n['’]?t| not) (?:have|need) to|not necessarily)(?: be)? both)?\W*"
    r"|\W*(?:不对|算了|那|其实|嗯)*\W*(?:任[一意](?:一?[个种样])?|随便(?:哪|一)[个种样]|(?:有|买过?)(?:其中)?[一1][个种样]|二选一|满足(?:其)?一(?:个|条)?)(?:就|都|即)?(?:行|可以?|好|够)?(?:了|吧)?(?:\W+(?:不用|不必|不需要|无需)(?:两[个种样]都|都|同时).{0,6})?\W*"
    r"|\W*(?:不用|不必|不需要|无需)(?:两[个种样]都|都|同时)(?:买|有|满足)过?\W*(?:(?:有|买过?)?一[个种样]就(?:行|可以|好|够))?\W*",
    re.IGNORECASE,
)
"""'Either one is fine, needn't be both', 任一即可: and nothing else."""


def _any_of_them(text: str, current: Node) -> Edit | None:
    """One of the goods that all were asked for is enough: the events of goods that are alike but for them."""
    if _ANY_OF_THEM.fullmatch(text) is None:
        return None
    goods = [part for part in top_level(current) if isinstance(part, EventCondition) and part.items]
    alike = [part for part in goods if replace(part, items=goods[-1].items) == goods[-1]]
    if len(alike) < 2:
        return None
    rest = [part for part in top_level(current) if part not in alike]
    anyone = AnyOf(tuple(alike))
    return Edit("change", AllOf((*rest, anyone)) if rest else anyone, current, source=SWAP)


_TIMES = re.compile(
    r"\W*(?:(?:please|ok(?:ay)?|actually|now|and|no|let['’]s|can you|make it)\W+)*"
    r"(?:(?P<more>double)|(?P<less>halve)) (?:it|that|them|this|the (?:number|size|list|count))(?: please)?\W*"
    r"|\W*(?:把|将|请|再)*(?:名额|人数|名单|数量|规模|个数)?(?:再|给我|都)*(?:(?P<more_zh>翻一?倍|加倍|翻一番)|(?P<less_zh>减半|砍半|砍一半))(?:吧|了|就行|即可)?\W*",
    re.IGNORECASE,
)
"""'Double it', '名额翻倍': and nothing else."""


def _multiplied(text: str, existing: Sequence[Condition]) -> Edit | None:
    """'Double the list': twice or half as many of those who are ranked, or of the similar ones."""
    said = _TIMES.fullmatch(text)
    if said is None:
        return None
    factor = 2 if said["more"] or said["more_zh"] else 0.5

    def sized(condition: Condition) -> Condition | None:
        match condition:
            case RankCondition(count=int() as count):
                return replace(condition, count=max(1, round(count * factor)))
            case RankCondition(share=float() as share):
                return replace(condition, share=min(1.0, share * factor))
            case SimilarityCondition(top=top):
                return replace(condition, top=max(1, round(top * factor)))
        return None

    return _of_the_last(existing, sized)


def _of_the_last(
    existing: Sequence[Condition], changed: Callable[[Condition], Condition | None]
) -> Edit | None:
    """The change of the ranked or similar ones that were said last, of those that it applies to."""
    for condition in reversed(existing):
        new = changed(condition)
        if new is not None:
            return Edit("change", new, condition, source=TOP)
    return None


_FROM_AMONG = re.compile(
    r"\b(?:choose|pick|draw|select)\b(?P<whom>[^.?!]{0,20}?)\b(?:only |just )?(?:from|out of|among)\s+(?!(?:them|these|those|it|this|that|the (?:list|segment|group|same))\b)"
    r"|[只就仅](?:在|从)(?!这|他|她|那|名单|其中).{1,20}(?:里面?|中间?|当中)(?:挑|选|找|取)",
    re.IGNORECASE,
)
_OTHERS = re.compile(r"\b(?:new|another|other|more|additional)\b", re.IGNORECASE)


def _picked_from(text: str, found: Sequence[Candidate], existing: Sequence[Condition]) -> Edit | None:
    """'Pick those 250 from parents only': the ranked or similar ones of those, not those of the ranked who are."""
    nodes, said = [candidate.node for candidate in found], _FROM_AMONG.search(text)
    takes_out = _EXCLUDE.search(text) or _REMOVE.search(text) or _OF_THEM.search(text)
    if not nodes or said is None or takes_out or _OTHERS.search(said["whom"] or ""):
        return None
    if any(candidate.start < said.start() for candidate in found):
        return None
    pool = nodes[0] if len(nodes) == 1 else AllOf(tuple(nodes))

    def among(condition: Condition) -> Condition | None:
        if isinstance(condition, RankCondition | SimilarityCondition) and condition.among is None:
            return replace(condition, among=pool)
        return None

    return _of_the_last(existing, among)


def _resized(reading: Reading, existing: Sequence[Condition]) -> Iterator[Edit]:
    """'use the top 5 % instead': as many of those who are ranked already, by whatever they are."""
    tops = [top for clause in reading.clauses for top in clause.tops if top.assumed]
    for place, top in enumerate(tops):
        ranked = [(c, new) for c in reversed(existing) if (new := _with_size(c, top)) is not None]
        measured = [(c, new) for c in reversed(existing) if (new := _as_rank(c, top)) is not None]
        for condition, new in (ranked or measured)[:1]:
            if new != condition:
                yield Edit("change", new, condition, source=f"{TOP}{place}")


def _with_size(condition: Condition, top: Top) -> Condition | None:
    """A condition on the highest of something, with another share or number of them."""
    match condition:
        case RankCondition():
            return replace(condition, count=top.count, share=top.share)
        case PropensityCondition(top_share=float()) | UpliftCondition(top_share=float()) if top.share:
            return replace(condition, top_share=top.share)
        case SimilarityCondition() if top.count:
            return replace(condition, top=top.count)
        case _:
            return None


def _as_rank(condition: Condition, top: Top) -> Condition | None:
    """'Big spenders' were read as a floor on what they spend: the highest by that feature."""
    if not (isinstance(condition, FeatureCondition) and condition.op in (">", ">=")):
        return None
    number = isinstance(condition.value, int | float) and not isinstance(condition.value, bool)
    return RankCondition(condition.feature, top.count, top.share) if number else None


def _holds(condition: Condition, value: float) -> bool:
    """Whether a condition compares with that value (a share also as per cent)."""
    held = getattr(condition, "value", None)
    return (
        isinstance(held, int | float) and not isinstance(held, bool) and value in (held, round(held * 100, 6))
    )


_ANEW = re.compile(
    r"\b(?:who|those|people|anyone|everyone|folks|customers|shoppers|households|buyers|bought|buys?|buying|purchas\w*|spen[dt]\w*)\b|买|购|花|的人|客|用户|那些",
    re.IGNORECASE,
)
"""Describes others ('also those who bought soup'), rather than naming more goods ('or soup')."""


_BOTH = re.compile(
    r"\b(?:must|need|only|just|both|with|cut|scrap|drop|than|too (?!$|please)\w+)\b|[都还也]得|同时|限制|只|要有|太",
    re.IGNORECASE,
)
"""Asks for both, for one alone or for less: '(only) with beer too', '也要有啤酒', 'too broad'."""


def _beside(
    leaf: Node, text: str, existing: Sequence[Condition]
) -> tuple[EventCondition, EventCondition] | None:
    """'Or baby food': the one condition on goods, and the same with these beside them; None where others are described,
    or there is no such condition, or more than one."""
    goods = [c for c in existing if isinstance(c, EventCondition) and c.items and c.event == "purchase"]
    if not isinstance(leaf, EventCondition) or leaf != EventCondition("purchase", items=leaf.items):
        return None
    if len(goods) != 1 or any(other.search(text) for other in (_ANEW, _REMOVE, _EXCLUDE, _BOTH)):
        return None
    both = merged([goods[0].items, leaf.items])
    kinds = [name for name in ("department", "category", "text", "brand") if getattr(both, name)]
    return (goods[0], replace(goods[0], items=both)) if len(kinds) == 1 else None


def _for_candidate(
    candidate: Candidate, reading: Reading, existing: Sequence[Condition], changing: bool, source: str
) -> Iterator[Edit]:
    leaf = affirmed(candidate.node)
    negative = isinstance(candidate.node, Not)
    same = next((c for c in existing if same_subject(c, leaf)), None)  # type: ignore[arg-type]
    if same is None and changing and isinstance(leaf, FeatureCondition) and leaf.feature in PARTS_OF_DAY:
        same = next(
            (c for c in existing if isinstance(c, FeatureCondition) and c.feature in PARTS_OF_DAY), None
        )
    if same is not None and (changing or not negative):
        yield Edit("change", leaf, same, candidate.reading, source)
    elif changing and isinstance(leaf, EventCondition):
        swap = next(
            (c for c in existing if isinstance(c, EventCondition) and c.items and c.event == leaf.event), None
        )
        if swap is not None:
            items = leaf.items
            if items.brand and not (items.category or items.department or items.text):
                items = replace(swap.items, brand=items.brand)
            yield Edit("change", replace(swap, items=items), swap, candidate.reading, source)
    if _WIDEN.search(reading.text) and not negative and not _NARROW.search(reading.text):
        beside = _beside(leaf, reading.text, existing)
        if beside is not None:
            yield Edit("change", beside[1], beside[0], candidate.reading, source)
        else:
            yield Edit("widen", candidate.node, None, candidate.reading, source)
    if _EXCLUDE.search(reading.text) and not negative:
        yield Edit("add", Not(candidate.node), None, candidate.reading, source)
    else:
        yield Edit("add", candidate.node, None, candidate.reading, source)
