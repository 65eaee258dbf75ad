"""Short requests about the conversation's own segment and last answer, each read only where the message says nothing else:
a condition taken out by its place, the share of them who ..., what they spend, when they shop, two saved segments, the last
answer in another language."""

from __future__ import annotations

import re
from collections.abc import Collection

from assistant.back import PLACE, PLACE_ZH, bare, number_of
from assistant.naming import NAMED, names_in
from segments.explain import Language

POLITE = r"(?:please |ok(?:ay)?,? |now |no,? |and |so |(?:can|could|would) you (?:please )?)*"
POLITE_ZH = r"(?:请问?|麻烦|帮我|那|再|现在)*"
_TAKE_OUT = r"(?:remove|drop|delete|lose|forget|take (?:out|away|off)|get rid of|scrap|ditch|cancel)"
_TAKE_OUT_ZH = r"(?:去掉|删掉|删除|去除|取消|移除|撤掉|拿掉|不要)"
_CONDITION = r"(?:condition|filter|criterion|criteria|rule|requirement|restriction)"
_CONDITION_ZH = r"(?:加的)?(?:条件|限制|筛选|要求)"
_LAST = "last|latest|final|newest"
_PLACE_OF_ZH = rf"(?:最后(?:那)?一?个?|第(?:{PLACE_ZH})个?)"
_REMOVAL = re.compile(
    rf"{POLITE}{_TAKE_OUT} (?:the |that |my )?(?P<en>{_LAST}|{PLACE}) {_CONDITION}"
    r"(?: (?:again|please|(?:that )?(?:i|we|you) (?:just )?added))*"
    rf"|{POLITE_ZH}{_TAKE_OUT_ZH}(?P<zh>{_PLACE_OF_ZH}){_CONDITION_ZH}(?:吧|了)?"
    rf"|{POLITE_ZH}把(?P<zh_first>{_PLACE_OF_ZH}){_CONDITION_ZH}{_TAKE_OUT_ZH}(?:吧|了)?",
    re.IGNORECASE,
)
_GROUP = r"(?:segment|group|audience|customers|people|households|shoppers|members)"
THEM = rf"(?:them|they|these|those|(?:this|that|the|these|those) {_GROUP})"
THEM_ZH = r"(?:他们|她们|这些(?:人|客户|顾客)|这群(?:人|客户))"
_OF_THEM_ZH = rf"(?:其中|{THEM_ZH}|这个分群|该分群)(?:中|里面?|当中|之中)?"
_SHARE = re.compile(
    rf"{POLITE}(?:what|which) (?:share|percentage|percent|proportion|fraction|%) of {THEM}\b.+"
    rf"|{POLITE_ZH}{_OF_THEM_ZH}[，,]?.*"
    r"(?:占(?:了|到|比)?(?:多少|几成|多大)|占比|(?:比例|百分比)(?:是|有|为)?(?:多少|多大|多高)?|百分之(?:多少|几)|几成).*",
    re.IGNORECASE,
)
_WHEN = r"(?:when|(?:at )?what (?:times?|hours?)(?: of the day)?|(?:on )?(?:what|which) (?:week)?days?(?: of the week)?)"
_WHEN_ZH = r"(?:什么时[候间段]|几点|[周星礼][期拜]?几|哪一?天|哪些时间)"
_SHOP_ZH = r"(?:都|最|会|常|来|过来|到店|购物|购买|买|买东西|下单|消费|光顾|逛|得)"
_TIMES = re.compile(
    rf"{POLITE}{_WHEN} do {THEM}(?: (?:usually|mostly|typically|normally|tend to|like to|prefer to))*"
    r" (?:shop|buy|come|visit|order|purchase|pop|drop|turn|show)"
    r"(?: (?:in|up|by|here|from us|with us|at our (?:store|shop)s?|(?:the )?most(?: often)?|usually|mostly))*"
    r"|(?:their |the )?(?:hour|time|day|weekday)s?(?:ly| of (?:the )?(?:day|week))?(?: ?(?:/|&|and) ?(?:hour|day)s?)?"
    r" (?:profile|pattern|habit|distribution|heat ?map)s?"
    rf"|{POLITE_ZH}{THEM_ZH}?(?:一般|通常|平时|大多|多半|都|喜欢|会)*在?{_WHEN_ZH}{_SHOP_ZH}+(?:的?最?多)?的?呢?"
    rf"|{POLITE_ZH}{THEM_ZH}(?:一般|通常|平时|大多|多半|都|喜欢|会)*在?{_WHEN_ZH}{_SHOP_ZH}*(?:最?多)?的?呢?",
    re.IGNORECASE,
)
_SAVED = rf"(?:the )?(?:saved )?(?:segments? )?{NAMED}"
_SAVED_ZH = rf"(?:分群)?{NAMED}(?:分群)?"
_PAIR = re.compile(
    rf"{POLITE}compare {_SAVED} (?:with|to|and|against|vs\.?|versus) {_SAVED}|{POLITE}{_SAVED} (?:vs\.?|versus) {_SAVED}"
    rf"|{POLITE}how (?:do|does) {_SAVED} (?:compare (?:with|to|against)|differ from|overlap with|and) {_SAVED}"
    rf"(?: (?:compare|differ|overlap))?"
    rf"|{POLITE}how much (?:do|does) {_SAVED} (?:and|with|overlap with) {_SAVED}(?: overlap)?"
    rf"|{POLITE}what do {_SAVED} and {_SAVED} have in common"
    rf"|{POLITE}what (?:is|are) the (?:difference|overlap)s? (?:between|of) {_SAVED} and {_SAVED}"
    rf"|{POLITE_ZH}(?:比较|对比|比一比)(?:一下)?{_SAVED_ZH}[和与跟同、]{_SAVED_ZH}"
    rf"|{POLITE_ZH}把?{_SAVED_ZH}[和与跟同]{_SAVED_ZH}(?:相比|比较|对比|做个?对比|比一比)?(?:一下)?有?(?:什么|多少|哪些)?的?"
    r"(?:区别|差别|不同|差异|重叠|重合|交集|共同点)?(?:有?多少|是多少|多大)?",
    re.IGNORECASE,
)
_ASK_AGAIN = r"(?:say|write|give|show|repeat|tell|translate|answer) (?:me )?"
_ASK_AGAIN_ZH = (
    r"(?:请|麻烦|再|也|那|能|可以|能不能|把它|给我|换成?|改成?|翻译成?|翻成|用|来|说|写|一份|一遍|一个)"
)
_LANGUAGE = re.compile(
    rf"(?:and |now |ok(?:ay)?,? |please |(?:can|could|would) you |{_ASK_AGAIN}|(?:it|that|this|the same|them) |again )*"
    r"in(?:to)? (?P<en>chinese|mandarin|english)(?:,? please| too| as well| now| instead)*"
    rf"|(?P<version>chinese|english) (?:version|please)|{_ASK_AGAIN_ZH}*(?P<zh>中文|汉语|英文|英语)"
    r"(?:版本?|再?说?一?[遍下]|再说|回答|再?写?一?[遍封份]|表达|翻译|呢|吗|可以吗|吧|好吗)*",
    re.IGNORECASE,
)


