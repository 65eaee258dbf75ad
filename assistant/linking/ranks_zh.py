"""Ranks said in Chinese: '按近一年消费额排头部5%', '订单数位列前二百名', '客单价最低的10%'."""

from __future__ import annotations

import re

from assistant.linking.numbers import DIGITS, ZH_NUMBER, to_number
from assistant.linking.ranks import Top
from assistant.linking.spans import free

SHARE_OF_GOODS = "share"
"""Of the goods that are named just before: '化妆品花销比重最高的10%'."""
_BY = (
    (r"(?:花费|消费|花销|开销|支出|金额|花钱|购买)?(?:的)?(?:占比|比重|份额)", SHARE_OF_GOODS),
    (r"客单价?|每单(?:金额|消费)?|单均|平均订单(?:价值|金额)|购物篮(?:价值|金额)", "basket_value_365d"),
    (r"用券(?:次数|数量?|量)?|优惠券使用(?:次数|数量?)|核销(?:次数|数量?)", "coupons_redeemed_365d"),
    (r"折扣率|优惠率|打折比例|折扣占标价的比例", "discount_rate_365d"),
    (r"折扣金额|优惠金额|省(?:下)?的?钱", "discount_365d"),
    (r"(?:去过的?|光顾的?)?门店数", "stores_365d"),
    (r"(?:购买的?)?品类数", "categories_365d"),
    (r"(?:购买的?)?(?:件数|数量)", "quantity_365d"),
    (r"(?:购物|活跃|来店)天数", "active_days_365d"),
    (r"订单(?:总?数量?|量|笔数)?|下单(?:次数|数|量)?|购买(?:次数|频次|频率)|购物(?:次数|频次)|来店(?:次数|频次)|频次|来得|次数", "orders"),
    (r"(?<!订单)(?<!单)(?<!篮)(?:(?:预测|预计|预期|预估|未来|将来|终身|终生|生命周期)的?)?(?:总|客户)?价值|CLV|LTV", "spend"),
    (r"(?:累计|历史|总)?(?:消费|花费|支出|购买金额|花的?钱|贡献|成交)(?:总?金?额|总额|力|得)?|花得|金额", "spend"),
)  # fmt: skip
"""What customers are ranked by, and the feature (of 'spend' and 'orders', the window says which)."""
_WORDS = "|".join(f"(?P<f{place}>{words})" for place, (words, _) in enumerate(_BY))
_LAST = r"(?:(?:最近|近|过去)(?P<n>一|半|三|六|十二|\d+)个?(?P<u>年|月|天|季度)(?:内|里|来)?的?)?"
_SPAN = r"(?:[（(]?(?:在|按)?(?:近|最近|过去)?(?:一年|全年|年度|整年)(?:内|里|来|口径)?[）)]?的?)?"
_SIZE = rf"(?P<k>{ZH_NUMBER})\s*(?P<p>[%％]|名|位|个|人|户|(?=$|[，。、,的且但]))"
_RANKS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:按照?|以|论|依)?\s*{_LAST}(?:{_WORDS}){_SPAN}(?:来|进行|由高到低|从高到低|降序)*(?:排名|排序|排行|位列|位居|名列|居于?|排在?|排到|计|算)?[，,]?\s*(?:在)?(?:最高|最多|最大|靠前|居首|排名)*的?[，,]?\s*(?:前|头部|头|最前|top\s*)\s*{_SIZE}",
        rf"(?:按照?|以|论)?\s*{_LAST}(?:{_WORDS}){_SPAN}(?:排名|排序|排在?|由低到高|从低到高)?[，,]?(?:最高|最多|最大|(?P<low>最低|最少|最小|垫底|倒数|末尾|后))的?\s*(?:那)?{_SIZE}",
        rf"最(?:有价值|值钱|优质)的?\s*(?:前)?\s*{_SIZE}",
    )
)
_MODEL = re.compile(r"概率|可能性|几率|机率|倾向|最有?可能")
_DAYS = {
    **dict.fromkeys(("30天", "一月", "1月"), "30d"),
    **dict.fromkeys(("90天", "三月", "3月", "一季度", "1季度"), "90d"),
    **dict.fromkeys(("180天", "六月", "6月", "半年"), "180d"),
}
"""Times over which the catalogue ranks; any other is a year."""


def tops_zh(text: str) -> list[Top]:
    """Every rank said of customers; what a model foresees is ranked elsewhere."""
    found: list[Top] = []
    if _MODEL.search(text):
        return found
    for pattern in _RANKS:
        for match in pattern.finditer(text):
            if not free(match.span(), (top.span for top in found)):
                continue
            if re.match(r"\s*(?:天|日|周|月|年|季|分群|商品|品类|产品)", text[match.end() :]):
                continue
            number, share = to_number(match["k"]), match["p"] in ("%", "％")
            lowest = bool(match.groupdict().get("low"))
            size, count = (number / 100 if share else None), (None if share else int(number))
            found.append(Top(match.span(), size, count, _feature(match), lowest))
    return found


_BARE = re.compile(
    rf"(?:(?P<by>消费|花费|金额|订单|购买次数|频次)(?:金额|额|数)?(?:最高|最多|排名)?的?)?(?:前|排名前|最高的)(?P<n>{DIGITS})\s?(?P<p>[%％])?(?:名|位|个)?"
)


def bare_tops_zh(text: str) -> list[Top]:
    """What is left of ranks: '前10%', '排名前20名', by spend unless orders are named."""
    found = []
    for match in _BARE.finditer(text):
        if re.match(r"\s*(?:天|日|周|个?月|年|个?季)", text[match.end() :]):
            continue
        number = float(match["n"].replace(",", ""))
        if not (match["p"] or match["by"] or re.search("[名位]", match.group())):
            continue
        feature = "orders_365d" if re.search("订单|次数|频次", match["by"] or "") else "spend_365d"
        share = number / 100 if match["p"] else None
        count = None if match["p"] else int(number)
        found.append(Top(match.span(), share, count, feature, assumed=not match["by"]))
    return found


def _feature(match: re.Match[str]) -> str:
    said = match.groupdict()
    named = next((feature for place, (_, feature) in enumerate(_BY) if said.get(f"f{place}")), "spend")
    length = _DAYS.get(f"{match['n']}{match['u']}", "365d") if said.get("n") else "365d"
    if named == SHARE_OF_GOODS:
        return named
    if named not in ("spend", "orders"):
        quarterly = named in ("basket_value_365d", "coupons_redeemed_365d", "categories_365d")
        return named.replace("365d", "90d") if quarterly and length == "90d" else named
    return f"{named}_lifetime" if re.search(r"累计|历史|终身", match.group()) else f"{named}_{length}"
