"""The segment language: catalogue, definition, checks, words, canonical form. Standard library only."""
