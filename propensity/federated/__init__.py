"""Several stores train one propensity model without sharing rows, with differential privacy where wanted."""