_AMOUNT = (
    r"(?:baskets?|basket sizes?|basket values?|order sizes?|order values?|orders?|spend|spending|purchases?)"
)
_EACH = r"(?:(?:a|per|each|every) (?:month|week|year|visit|trip|order|customer)|on average|in total|with us|altogether)"
_OFTEN_ZH = r"(?:平均|人均|一般|通常|每月|每次|每年|一个月|一年|大概)"
_FIGURES = re.compile(
    rf"{POLITE}(?:what(?:['’]s| is| are)|how (?:big|large|high) (?:is|are)) (?:their|its) "
    rf"(?:average |typical |mean |median |usual )?"
    rf"{_AMOUNT}(?: {_EACH})*|{POLITE}how much do {THEM} (?:usually |normally )?(?:spend|buy)(?: {_EACH})*"
    rf"|{POLITE}how often do {THEM} (?:usually )?(?:shop|come|buy|visit|order)(?: (?:in|here|with us|from us))*"
    r"|(?:what|how much|which) (?:(?:share|percentage|percent|part|proportion) )?(?:of )?(?:our |the |total )*"
    rf"(?:revenue|sales|turnover|spend)(?: share)? (?:comes?|is|are|do|does) (?:from )?{THEM}"
    r"(?: (?:bring(?: in)?|make(?: up)?|account for|generate|have))?"
    rf"|{POLITE}(?:how do(?:es)? (?:{THEM}|that|this|it) )?compared? (?:(?:{THEM}|it) )?(?:to|with|against) "
    r"(?:everyone|everybody|all(?: customers)?|the average|the rest|others)"
    rf"|{POLITE_ZH}{THEM_ZH}?的?{_OFTEN_ZH}*的?(?:客单价|消费金?额?|花费|购物篮|订单金?额)(?:是|有|大概)*(?:多少|多大|多高)钱?"
    rf"|{POLITE_ZH}{THEM_ZH}{_OFTEN_ZH}*(?:花|消费)多少钱?|{POLITE_ZH}{THEM_ZH}{_OFTEN_ZH}*多久(?:来|买|购物|下单)一次"
    rf"|{POLITE_ZH}{THEM_ZH}?占(?:我们|全部|总)*的?(?:销售额?|收入|营业额|消费额?)的?(?:多少|几成|多大比例|百分之几)"
    r"|[和跟与](?:全体|所有人|平均水?平?|其他人|大家|整体)(?:客户|人)?(?:相比|比|比起来|对比)?(?:呢|怎么样|如何|怎样)?",
    re.IGNORECASE,
)


