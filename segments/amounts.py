"""Numbers as people read them."""

from __future__ import annotations

from segments.features import Feature, FeatureType


def number(value: float) -> str:
    """1234.5 -> '1,234.5', 500.0 -> '500'."""
    value = value + 0.0  # a minus zero is a zero
    if value.is_integer():
        return f"{value:,.0f}"
    return f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}".rstrip("0").rstrip(".")


def quantity(value: object, feature: Feature, currency: str) -> str:
    """A feature's value with its unit: '$500', '30 %', '45 days'."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if feature.type is FeatureType.SHARE:
        return f"{number(round(value * 100, 4))} %"
    return f"{currency}{number(value)}" if feature.unit == "currency" else number(value)
