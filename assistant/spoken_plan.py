"""What a message asks of the campaign plan that was made before, where it says nothing else: another margin or discount,
the same plan once more for the segment as it is now, the plan as a file, the result of an experiment by its name."""

from __future__ import annotations

import re
from collections.abc import Collection

from assistant.back import bare
from assistant.linking.numbers import ZH_NUMBER, to_number
from assistant.naming import NAMED, names_in
from assistant.spoken_requests import POLITE, POLITE_ZH

_PERCENT = r"(?P<n>\d{1,3}(?:\.\d+)?)\s?(?:%|percent|per cent)"
_IF = (
    r"(?:(?:and|but|then|what|how|about|if|when|assume|assuming|say|suppose|with|at|only|use|try|take|it|we|i|the|our|a|an"
    r"|my|is|was|were|had|have|has|to|set|change|make|raise|lower|increase|reduce|cut|put) )*"
)
_END = r"(?: (?:instead|then|please|now))*"
_MARGIN = re.compile(
    rf"{_IF}(?:gross )?margins? (?:(?:of|to|at|is|was|were|be|only|about|=) ?)*{_PERCENT}{_END}"
    rf"|{_IF}{_PERCENT.replace('<n>', '<before>')} (?:gross )?margin{_END}",
    re.IGNORECASE,
)
_OFFER = r"(?:offers?|discounts?|coupons?|vouchers?)"
_DISCOUNT = re.compile(
    rf"{_IF}{_OFFER}(?: (?:depth|size))? (?:(?:of|to|at|is|was|were|be|only|about|worth) )*{_PERCENT}"
    rf"(?: (?:off|discount))?{_END}"
    rf"|{_IF}(?:(?:offer|offered|offering|give|gave|giving|send|sent) )?(?:(?:them|everyone|only|just|a|an) )*"
    rf"{_PERCENT.replace('<n>', '<off>')} (?:off|discounts?|coupons?|vouchers?){_END}"
    rf"|{_IF}(?:offer|offered|give|gave) (?:them )?{_PERCENT.replace('<n>', '<given>')}{_END}",
    re.IGNORECASE,
)
_IF_ZH = r"(?:如果|要是|假设|假如|若|把|将|按|那|就|我们的?|平均)*"
_BECOMES_ZH = (
    r"(?:改成|改为|换成|变成|调[到成为]|降[到为]|提到|提高到|设[为成]|定为|只有|是|为|有|算|用|到|打|减|给)*"
)
_PERCENT_ZH = rf"(?:(?P<n>\d{{1,3}}(?:\.\d+)?)\s?[%％]|百分之(?P<zh>{ZH_NUMBER}))"
_END_ZH = r"(?:的话|来?算|怎么样|会怎样|会怎么样|如何|可以吗|吧|呢)*"
_MARGIN_ZH = re.compile(rf"{POLITE_ZH}{_IF_ZH}毛利率?{_BECOMES_ZH}{_PERCENT_ZH}{_END_ZH}")
_FOLD = r"(?P<fold>[\d.]{1,3}|[一二三四五六七八九]{1,2})折"
_DISCOUNT_ZH = re.compile(
    rf"{POLITE_ZH}{_IF_ZH}(?:优惠|折扣|优惠券?|券)(?:力度|幅度)?{_BECOMES_ZH}(?:{_PERCENT_ZH}|{_FOLD})(?:off)?(?:优惠|折扣)?{_END_ZH}"
    rf"|{POLITE_ZH}{_IF_ZH}(?:给他们)?{_BECOMES_ZH}{_FOLD.replace('<fold>', '<alone>')}(?:优惠|折扣|券)?{_END_ZH}",
    re.IGNORECASE,
)
_DIGITS_ZH = str.maketrans("一二三四五六七八九", "123456789")


def spoken_terms(message: str) -> dict[str, float]:
    """The margin or the discount that a message asks for instead of a plan's, as shares; empty where it asks for none."""
    said = bare(message)
    for name, patterns in (("margin", (_MARGIN, _MARGIN_ZH)), ("discount", (_DISCOUNT, _DISCOUNT_ZH))):
        for pattern in patterns:
            match = pattern.fullmatch(said)
            if match is not None:
                return {name: _share({key: value for key, value in match.groupdict().items() if value})}
    return {}


def _share(said: dict[str, str]) -> float:
    (kind, words), *_ = said.items()
    if kind in ("fold", "alone"):  # 八五折: one pays 85 % of the price
        paid = float(words.translate(_DIGITS_ZH))
        return round(1 - paid / (10 if paid < 10 else 100), 4)
    return round(to_number(words) / 100, 4)


