"""The data quality page: what the gate says of the data, and what cleaning did to them."""

from __future__ import annotations

from html import escape

import gradio as gr

from segments.errors import SegAssistError
from serving.page.html import chip, notice, table
from serving.page.session import Session
from warehouse.clean import BOTS, CURRENCY, FUTURE, MAX_EVENTS_A_DAY, MAX_QUANTITY, REFUND

WORST_FIRST = {"stop": 0, "warn": 1, "pass": 2}
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
    "no future events": "没有未来的事件",
    "fresh": "新近",
    "steady volume": "数量平稳",
    "steady values": "金额平稳",
    "not ingested before": "以前未导入过",
    BOTS.name: f"一名客户一天超过{MAX_EVENTS_A_DAY}个事件",
    FUTURE.name: "晚于导入次日的事件",
    REFUND.name: "件数和金额均为负的购买",
    CURRENCY.name: "货币没有汇率的金额",
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
}
"""What the report names, in Chinese."""
OF_COLUMN = {" complete": " 完整", " as agreed": " 符合约定"}
"""How the name of a check of one column ends."""


class Quality:
    """The page's one component."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.report = gr.HTML(notice(session.say("loading"), "loading"), elem_id="quality")

    def load(self, request: gr.Request) -> str:
        """The report as the last build left it."""
        session, say = self.session, self.session.say
        try:
            report = session.views.quality(session.caller(request))
        except SegAssistError as error:
            return self.session.error(error)

        def verdict(kind: str) -> str:
            return chip(say(f"quality.{kind}"), kind)

        checks = [
            [
                verdict(each["verdict"]),
                escape(self._named(each["dimension"])),
                escape(self._named(each["name"])),
                escape((each.get("detail_zh") if say.language == "zh" else "") or each["detail"]),
            ]
            for each in sorted(report["checks"], key=lambda each: WORST_FIRST[each["verdict"]])
        ]
        rules = [
            [escape(self._named(r["name"])), escape(self._named(r["action"])), f"{r['rows']:,}"]
            for r in report["rules"]
        ]
        as_of = session.service.rooms.warehouse.as_of.isoformat()
        cleaned = say("quality.events", events=f"{report['events']:,}", as_of=as_of)
        title = say("quality.title", verdict=say(f"quality.{report['verdict']}"))
        heads = [say(f"quality.{head}") for head in ("verdict", "dimension", "check", "detail")]
        done = [say(f"quality.{head}") for head in ("rule", "action", "rows")]
        return (
            f"<h2>{escape(title)}</h2><p>{escape(cleaned)}</p>"
            + table(heads, checks, say("quality.checks"))
            + table(done, rules, say("quality.cleaning"), numbers=(2,))
        )

    def _named(self, name: str) -> str:
        """A check, a dimension, a rule or what it does, as the report names it, in words of the page's language."""
        if self.session.language == "en":
            return name
        for ending, chinese in OF_COLUMN.items():
            if name.endswith(ending):
                return name.removesuffix(ending) + chinese
        return CHINESE.get(name, name)
