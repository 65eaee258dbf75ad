"""A program of its own, to be killed: the API over a workspace.

python -m tests.serving.victim WORKSPACE PORT [LLM_URL]
"""

import sys
from pathlib import Path

import uvicorn

from assistant.llm import OpenAIChat
from serving.http.api import create_api
from serving.service import Service


def main(workspace: str, port: str, llm: str = "") -> None:
    service = Service.open(Path(workspace), OpenAIChat(llm, "stand-in") if llm else None)
    uvicorn.run(create_api(service), port=int(port), log_level="error")


if __name__ == "__main__":
    main(*sys.argv[1:])
