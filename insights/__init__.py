"""What the data say: who a segment is, what to offer next, what sells together, demand, oddities, reviews, placements."""
