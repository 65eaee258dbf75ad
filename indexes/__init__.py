"""Vectors of texts and of behaviour, the FAISS index over customers, lookalikes and clusters."""
