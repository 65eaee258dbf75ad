"""The assistant: link, plan, check, run tools, answer.

from assistant import Assistant, OpenAIChat
assistant = Assistant.open("workspaces/demo", OpenAIChat("http://127.0.0.1:8081/v1"))
print(assistant.ask("who spent over $500 last quarter but went quiet for a month?").answer)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.app import Answer, Assistant
    from assistant.llm import OpenAIChat

__all__ = ["Answer", "Assistant", "OpenAIChat"]


def __getattr__(name: str) -> Any:
    """Import on first use: the linking parts alone need none of the heavy rooms."""
    if name in ("Answer", "Assistant"):
        from assistant import app

        return getattr(app, name)
    if name == "OpenAIChat":
        from assistant.llm import OpenAIChat

        return OpenAIChat
    raise AttributeError(name)
