"""What a clause means so far, and what the clauses before it leave for it."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.linking.clauses import Clause
from assistant.linking.items import ItemMention
from assistant.linking.occasions import ALWAYS
from assistant.linking.windows import TimeMention
from segments.definition import Occasion


@dataclass
class Draft:
    """A clause with what it takes from its neighbours. `inherited`: its verb is the clause's before."""

    clause: Clause
    kind: str = ""
    negative: bool = False
    items: list[ItemMention] | None = None
    window: TimeMention | None = None
    occasion: Occasion = ALWAYS
    inherited: bool = False


@dataclass
class Course:
    """What the clauses so far leave for the next: drafts, a negation alone, a time said ahead of its verb."""

    text: str
    made: list[Draft]
    carried_negation: bool = False
    leading: TimeMention | None = None
    when: Occasion = ALWAYS

    @property
    def previous(self) -> Draft | None:
        """The draft before."""
        return self.made[-1] if self.made else None


@dataclass
class Step:
    """One clause at work: `draft` is what it means so far, `text` what it says, `before` the clause before.

    ends_list: its verb holds for the items listed before it.
    """

    draft: Draft
    text: str
    before: Clause
    ends_list: bool

    @property
    def joins(self) -> frozenset[str]:
        """The connectives before the clause."""
        return self.draft.clause.joins


def only_items(clause: Clause) -> bool:
    """Whether a clause names items and says nothing else of them."""
    said = clause.numbers or clause.features or clause.trends or clause.tops or clause.vague
    return bool(clause.items) and not said and not clause.flags & {"neg", "redeem", "campaign", "mostly"}