_AGAIN = re.compile(
    rf"{POLITE}(?:re-?plan|plan|redo|update|refresh|re-?do|re-?make|re-?run|make|recalculate|rebuild)"
    r"(?: (?:it|this|that|the (?:plan|strategy|campaign)|a plan))?(?: (?:again|anew|once more|for them|for these|now))+"
    rf"|{POLITE}(?:re-?plan|redo|update|refresh|recalculate|rebuild|rerun)"
    r" (?:it|this|that|them|(?:the|my|our) (?:plan|strategy|campaign))"
    rf"(?: (?:please|now|for them|again))*|{POLITE}(?:the )?same plan(?: again)?(?: for (?:them|these|those))?"
    rf"|{POLITE_ZH}(?:把方案|方案|对他们|为他们|给他们)?(?:重新|重)(?:做|制定|规划|计算|算|出|来)(?:一下|一[个遍份次])?(?:方案|计划|策略)?(?:吧)?"
    rf"|{POLITE_ZH}(?:更新|刷新)(?:一下)?(?:这个|该)?(?:方案|计划|策略)|{POLITE_ZH}(?:再|同样的?)(?:做|出|来)?一?[次遍份个]?(?:方案|计划)(?:吧)?",
    re.IGNORECASE,
)


def spoken_plan_again(message: str) -> bool:
    """Whether a message asks for the plan once more, for the segment as it is now."""
    return _AGAIN.fullmatch(bare(message)) is not None


_IT = r"(?:it|this|that|them|(?:the|this|that|my|our) (?:plan|strategy|campaign))"
_FORMAT = r"(?:(?:an? )?(?:markdown|md|html|json|pdf|word|docx?|web ?page|file|document)s?)"
_FORMAT_ZH = r"(?:markdown|md|html|json|pdf|word|文件|文档|网页)"
_AS_FILE = re.compile(
    rf"{POLITE}(?:export|download|save|give(?: me)?|send(?: me)?|print|get|output|write|share)(?: {_IT})?"
    rf"(?: (?:as|to|in|into))?(?: {_FORMAT})(?: (?:format|file|please|and|or|,|{_FORMAT}))*"
    rf"|{POLITE}(?:export|download) {_IT.replace('them|', '')}"
    rf"|{POLITE_ZH}(?:把|将)?(?:它|这个|这份)?(?:方案|计划|策略)?(?:导出|下载|输出|另存|保存|存)(?:一下)?(?:方案|计划|策略)?(?:成|为|到)?"
    rf"(?:一?[个份])?{_FORMAT_ZH}(?:格式|文件|版)*(?:吧)?|{POLITE_ZH}(?:把|将)?(?:它|这个|这份)?(?:方案|计划|策略)?(?:导出|下载)(?:一下|方案)?(?:吧)?",
    re.IGNORECASE,
)


def spoken_as_file(message: str) -> bool:
    """Whether a message wants what was shown last as a file, under no name that it says."""
    return _AS_FILE.fullmatch(bare(message)) is not None


_MEASURE = re.compile(
    rf"{POLITE}(?:measure|evaluate|read|analy[sz]e|check(?: on)?|review|monitor|score)"
    rf"(?: (?:the|our|my|how|results?|outcomes?|effects?|lift|of|test|experiment|campaign|did|is|doing|went))*"
    rf" {NAMED}(?: (?:test|experiment|campaign|results?|now|again|did|is|doing|went|so far|please))*"
    rf"|{POLITE}(?:the )?(?:results?|outcome|lift|effect) (?:of|for) (?:the )?{NAMED}|{NAMED} results?"
    rf"|{POLITE_ZH}(?:衡量|测量|评估|分析|看看?|读取|监测)(?:一下)?(?:实验|活动)?{NAMED}(?:实验|活动)?的?(?:效果|结果|表现|成效)?"
    rf"|{NAMED}(?:实验|活动)?(?:现在|目前)?的?(?:效果|结果|表现|成效)?(?:怎么?样|如何)?(?:了)?",
    re.IGNORECASE,
)


def spoken_experiment(message: str, experiments: Collection[str]) -> str | None:
    """The saved experiment whose result a message asks for, and nothing else."""
    names, rest = names_in(bare(message), experiments)
    known = len(names) == 1 and names[0] in experiments
    return names[0] if known and rest != NAMED and _MEASURE.fullmatch(rest) else None
