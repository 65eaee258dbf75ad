"""What the data say of a segment: who they are, and what to offer them next."""
