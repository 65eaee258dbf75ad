"""A busy little shop: views, carts, purchases and returns in sessions, with many equal and near times."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from tests.conftest import small_source

KINDS = ["view", "view", "view", "add_to_cart", "purchase", "purchase", "return", "coupon_redeem"]


def busy_source(seed: int, customers: int = 24) -> dict[str, pd.DataFrame]:
    """Raw tables whose times lie on a six-hour grid of 60 days, so that ties and window edges are common."""
    rng = np.random.default_rng(seed)
    last = datetime(2018, 3, 31, 18)
    rows = []
    for customer in range(customers):
        for n in range(int(rng.integers(1, 40))):
            kind = str(rng.choice(KINDS))
            item = None if kind == "coupon_redeem" or rng.random() < 0.1 else f"i{rng.integers(0, 12)}"
            rows.append(
                {
                    "source_id": str(customer),
                    "ts": last - timedelta(hours=6 * int(rng.integers(0, 240))),
                    "type": kind,
                    "item_id": item or ("i0" if kind == "purchase" else None),
                    "order_id": f"o{customer}-{n // 3}" if kind in ("purchase", "return") else None,
                    "session_id": f"s{customer}-{n // 2}" if rng.random() < 0.9 else None,
                    "quantity": float(rng.integers(1, 4)),
                    "value": float(rng.integers(1, 20)),
                    "discount": 0.0,
                    "channel": str(rng.choice(["web", "app", "shop"])),
                    "campaign_id": None,
                }
            )
    rows.append(rows[0] | {"ts": last, "type": "purchase", "item_id": "i0", "order_id": "o-last"})
    rest = small_source(seed, customers)
    return rest | {"events": pd.DataFrame(rows)}
