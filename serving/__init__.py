"""How people reach the assistant: LLM servers, API, UI, CLI."""
