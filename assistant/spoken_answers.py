"""What a message asks of the answer that was shown last, where it says nothing else: in fewer words, why, save it."""

from __future__ import annotations

import re

from assistant.back import bare
from assistant.linking.numbers import SIGN, ZH_NUMBER, to_number
from assistant.spoken_requests import POLITE, POLITE_ZH, THEM, THEM_ZH

SMALLEST_BUDGET = 100.0
"""A smaller number after a plan is a share or a place in a list as often as money."""
_COPY = r"(?:it|them|this|that|the (?:e-?mail|copy|text|sms|message))"
_A_BIT = r"(?:a (?:bit|little) |much |down )?"
_SHORTER = re.compile(
    rf"{POLITE}(?:(?:make|keep|write|cut) {_COPY} {_A_BIT})?"
    r"(?:shorter|(?:more )?(?:concise|brief)|snappier|tighter)(?: (?:version|one|please|again))*(?:,? please)?"
    rf"|{POLITE}(?:shorten|trim|cut down|tighten)(?: {_COPY})?(?: a (?:bit|little))?(?:,? please)?"
    r"|(?:it(?:['’]s| is) )?too long"
    rf"|{POLITE_ZH}(?:把?(?:它|文案|邮件|短信))?(?:写|改|弄|说)?得?(?:更|再)?(?:短|简短|精简|简洁|简练)"
    r"(?:一些|一点儿?|些|点)?的?(?:吧|版本?|好吗)?"
    rf"|{POLITE_ZH}太长了?|{POLITE_ZH}(?:缩短|精简)(?:一下|一点|些)?",
    re.IGNORECASE,
)
_THAT = r"(?:that|this|it|these|those)"
_WHY = re.compile(
    rf"{POLITE}(?:but )?(?:why(?: (?:is|was) {_THAT}(?: so)?| so)?|how come"
    rf"|how (?:do|did) you (?:know|get|find|work)(?: {_THAT})?(?: out)?"
    rf"|(?:what|which) (?:is|was) {_THAT} based on|based on what|on what basis"
    rf"|where (?:does|did|do) {_THAT}(?: \w+)? come from|what makes you (?:say|think) (?:that|so))"
    rf"|{POLITE_ZH}(?:这)?(?:是)?(?:为什么|为啥|为何|怎么得出(?:来)?的|怎么来的|依据(?:是)?什么|有什么依据"
    r"|凭什么(?:这么说)?|根据(?:是)?什么|何以见得)(?:呢|这么说)?",
    re.IGNORECASE,
)
_SAVE_IT = re.compile(
    rf"{POLITE}(?:save|keep|store) (?:it|this|that)(?: one)?(?: (?:please|as|under|for later)\b.*)?"
    rf"|{POLITE_ZH}把?(?:它|这个|这份)?(?:保存|存)(?:一下|下来|起来|好|为|成)?(?:(?!分群|人群|客户).)*",
    re.IGNORECASE,
)

_LEAVE_OUT = re.compile(
    rf"{POLITE}(?:leave|keep|take|cut) {THEM} out"
    r"(?: of (?:the |this |that |our |any )?(?:campaign|plan|mailing|it|list|offer)s?)?(?:,? please)?"
    rf"|{POLITE}(?:exclude|skip|omit|don['’]?t (?:contact|mail|include)) {THEM}"
    r"(?: (?:from|in) (?:the |this |that |our |any )?(?:campaign|plan|mailing|list|offer)s?)?(?:,? please)?"
    rf"|{POLITE_ZH}(?:活动|方案|营销|名单)?(?:里|中)?(?:把|将)?{THEM_ZH}(?:从(?:活动|方案|名单|营销)(?:里|中)?)?"
    r"(?:都|全部)?(?:排除|剔除|去掉|除外|排除在外)(?:掉|出去)?(?:吧|了)?"
    rf"|{POLITE_ZH}(?:活动|方案)?(?:不要|别)(?:发给|联系|包括|包含|打扰){THEM_ZH}",
    re.IGNORECASE,
)


