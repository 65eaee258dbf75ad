"""TEMP"""

from segments.errors import NotBuiltError


class Propensities:
    outcomes = ("purchase_14d", "purchase_30d", "coupon_redeem_30d")

    def __init__(self, w, f):
        pass

    def scores(self, o):
        raise NotBuiltError("no")

    def explain(self, m, o):
        raise NotBuiltError("no")


def train(w, f, p):
    pass


def cards(f):
    return []
