"""The HTTP side: API, OpenAI protocol, sign-in, and the guard before all of it."""
