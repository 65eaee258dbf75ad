"""From a question's words to what exists: numbers, windows, items, features, candidate conditions."""
