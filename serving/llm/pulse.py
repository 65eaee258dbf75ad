"""Whether an engine still writes: vLLM's server answers its health while the engine behind it hangs.

Standard library only, as the guard is.
"""

from __future__ import annotations

import json
import urllib.request
from http.client import HTTPException

REST_SECONDS, PATIENCE_SECONDS = 30.0, 300.0
"""Between two questions, and for the answer to one: longer than the longest that a vLLM was seen to write nothing and
yet be well (four minutes, in which it compiled for the first request of an adapter on a CPU)."""
METRICS_SECONDS = 30.0
COUNTERS = ("vllm:generation_tokens_total", "vllm:prompt_tokens_total")


def stalled(base: str, model: str) -> bool:
    """Ask for one token; whether it did not come in time, and nobody else's did meanwhile.

    Under load a request may well wait that long, but then others are answered, and the counters of tokens move. What a
    server refuses, or breaks off, is no stall. base: its address, without /v1.
    """
    before = _written(base)
    body = {"model": model, "prompt": "a", "max_tokens": 1, "temperature": 0}
    head = {"Content-Type": "application/json"}
    asked = urllib.request.Request(f"{base}/v1/completions", json.dumps(body).encode(), head)
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS) as answer:
            answer.read()
    except TimeoutError:
        return _written(base) == before
    except (OSError, HTTPException):
        return False
    return False


def _written(base: str) -> float:
    """Tokens that were read and written so far, of all engines; 0 where the server does not tell."""
    try:
        with urllib.request.urlopen(f"{base}/metrics", timeout=METRICS_SECONDS) as answer:
            lines = answer.read().decode(errors="replace").splitlines()
    except (OSError, HTTPException):
        return 0.0
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(COUNTERS))
