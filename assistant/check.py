"""The check stage: does the plan keep what the message says? One sentence for each thing it does not.

Every condition found comes from words of the message, so leaving one out drops a number, a category
or a negation; 'or' in the message must show in the plan, and only then.
"""

from __future__ import annotations

from assistant.linking.linker import Link
from assistant.plan import Plan, definition_of, edited
from segments.check import Vocabulary, issues
from segments.definition import Node
from segments.errors import DefinitionError
from segments.explain import explain


def problems(plan: Plan, link: Link, current: Node | None, vocabulary: Vocabulary) -> list[str]:
    """What is wrong with the plan, each as a sentence for the model; empty when nothing is."""
    found: list[str] = []
    if plan.tool == "define_segment" and not plan.chosen:
        found.append("define_segment needs at least one condition.")
    if plan.tool == "refine_segment" and (current is None or not plan.edits):
        found.append("refine_segment needs a current segment and at least one edit.")
    if plan.tool == "define_segment" or (plan.chosen and plan.tool not in ("clarify", "refuse")):
        found += _dropped(plan, link, vocabulary)
        if link.says_or and not plan.any and _or_candidates(link) >= 1 and len(plan.all) > 1:
            found.append('The message says "or": put the alternatives into "any".')
    try:
        result = (
            edited(plan, link, current) if plan.edits and current is not None else definition_of(plan, link)
        )
    except DefinitionError as error:
        return [*found, *error.issues]
    if result is not None:
        found += issues(result, vocabulary)
    return found


def _or_candidates(link: Link) -> int:
    return sum("or" in candidate.joins for candidate in link.candidates)


def _dropped(plan: Plan, link: Link, vocabulary: Vocabulary) -> list[str]:
    missing = [i for i in range(1, len(link.candidates) + 1) if f"c{i}" not in plan.chosen]
    return [
        f"The message also asks for c{i}: {explain(link.candidates[i - 1].node, vocabulary.catalogue)}."
        for i in missing
    ]
