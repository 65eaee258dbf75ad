"""A program of its own, because threads that share a connection may never return: many callers of one API.

python -m tests.serving.callers WORKSPACE: prints one JSON object of what they got, alone and together.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from serving.http.api import create_api
from serving.llm.probe import free_port
from serving.service import Service

LOYAL = {"feature": "orders_90d", "op": ">=", "value": 5}
BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
ASKED: list[dict[str, Any]] = [LOYAL | {"value": n} for n in (1, 5, 20)]
ASKED += [BEER, BEER | {"from_days_ago": 30}, {"not": BEER}, {"all_of": [LOYAL, BEER]}]
ASKED += [{"similar_to": {"segment": BEER}, "top": 50}, {"propensity": "purchase_30d", "top_share": 0.1}]
ROUNDS = 6


def main(workspace: str) -> None:
    port = free_port("127.0.0.1")
    api = create_api(Service.open(Path(workspace)))
    server = uvicorn.Server(uvicorn.Config(api, port=port, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.02)
    limits = httpx.Limits(max_keepalive_connections=0)
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=60) as client,
        ThreadPoolExecutor(8) as pool,
    ):

        def preview(definition: dict[str, Any]) -> list[Any]:
            found = client.post("/v1/segments/preview", json={"definition": definition})
            if found.status_code != 200:
                return [found.status_code, found.text[:200]]
            body = found.json()
            return [200, {name: body[name] for name in ("definition", "hash", "size", "words")}]

        def save(value: int) -> list[Any]:
            body = {"name": "race", "definition": LOYAL | {"value": value}}
            found = client.post("/v1/segments", json=body)
            return [found.status_code, found.json() if found.status_code == 201 else found.text[:200]]

        together = list(pool.map(preview, ASKED * ROUNDS))
        alone = [preview(definition) for definition in ASKED]
        saves = list(pool.map(save, [n // 2 for n in range(24)]))
        saved = {s["name"]: s for s in client.get("/v1/segments").json()}
    print(json.dumps({"alone": alone, "together": together, "saves": saves, "saved": saved}))


if __name__ == "__main__":
    main(sys.argv[1])
