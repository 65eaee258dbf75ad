"""LLM servers behind one protocol (OpenAI chat completions under a JSON Schema): embedded or vLLM."""
