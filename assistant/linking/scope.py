"""How the conditions of a message hang together: where 'or' reaches, read both ways, the likelier first.

'A and either B or C' binds the alternatives tightly, 'A, B or C' lists three; a comma before the 'or' ends what
stood before it ('homeowners with kids, or anyone over 65'); 'but' and 'except' apply to everything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.linking.candidates import Candidate
from assistant.linking.ranks import AMONG
from segments.canonical import fingerprint
from segments.definition import AllOf, AnyOf, Condition, Node, Not, RankCondition, conditions

_OR = re.compile(r"\bor\b(?! (?:less|more|fewer|better|so)\b)|或|要么|还是", re.IGNORECASE)
_EITHER = re.compile(r"\beither\b|要么|任意一|（$", re.IGNORECASE)
_ANY_OF = re.compile(
    r"(?:满足|符合|达到|占)(?:其中|上述|以上)?的?(?:任何|任意|任|其)(?:一|1)(?:个|项|条|种)?(?:条件)?|任[何意]?一[项条个](?:条件)?(?:都行|都可以|就行|即可|均可|都算)"
)
"""'满足任何一个都行': what was listed are alternatives."""
_AMONG_ZH = re.compile(r"^[^前最。]*?(?:家庭|客户|顾客|用户|会员|人)(?:里面?|中|之中|当中)[，,]")
"""'有孩子的家庭里，花钱最多的前100户': said before the rank, it says who is ranked."""
_STOP = re.compile(r"[,;，；]")
_LISTED = re.compile(r"\s*[,、]\s*")
_OVERALL = re.compile(
    r"\bbut\b|\bexcept|\bexclud|\bleav(?:e|ing) out\b|\bminus\b|[,;]\s*(?:and|who)\b|但|不过|除了|排除|并且|而且|[，；]\s*且",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Unit:
    """What one clause asks for, and the words between it and the clause before."""

    node: Node
    lead: str


def readings(text: str, found: Sequence[Candidate]) -> tuple[Node, ...]:
    """Every way to read the conditions together (one or two), the likelier first; none without any."""
    ranked = [candidate for candidate in found if isinstance(candidate.node, RankCondition)]
    others = [candidate for candidate in found if candidate not in ranked]
    if len(ranked) == 1 and others and (AMONG.search(text) or _AMONG_ZH.search(text)):
        rank = ranked[0].node
        assert isinstance(rank, RankCondition)
        return tuple(replace(rank, among=whom) for whom in readings(text, others))
    units = _units(text, _bracketed(text, found))
    if not units:
        return ()
    if len(units) > 1 and _ANY_OF.search(text):
        return (_together([unit.node for unit in units], AnyOf),)
    tight, loose = _tight(units), _loose(units)
    ordered = (loose, tight) if _prefers_loose(units) else (tight, loose)
    return tuple({fingerprint(node): node for node in ordered}.values())


def _bracketed(text: str, found: Sequence[Candidate]) -> list[Candidate]:
    """'(A and B) or C': conditions that brackets hold together are one."""
    out = list(found)
    for match in _BRACKETS.finditer(text):
        inside = [c for c in out if match.start() < c.start and c.end <= match.end() and c.end > 0]
        if len(inside) < 2:
            continue
        negative = _NOT_THOSE.search(text[: match.start()]) is not None
        if negative:
            inside = [replace(c, node=c.node.child) if isinstance(c.node, Not) else c for c in inside]
        node = readings(
            match[1], [replace(c, start=c.start - match.start(1), end=c.end - match.start(1)) for c in inside]
        )
        whole = Candidate(Not(node[0]) if negative else node[0], match.start(), match.end(), inside[0].joins)
        out = [c for c in out if not (match.start() < c.start and c.end <= match.end() and c.end > 0)]
        out.append(whole)
    return out


_BRACKETS = re.compile(r"[(（]([^()（）]*)[)）]")
_NOT_THOSE = re.compile(r"\bnot among those who\s*$", re.IGNORECASE)


def _units(text: str, found: Sequence[Candidate]) -> list[_Unit]:
    units: list[_Unit] = []
    place, nodes, lead = -1, list[Node](), ""
    for candidate in sorted(found, key=lambda c: (c.end == 0, c.start)):
        if nodes and candidate.start != place:
            units.append(_Unit(_together(nodes, AllOf), lead))
            nodes = []
        if not nodes:
            before = found[0].start if not units else _end_before(found, candidate.start)
            lead = text[:before] if not units else text[before : candidate.start]
            if re.match(r"\s*[(（](?=[一-鿿])", text[candidate.start :]):
                lead += "（"
            place = candidate.start
        nodes.append(candidate.node)
    if nodes:
        units.append(_Unit(_together(nodes, AllOf), lead))
    return units


def _end_before(found: Sequence[Candidate], start: int) -> int:
    return max((c.end for c in found if c.end <= start), default=0)


def _tight(units: Sequence[_Unit]) -> Node:
    """Alternatives are what stands next to an 'or'; groups of them must all hold."""
    groups: list[list[Node]] = []
    inside_either = False
    alternatives = [bool(_OR.search(unit.lead)) for unit in units]
    for i in range(len(units) - 2, 0, -1):
        # 'A, B or C' lists three alternatives: a comma alone is read as the word that ends its list.
        alternatives[i] = alternatives[i] or (alternatives[i + 1] and bool(_LISTED.fullmatch(units[i].lead)))
    for unit, alternative in zip(units, alternatives, strict=True):
        opens = bool(_EITHER.search(unit.lead)) and not inside_either
        if groups and alternative and not opens:
            groups[-1].append(unit.node)
        else:
            groups.append([unit.node])
            inside_either = opens
    return _together([_together(group, AnyOf) for group in groups], AllOf)


def _loose(units: Sequence[_Unit]) -> Node:
    """An 'or' parts everything before it from everything after it; 'but' holds for both parts."""
    if any(_EITHER.search(unit.lead) for unit in units[1:]):
        return _tight(units)
    runs: list[list[Node]] = [[]]
    overall: list[Node] = []
    for unit in units:
        if runs[0] and _OR.search(unit.lead):
            runs.append([])
        if overall or (len(runs) > 1 and runs[-1] and _OVERALL.search(unit.lead)):
            overall.append(unit.node)
        else:
            runs[-1].append(unit.node)
    alternatives = [_together(run, AllOf) for run in runs if run]
    return _together([_together(alternatives, AnyOf), *overall], AllOf)


def _prefers_loose(units: Sequence[_Unit]) -> bool:
    """Whether a comma stands before an 'or' that at least two conditions precede, or both sides speak of the same."""
    if _parallel(units):
        return True
    run = 0
    for unit in units:
        if run >= 2 and _OR.search(unit.lead) and _STOP.search(unit.lead):
            return True
        run = 1 if _OR.search(unit.lead) and not _STOP.search(unit.lead) else run + 1
    return False


def _parallel(units: Sequence[_Unit]) -> bool:
    """'married homeowners with three coupons or unmarried renters with none': two whole descriptions."""
    places = [i for i, unit in enumerate(units) if i and _OR.search(unit.lead)]
    if len(places) != 1:
        return False
    sides = units[: places[0]], units[places[0] :]
    left, right = ({_about(c) for unit in side for c in conditions(unit.node)} for side in sides)
    return len(left & right) >= 2 and len(units) > 2


def _about(condition: Condition) -> str:
    """The feature or the event that a condition is on."""
    return str(getattr(condition, "feature", getattr(condition, "event", type(condition).__name__)))


def _together(nodes: Sequence[Node], kind: type[AllOf] | type[AnyOf]) -> Node:
    return nodes[0] if len(nodes) == 1 else kind(tuple(nodes))
