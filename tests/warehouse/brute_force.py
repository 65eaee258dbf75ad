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
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class BruteForce:
    """Answers each customer alone, event by event, from the JSON of the definition."""

    def __init__(self, events, items, features, catalogue, as_of):
        self.events = {}
        for row in events.to_dict("records"):
            self.events.setdefault(row["customer_id"], []).append(row)
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
        if "sequence" in node:
            return self.sequence(node, customer)
        if "repeat" in node:
            return self.repeat(node, customer)
        if "first" in node or "last" in node:
            return self.touch(node, customer)
        if "compare" in node:
            left, right = (self.quantity(node[side], customer) for side in ("compare", "than"))
            if left is None or right is None:
                return False
            return OPS[node["op"]](left, right * node.get("factor", 1))
        if "rank_by" in node:
            return customer in self.ranked(node)
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

    def matching(self, customer, event, node, window=None):
        """The customer's events of a type that fit items, occasion and window, before now."""
        window = node if window is None else window
        end = self.now - timedelta(days=window.get("to_days_ago", 0))
        start = window.get("from_days_ago")
        for row in self.events.get(customer, []):
            if row["type"] != event or row["ts"] >= end:
                continue
            if start is not None and row["ts"] < self.now - timedelta(days=start):
                continue
            if self.item_fits(node.get("items", {}), row["item_id"]) and self.occasion_fits(node, row):
                yield row

    def measured(self, node, customer):
        rows = list(self.matching(customer, node["event"], node))
        match node.get("measure", "count"):
            case "value":
                return sum(row["value"] for row in rows)
            case "quantity":
                return sum(row["quantity"] for row in rows)
        if node["event"] in ("purchase", "return"):
            return len({row["order_id"] for row in rows})
        return len(rows)

    def event(self, node, customer):
        measured, wanted = self.measured(node, customer), node.get("value", 1)
        if isinstance(wanted, list):
            return wanted[0] <= measured <= wanted[1]
        return OPS[node.get("op", ">=")](measured, wanted)

    def sequence(self, node, customer):
        first, *rest = node["sequence"]
        begun = self.matching(customer, first["event"], first, node)
        return any(self.goes_on(row, rest, node, customer) for row in begun)

    def goes_on(self, row, rest, node, customer):
        if not rest:
            return self.stays_away(row, node, customer)
        return any(
            self.goes_on(later, rest[1:], node, customer)
            for later in self.after(row, rest[0], node, customer)
        )

    def after(self, row, step, node, customer):
        for later in self.matching(customer, step["event"], step, {}):
            gap = later["ts"] - row["ts"]
            if gap <= timedelta(0) or ("within_days" in step and gap > timedelta(days=step["within_days"])):
                continue
            if not node.get("same_item") or (later["item_id"] and later["item_id"] == row["item_id"]):
                yield later

    def stays_away(self, row, node, customer):
        step = node.get("then_not")
        if step is None:
            return True
        if "within_days" in step and row["ts"] + timedelta(days=step["within_days"]) > self.now:
            return False
        return not any(self.after(row, step, node, customer))

    def repeat(self, node, customer):
        units = {}
        for row in self.matching(customer, node["repeat"], node):
            key = {"orders": row["order_id"], "sessions": row["session_id"], "days": row["ts"].date()}[
                node.get("unit", "orders")
            ]
            if key is not None and key == key:
                units.setdefault(key, []).append(row["ts"])
        spans = sorted((min(times), key, max(times)) for key, times in units.items())
        stops = []
        if node.get("without"):
            stops = [row["ts"] for row in self.matching(customer, node["without"], {}, {})]
        for i, (start, _, _) in enumerate(spans):
            for last_start, _, last_stop in spans[i + node["times"] - 1 :]:
                if last_start - start > timedelta(days=node["within_days"]):
                    break
                if not any(start <= stop <= last_stop for stop in stops):
                    return True
        return False

    def touch(self, node, customer):
        which = "first" if "first" in node else "last"
        every = [row["ts"] for row in self.matching(customer, node[which], {}, {})]
        if not every:
            return False
        edge = min(every) if which == "first" else max(every)
        return any(row["ts"] == edge for row in self.matching(customer, node[which], node))

    def quantity(self, side, customer):
        if "feature" in side:
            value = self.features[customer][side["feature"]]
            return None if value is None or value != value else value
        return self.measured(side, customer)

    def ranked(self, node):
        name, sign = node["rank_by"], 1 if node.get("lowest") else -1
        valued = []
        for customer, row in self.features.items():
            value = row[name]
            if value is None or value != value:
                continue
            if "among" not in node or self.holds(node["among"], customer):
                valued.append((sign * value, customer))
        valued.sort()
        if "count" in node:
            return {customer for _, customer in valued[: node["count"]]}
        return {c for place, (_, c) in enumerate(valued) if place < node["share"] * len(valued) - 1e-9}

    def occasion_fits(self, node, row):
        if "weekdays" in node and WEEK[row["ts"].weekday()] not in node["weekdays"]:
            return False
        if "hours" in node:
            start, end = node["hours"]
            hours = range(start, end) if start < end else [*range(start, 24), *range(end)]
            if row["ts"].hour not in hours:
                return False
        return "channel" not in node or row["channel"] in node["channel"]

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
