"""LLM servers behind one protocol (OpenAI chat completions with a JSON Schema): embedded llama.cpp or vLLM."""