def spoken_figures(message: str) -> bool:
    """Whether a message asks for the main figures of the current segment: what it spends, how often, of how much."""
    return _FIGURES.fullmatch(bare(message)) is not None


_WHETHER = re.compile(rf"{POLITE}(?:do|are|have|did) {THEM} .+|{THEM_ZH}.+[吗么]", re.IGNORECASE)


def spoken_whether(message: str) -> bool:
    """Whether a message asks if they are of a kind: 'do they use coupons?'."""
    return _WHETHER.fullmatch(bare(message)) is not None


_OTHER_ONE = re.compile(
    r"(?:and |so |ok(?:ay)?,? )*(?:(?:what|how) about|and|same (?:thing )?for) .{1,60}|(?:那|那么|再看看?)?.{1,20}呢",
    re.IGNORECASE,
)


def spoken_other_one(message: str) -> bool:
    """Whether a message asks the same of something else: 'what about beer?'."""
    return _OTHER_ONE.fullmatch(bare(message)) is not None


def spoken_removal(message: str) -> int | None:
    """The place of the condition that a message takes out: from 1, or -1 for the last."""
    match = _REMOVAL.fullmatch(bare(message))
    if match is None:
        return None
    place = next(said for said in match.groups() if said).lower()
    if place in _LAST.split("|") or place.startswith("最后"):
        return -1
    return number_of(place.strip("第个"))


def spoken_share(message: str) -> bool:
    """Whether a message asks what share of them is of a kind."""
    return _SHARE.fullmatch(bare(message)) is not None


def spoken_times(message: str) -> bool:
    """Whether a message asks when they shop, and nothing else."""
    return _TIMES.fullmatch(bare(message)) is not None


def spoken_pair(message: str, segments: Collection[str]) -> tuple[str, str] | None:
    """The two saved segments that a message compares, and nothing else."""
    names, rest = names_in(bare(message), segments)
    if len(names) == 2 and all(name in segments for name in names) and _PAIR.fullmatch(rest):
        return names[0], names[1]
    return None


def spoken_language(message: str) -> Language | None:
    """The language in which a message wants the last answer again."""
    match = _LANGUAGE.fullmatch(bare(message))
    if match is None:
        return None
    said = (match["en"] or match["version"] or match["zh"]).lower()
    return "en" if said in ("english", "英文", "英语") else "zh"


_SIZE_LEFT = re.compile(
    rf"{POLITE}how many (?:are |people are |customers are |do we have )?(?:left|remain(?:ing)?|still there|now)(?: now)?"
    r"|(?:还|现在)?剩(?:下|余)?(?:了)?(?:多少|几)(?:个?人|位|名|客户)?",
    re.IGNORECASE,
)
_MEANT = re.compile(
    rf"{POLITE}what do you mean(?: by .{{1,40}})?"
    rf"|{POLITE}how (?:did you|do you|is (?:that|this|it)) (?:define[d]?|understand|read)(?: (?:that|this|it))?"
    r"|(?:什么|怎么|如何)(?:算是?|叫|定义|理解).{0,12}|.{1,12}是(?:什么意思|怎么定义的?|怎么算的)",
    re.IGNORECASE,
)


def spoken_show(message: str) -> bool:
    """Whether a message asks how many are left, or how the current segment was understood."""
    said = bare(message)
    return _SIZE_LEFT.fullmatch(said) is not None or _MEANT.fullmatch(said) is not None
