"""Who will do what next: declared outcomes, temporally trained and calibrated models, cards, explanations."""