def spoken_leave_out(message: str) -> bool:
    """Whether a message leaves the current segment out of a campaign."""
    return _LEAVE_OUT.fullmatch(bare(message)) is not None


_INSTEAD = r"(?:about |if (?:it (?:is|was|were)|we (?:had|have|spent)|i (?:had|have)) |with |for |at )*(?:only |just )?"
_BUDGET = re.compile(
    rf"{POLITE}(?:and |but |then |what |how )*{_INSTEAD}{SIGN}?\s?(?P<en>\d[\d,]*(?:\.\d+)?\s?k?)"
    r"(?: ?(?:dollars|usd|bucks|pounds|euros))?(?: (?:instead|then|budget))*"
    rf"|{POLITE_ZH}(?:如果|要是|换成?|改成?|预算)*(?:是|有|用|给|到)?{SIGN}?\s?(?P<zh>{ZH_NUMBER})(?:元|美元|块钱?|预算|的话)*呢?",
    re.IGNORECASE,
)


def spoken_budget(message: str) -> float | None:
    """The budget that a message asks for instead of a plan's, where it says nothing else; None for a small number."""
    match = _BUDGET.fullmatch(bare(message))
    value = to_number(match["en"] or match["zh"]) if match else 0.0
    return value if value >= SMALLEST_BUDGET else None


def spoken_shorter(message: str) -> bool:
    """Whether a message asks for the same in fewer words."""
    return _SHORTER.fullmatch(bare(message)) is not None


def spoken_why(message: str) -> bool:
    """Whether a message asks what the last answer rests on, and nothing else."""
    return _WHY.fullmatch(bare(message)) is not None


def spoken_save_it(message: str) -> bool:
    """Whether a message saves what was shown last, without saying whether that is a plan or a segment."""
    return _SAVE_IT.fullmatch(bare(message)) is not None


_VERSIONS = re.compile(
    rf"{POLITE}(?:(?:write|give|show|make|draft)(?: me)? )?(?:(?:an? )?a ?/? ?b (?:variants?|versions?)"
    r"|(?:two|2|more|other) (?:versions?|variants?)"
    r"|another (?:version|variant|one)|once more|again)(?: (?:of (?:it|them|the copy)|please))*"
    rf"|{POLITE_ZH}(?:写|给|出|来|要)?(?:a/?b)?(?:两|2|再来?|另|换)一?[个种份]?版本?(?:的?文案)?(?:吧)?|{POLITE_ZH}a/?b(?:版本?|两版)",
    re.IGNORECASE,
)


def spoken_versions(message: str) -> bool:
    """Whether a message asks for variants of the copy that was shown last, and nothing else."""
    return _VERSIONS.fullmatch(bare(message)) is not None


_LIST_OUT = re.compile(
    rf"{POLITE}(?:export|download|extract)(?: {THEM}| (?:the|this|that|my|our) (?:list|ids|customers?|segment|audience))?"
    r"(?: (?:list|ids|members))?(?: (?:as|to|in|into)(?: an?)? (?:csv|excel|xlsx|parquet|spreadsheet|file)s?(?: file)?)?"
    r"|(?:give|send|show) me (?:the|their) (?:list of )?(?:customers?|members?)?(?: ?ids| list)"
    rf"|{POLITE_ZH}(?:把|将)?(?:{THEM_ZH}|客户|名单|人群|分群)?的?(?:名单|客户|ID)?(?:导出|下载)(?:成|为|到)?(?:{THEM_ZH}|客户|名单|人群|分群)?(?:名单)?"
    r"(?:csv|excel|表格|文件)?(?:文件|格式)?(?:吧)?",
    re.IGNORECASE,
)


def spoken_list_out(message: str) -> bool:
    """Whether a message wants the customers of the current segment out of here."""
    return _LIST_OUT.fullmatch(bare(message)) is not None
