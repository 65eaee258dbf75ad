"""Campaigns: what past ones earned, how to split a budget, holdouts, and the strategy of a next one."""
