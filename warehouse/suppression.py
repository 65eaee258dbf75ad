"""Small groups held back, so that no table gives one away.

A group of 1 to k - 1 customers is held back; when it is the only one held back, the total less the shown
groups would give it away, so the smallest other group is held back too (complementary suppression, as in
Hundepool et al., Statistical Disclosure Control, 2012, section 4).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping


def small(size: int, k: int) -> bool:
    """Whether a group is too small to show: at least one customer, fewer than k."""
    return 0 < size < k


def shown(size: int, k: int) -> int | str:
    """A count of customers as a chat may see it: '<10' for a group that is too small to show."""
    return f"<{k}" if small(size, k) else size


def suppress(sizes: Mapping[str, int], k: int, also: Collection[str] = ()) -> dict[str, int | None]:
    """The sizes of groups that make up a whole, None where held back.

    What is held back together holds no customer or at least k of them, so the total gives no group away. also:
    groups that must be held back whatever their size.
    """
    held = {name for name, size in sizes.items() if small(size, k)} | set(also)
    while held and sum(sizes[name] for name in held) < k:
        rest = [name for name in sizes if name not in held and sizes[name] > 0]
        if not rest:
            break
        held.add(min(rest, key=lambda name: (sizes[name], name)))
    if len(held) == 1 and (rest := [name for name in sizes if name not in held and sizes[name] > 0]):
        held.add(min(rest, key=lambda name: (sizes[name], name)))
    return {name: None if name in held else size for name, size in sizes.items()}
