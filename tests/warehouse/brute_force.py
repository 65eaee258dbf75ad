"""An independent evaluator of definitions over plain Python rows: no Ibis, no SQL, no shared code paths."""

import re
from datetime import datetime, timedelta

OPS = {
    ">=": lambda a, b: a >= b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    "<": lambda a, b: a < b,
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


class BruteForce:
    def __init__(self, events, items, features, catalogue, as_of):
        self.events = events.to_dict("records")
        self.items = {row["item_id"]: row for row in items.to_dict("records")}
        self.features = features.to_dict("index")
        self.catalogue = catalogue
        self.now = datetime.combine(as_of, datetime.min.time())

    def members(self, node):
        return sorted(c for c in self.features if self.holds(node, c))

    def holds(self, node, customer):
        if "all_of" in node:
            return all(self.holds(child, customer) for child in node["all_of"])
        if "any_of" in node:
            return any(self.holds(child, customer) for child in node["any_of"])
        if "not" in node:
            return not self.holds(node["not"], customer)
        if "feature" in node:
            return self.feature(node, self.features[customer][node["feature"]])
        return self.event(node, customer)

    def feature(self, node, value):
        if value is None or value != value:
            return False
        levels = self.catalogue[node["feature"]].levels
        rank = levels.index if levels and node["op"] in (">=", "<=", "between") else (lambda v: v)
        wanted = node["value"]
        if node["op"] == "in":
            return value in wanted
        if node["op"] == "not_in":
            return value not in wanted
        if node["op"] == "between":
            return rank(wanted[0]) <= rank(value) <= rank(wanted[1])
        return OPS[node["op"]](rank(value), rank(wanted))

    def event(self, node, customer):
        end = self.now - timedelta(days=node.get("to_days_ago", 0))
        start = node.get("from_days_ago")
        orders, count, quantity, value = set(), 0, 0.0, 0.0
        for row in self.events:
            if row["customer_id"] != customer or row["type"] != node["event"] or row["ts"] >= end:
                continue
            if start is not None and row["ts"] < self.now - timedelta(days=start):
                continue
            if not self.item_fits(node.get("items", {}), row["item_id"]):
                continue
            orders.add(row["order_id"])
            count += 1
            quantity += row["quantity"]
            value += row["value"]
        if node["event"] == "purchase":
            count = len(orders)
        measured = {"count": count, "quantity": quantity, "value": value}[node.get("measure", "count")]
        wanted = node.get("value", 1)
        if isinstance(wanted, list):
            return wanted[0] <= measured <= wanted[1]
        return OPS[node.get("op", ">=")](measured, wanted)

    def item_fits(self, wanted, item_id):
        if not wanted:
            return True
        item = self.items.get(item_id)
        if item is None:
            return False
        for name in ("department", "category", "brand"):
            if name in wanted and item[name] not in wanted[name]:
                return False
        if "text" in wanted:
            words = [re.findall(r"[a-z0-9]+", text.lower()) for text in wanted["text"]]
            have = re.findall(r"[a-z0-9]+", item["name"].lower())
            return any(have[i : i + len(w)] == w for w in words for i in range(len(have)))
        return True
