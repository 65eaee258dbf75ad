"""What the quality report names, in words of its language, and how a person reads what a mapping left out."""

from __future__ import annotations

from segments.explain import Language
from warehouse.clean import BOTS, CURRENCY, FUTURE, MAX_EVENTS_A_DAY, MAX_QUANTITY, REFUND, UNREADABLE
from warehouse.left_out import LeftOut

CHINESE = {
    "contract": "约定",
    "completeness": "完整性",
    "uniqueness": "唯一性",
    "integrity": "一致性",
    "freshness": "新鲜度",
    "volume": "数量",
    "drift": "漂移",
    "items known": "商品已知",
    "customers known": "客户已知",
    "campaigns known": "活动已知",
    "customer ids unique": "客户编号唯一",
    "campaign ids unique": "活动编号唯一",
    "item ids unique": "商品编号唯一",
    "currencies known": "货币已知",
    "no equal rows": "没有相同的行",
    "customer and time given": "已给出客户和时间",
    "no future events": "没有未来的事件",
    "fresh": "新近",
    "steady volume": "数量平稳",
    "steady values": "金额平稳",
    "not ingested before": "以前未导入过",
    BOTS.name: f"一名客户一天超过{MAX_EVENTS_A_DAY}个事件",
    FUTURE.name: "晚于导入次日的事件",
    REFUND.name: "件数和金额均为负的购买",
    CURRENCY.name: "货币没有汇率的金额",
    "values readable": "取值可读",
    "customers readable": "客户取值可读",
    "campaigns readable": "活动取值可读",
    "attribute values known": "属性取值已知",
    UNREADABLE.name: "无法读取的数字或时间",
    "event without customer or time": "没有客户或时间的事件",
    "event with the id of a later one": "编号与后来事件相同的事件",
    "purchase without units and value": "没有件数和金额的购买",
    "negative value on a purchase": "金额为负的购买",
    f"more than {MAX_QUANTITY} units on one line": f"一行超过{MAX_QUANTITY}件",
    "order of a test customer": "测试客户的订单",
    "event dropped": "删除该事件",
    "line dropped": "删除该行",
    "customer's events dropped": "删除该客户的事件",
    "made a return": "改为退货",
    "quantity set to 1": "件数设为1",
    "not applied": "未应用",
    "taken back": "已撤回",
}
"""What the report names, in Chinese."""
OF_COLUMN = {" complete": " 完整", " as agreed": " 符合约定"}
"""How the name of a check of one column ends."""


def in_words(name: str, language: Language) -> str:
    """A check, a dimension, a rule or what it does."""
    if language == "en":
        return name
    for ending, chinese in OF_COLUMN.items():
        if name.endswith(ending):
            return name.removesuffix(ending) + chinese
    return CHINESE.get(name, name)


def left_out_in_words(source: LeftOut, language: Language) -> str:
    """One sentence: how many rows of a source the mapping took, and why not the others."""
    types = ", ".join(f"{said} ({rows:,})" for said, rows in source.types.items())
    if language == "zh":
        named = f"（{types}）" if types else ""
        return (
            f"{source.source}：{source.rows:,}行中取用{source.taken:,}行；"
            f"{source.by_where:,}行因 where 未取，{source.by_type:,}行因类型未映射未取{named}。"
        )
    named = f": {types}" if types else ""
    return (
        f"{source.source}: {source.taken:,} of {source.rows:,} rows taken; {source.by_where:,} left out by where, "
        f"{source.by_type:,} by a type that is not mapped{named}."
    )
