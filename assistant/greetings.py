"""Words that ask for nothing in particular yet: a greeting, thanks, what can be asked, how many customers there are."""

from __future__ import annotations

import re

from assistant.back import bare

_HELLO = re.compile(
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening)|thanks|thank you|cheers|great|perfect|okay|ok|nice|cool|bye"
    r"|so much|very much|a lot|there|again|[ ,!.])+|(?:你好|您好|谢谢|多谢|感谢|好的|太好了|辛苦了|再见|[，！。啊了呀])+",
    re.IGNORECASE,
)
_HELP = re.compile(
    r"(?:(?:hi|hello|hey)(?: there)?[,.! ]+)?(?:so )?(?:"
    r"help(?: me)?|what (?:can|could|do) you do(?: for me)?|what (?:can|should|may) i ask(?: you)?"
    r"|(?:your )?(?:capabilities|features|functions)"
    r"|(?:what|which|wat)(?: (?:sort|kind|type)s? of)?(?: (?:things|questions|stuff|tasks))?"
    r" (?:can|could|do|does) (?:you|u|this|it|the)(?: (?:tool|thing|assistant|app|bot))?"
    r" (?:do|help|tell|answer|offer|know|handle)(?: (?:me|us))?(?: with)?(?: for (?:me|us))?"
    r"|how do(?:es)? (?:this|it|you) work|who are you"
    r"|what (?:data|information) do (?:you|we) have(?: about (?:them|customers|our customers))?)"
    r"|(?:你|您|这个|助手)?都?(?:能|会|可以)(?:帮我)?(?:做|干)?(?:些|点)?(?:什么|啥)呀?|怎么用|帮助|你是谁|我?(?:能|可以)问你?些?什么|都?有(?:哪些|什么)数据",
    re.IGNORECASE,
)
_EVERYONE = re.compile(
    r"(?:and |so |please )*how many (?:customers|people|shoppers|households|clients) "
    r"(?:do (?:we|i|you) have|are there|are in (?:the|our) (?:data|database))(?: (?:in total|altogether|in all|overall))*"
    r"|(?:what(?:['’]s| is) )?(?:the |our |my )?(?:total )?(?:number of (?:customers|shoppers|households)|customer base"
    r"|(?:customer|shopper|household|client) (?:count|number|total)s?)"
    r"|(?:我们|一共|总共|现在|目前)*有?(?:一共|总共)?有?多少(?:个|位|名)?(?:客户|顾客|会员|用户)",
    re.IGNORECASE,
)


def spoken_everyone(message: str) -> bool:
    """Whether a message asks how many customers there are."""
    return _EVERYONE.fullmatch(bare(message)) is not None


_SALES = re.compile(
    r"(?:and |so |ok,? )*how(?:['’]s| is| are| have| has)? (?:(?:the|our|total|overall|my) )*"
    r"(?:sales|business|revenue|turnover|trade)(?: (?:going|doing|looking|been|developing|holding up))*"
    r"(?: (?:lately|recently|this (?:week|month|quarter|year)|these days|now|so far|overall))*"
    r"|(?:what(?:['’]s| is| are) (?:our|the|total) (?:total )?(?:sales|revenue|turnover))"
    r"|(?:最近|现在|目前|我们的?|这个?月|本月|今年)*的?(?:销售额?|销量|生意|业绩|营收|营业额)(?:情况|表现)?(?:怎么样|如何|咋样|怎样|好吗|好不好|是?多少)(?:了)?",
    re.IGNORECASE,
)


def spoken_sales(message: str) -> bool:
    """Whether a message asks how the business goes as a whole."""
    return _SALES.fullmatch(bare(message)) is not None


def spoken_help(message: str) -> bool:
    """Whether a message only greets, thanks, or asks what can be asked."""
    said = bare(message)
    return _HELLO.fullmatch(said) is not None or _HELP.fullmatch(said) is not None
