"""A better small model: pairs of requests and plain words, made from the language and a retailer's catalogue; the LoRA
adapter that learns from them; its export for both servers.
"""
