"""A link: everything of a message that exists here, ready to be planned over."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from assistant.intents import Intents
from assistant.linking.candidates import Candidate
from assistant.linking.edits import Edit
from segments.definition import Node
from segments.explain import Language

Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True)
class Link:
    """What a message holds: `reading`, the segment it describes, and `edits` e1, e2, ... of the current one.

    candidates: the conditions that the reading is made of. alternative: the same conditions with 'or' read
    the other way, where that is another segment. other: what the message compares with.
    unknown: content words that nothing here explains; missing: those that ask for what the data lacks.
    unused: numbers, times and goods that no condition holds. dates: calendar readings to state. corrected: words read as others.
    categories, goods: of the items that it names, the categories, and the values of any field and words of names.
    guessed: of the goods, words that the name of one product alone holds, so that they may mean something else.
    among: whom lookalikes are chosen from. confidence: what a second reading says of this one; None when there was none.
    asked: the tool that the message is known to ask for; None where its words have to say it.
    unsearchable: words that are to be searched for by their meaning, in a language that the text encoder does not read.
    """

    language: Language
    message: str
    candidates: tuple[Candidate, ...]
    reading: Node | None
    alternative: Node | None
    edits: tuple[Edit, ...]
    intents: Intents
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()
    categories: tuple[str, ...] = ()
    goods: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()
    other: Node | None = None
    among: Node | None = None
    confidence: Confidence | None = None
    asked: str | None = None
    unsearchable: tuple[str, ...] = ()

    @property
    def about_customers(self) -> bool:
        """Whether the message speaks of customers at all."""
        return of_customers(self.message)

    @property
    def names_customers(self) -> bool:
        """Whether the message names customers by a noun, so that it is no question about anything else."""
        return bool(_NAMED_CUSTOMERS.search(self.message))

    @property
    def means_them(self) -> bool:
        """Whether the message speaks of the current segment, if there is one."""
        return bool(_THEM.search(self.message))

    @property
    def edit_ids(self) -> tuple[str, ...]:
        """The ids of the edits, 'e1' first."""
        return tuple(f"e{place}" for place in range(1, len(self.edits) + 1))

    def edit(self, number: str) -> Edit:
        """The edit of an id such as 'e1'."""
        return self.edits[int(number[1:]) - 1]


_CUSTOMERS = re.compile(
    r"\b(?:customers?|shoppers?|people|persons?|households?|buyers?|users?|members?|clients?|folks|who|whom|whose|them|they"
    r"|their|those|these|ones|segments?|audience|everyone|anyone)\b|客户|顾客|用户|会员|人|他们|她们|家庭|分群",
    re.IGNORECASE,
)
_THEM = re.compile(
    r"\b(?:they|them|their|these|those|th(?:is|at) (?:group|lot|bunch|crowd|segment|audience))\b|他们|她们|[这那](?:些|群|帮|拨|批|伙)人?",
    re.IGNORECASE,
)
_NAMED_CUSTOMERS = re.compile(
    r"\b(?:customers?|custs?|shoppers?|people|ppl|persons?|households?|buyers?|clients?|folks|segments?|audiences?|spenders?|vips?|regulars"
    r"|loyalists?|whales?|hunters?|(?:customer|loyal|our|client) base|ones|target group"
    r"|some(?:one|body)|any(?:one|body))\b"
    r"|客户|顾客|用户|会员|客人|买家|客群|人群|分群|的人|羊毛党|消费者|大客|[熟散老新]客",
    re.IGNORECASE,
)


def is_chinese(text: str) -> bool:
    """Whether the message is written in Chinese: any Han characters, unless English words prevail."""
    han = len(re.findall(r"[一-鿿]", text))
    return han > 0 and han >= len(re.findall(r"[A-Za-z]{2,}", text)) / 2


def of_customers(text: str) -> bool:
    """Whether a text speaks of customers at all."""
    return bool(_CUSTOMERS.search(text))
