"""What a message asks of the natural segments that were found: how stable they are, why there are so many."""

from __future__ import annotations

import re

from assistant.back import bare
from assistant.linking.numbers import EN_NUMBER, ZH_NUMBER
from assistant.spoken_requests import POLITE, POLITE_ZH

_GROUPS = r"(?:(?:natural|customer|shopper|different|distinct) )*(?:groups?|clusters?|segments?|types?|personas?|kinds?|classes)(?: of (?:customers|shoppers|people))?"
_THESE = rf"(?:(?:these|those|the|your|our) (?:{EN_NUMBER} )?{_GROUPS}|(?:the|this|that|your) (?:grouping|clustering|segmentation|partition|split)(?: into (?:{EN_NUMBER} )?{_GROUPS})?)"
_GOOD = (
    r"(?:stable|reliable|robust|solid|real|natural|meaningful|trustworthy|dependable|good|sound|certain|credible"
    r"|distinct|separate|separated|clear(?:[- ]cut)?|well[- ](?:separated|defined)|repeatable|reproducible)"
)
_VERY = r"(?:really |actually |very |all that |truly |statistically )*"
_COUNT = rf"(?:exactly |just |only |precisely )?(?:{EN_NUMBER}|this many|that many|so (?:many|few)|the number(?: of)?)"
_CHOOSE = r"(?:choose|chose|pick|decide|determine|arrive|settle|come up|end up|get|know|find|select)"
_ENGLISH = re.compile(
    rf"{POLITE}how (?:{_VERY}{_GOOD}|well[- ]separated|confident (?:are|can) (?:you|we|i)(?: be)?(?: in| of| about)?)(?: (?:are|is))? {_THESE}.{{0,30}}"
    rf"|{POLITE}(?:are|is) {_THESE} {_VERY}{_GOOD}.{{0,30}}"
    rf"|{POLITE}(?:can|should|may|do) (?:i|we|you) (?:trust|rely on|believe(?: in)?|depend on) {_THESE}"
    rf"|{POLITE}(?:but )?why (?:not )?(?:(?:are|were) there |is it |did you (?:choose|pick|take|make|find|use|get) |did we get )?{_COUNT} {_GROUPS}(?:,? (?:and )?(?:not|rather than|instead of) .{{1,20}})?"
    rf"|{POLITE}(?:but )?why (?:not (?:more|fewer|less)|(?:so|this|that) (?:many|few)) {_GROUPS}"
    rf"|{POLITE}how (?:did|do) you {_CHOOSE}(?: (?:on|at|to|with|that there are))* (?:{_COUNT} {_GROUPS}|the number of {_GROUPS}|how many {_GROUPS}.{{0,20}})"
    rf"|{POLITE}(?:how|what)(?:['’]s| is| was| about)? the (?:stability|silhouette|separation)(?: score)?(?: of {_THESE}| of them)?"
    rf"|{POLITE}would (?:{_THESE}|they|we get the same {_GROUPS}) (?:come out|be|look|stay|turn out|hold up).{{0,50}}",
    re.IGNORECASE,
)
_ENGLISH_BARE = re.compile(
    rf"{POLITE}(?:but )?(?:why|how come)(?: not| did you (?:choose|pick|take|make|find))? {_COUNT}(?: of them)?(?:,? (?:and )?(?:not|rather than) .{{1,12}})?"
    rf"|{POLITE}how (?:did|do) you {_CHOOSE}(?: (?:on|at|to|with))* (?:{_COUNT}|k)(?: of them)?"
    rf"|{POLITE}(?:how {_GOOD} (?:are they|is (?:it|this|that))|are they {_VERY}{_GOOD}|(?:is|was) (?:it|this|that) {_VERY}{_GOOD})(?: at all)?",
    re.IGNORECASE,
)
_CLASS_ZH = r"(?:个|种|大)?(?:自然)?(?:分群|群体|聚类|人群|客群|细分|类|组|群|拨)(?:客户|顾客|人群?)?"
_DIVIDE_ZH = r"(?:是|要|会|只|刚好|正好|把?(?:他们|客户|顾客)?|聚|分|选|划|成|为|出|了|的)*"
_THESE_ZH = rf"(?:(?:这|那|上面|刚才)(?:的|些|几|{ZH_NUMBER})?(?:个|种)?(?:自然)?(?:分群|群体|聚类|人群|客群|细分|分类|分组|类别?|组|群)|(?:这样|这么)(?:分|划分|聚类)|(?:分群|聚类|分类|分组|划分)(?:的)?(?:结果)?)"
_GOOD_ZH = r"(?:稳定|可靠|可信|靠谱|站得住脚?|稳|准确?|有意义|区分得?开|分得?[清开]楚?|稳不稳定?|靠不靠谱|可不可[靠信])"
_CHINESE = re.compile(
    rf"{POLITE_ZH}(?:为什么|为何|为啥|凭什么|怎么)(?:会|就)?(?:不)?{_DIVIDE_ZH}(?:{ZH_NUMBER}|这么多|那么多|这几|更多)(?:个|种)?{_CLASS_ZH}(?:[，,]?而?不是.{{1,8}})?(?:呢|啊)?"
    rf"|{POLITE_ZH}{_THESE_ZH}(?:客户|结果|方式)?(?:的)?(?:到底|究竟|有|有多|是否|是不是|够不够|够|算|真的|真|可不可以|能不能|在统计上)*(?:多么?)?{_GOOD_ZH}(?:吗|么|不|性|程度|度|的)*(?:如何|怎么样|怎样|有多高|多高|多大|吗)*"
    rf"|{POLITE_ZH}(?:类数|类别数|群数|分群数量?|聚类数|分(?:成|为)?(?:几|多少)(?:个|种)?(?:类|群|组))(?:是)?(?:怎么|如何|怎样)(?:确?定|选|得出|决定)(?:出来)?(?:的)?"
    rf"|{POLITE_ZH}(?:怎么|如何|怎样)(?:确?定|选|得出|决定|知道)(?:出来)?(?:是|要|该|应该)*(?:分|成|为|聚)*(?:{ZH_NUMBER}|几|多少)(?:个|种)?{_CLASS_ZH}(?:的)?"
    rf"|{POLITE_ZH}(?:{_THESE_ZH}的?)?(?:轮廓系数|重抽样一致性)(?:是)?(?:多少|多高|多大|如何|怎么样)?",
    re.IGNORECASE,
)
_CHINESE_BARE = re.compile(
    rf"{POLITE_ZH}(?:为什么|为何|为啥)(?:是|分|选|不是)*{ZH_NUMBER}个?(?:[，,]?而?不是.{{1,6}})?(?:呢)?|{POLITE_ZH}(?:有多|够)?{_GOOD_ZH}(?:吗|么|不)",
)


def spoken_groups(message: str) -> bool:
    """Whether a message asks how far natural segments may be believed or why they are so many, and names them."""
    said = bare(message)
    return bool(_ENGLISH.fullmatch(said) or _CHINESE.fullmatch(said))


def spoken_of_groups(message: str) -> bool:
    """Whether a message asks so of what was shown just before, without a word for it: 'why five?'."""
    said = bare(message)
    return bool(_ENGLISH_BARE.fullmatch(said) or _CHINESE_BARE.fullmatch(said))
