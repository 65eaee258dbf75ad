"""The assistant: link, plan, check, run tools, answer."""
