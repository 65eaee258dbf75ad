"""What everything that is saved under a name shares: the rule for names, near names, and the tag of a version."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from unicodedata import category

from segments.errors import NotFoundError, StaleError, UserError

MAX_NAME = 80
CHINESE = {"segment": "分群", "saved segment": "已保存分群", "plan": "方案", "experiment": "实验"}
"""Kinds of what is saved."""
QUOTED = re.compile(r"[\"“「《]([^\"”」》]{1,60})[\"”」》]|(?<!\w)['‘]([^'’]{1,60})['’](?!\w)")
"""A name in quotation marks."""
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode's categories of what is not printed but steers: controls, direction and format marks, breaks of lines."""
UNREACHABLE = re.compile(r"(^|/)\.\.?(/|$)|/customers$")
"""What no address of the API reaches: clients resolve dots, and `NAME/customers` lists the customers of a plan."""
NAMED = "\0"
"""Stands in a message where a name was."""


def names_in(message: str, known: Collection[str]) -> tuple[tuple[str, ...], str]:
    """The names of a message, in reading order (what is quoted is one, known or not), and the message with a mark in the
    place of each."""
    spelt = {name.casefold(): name for name in known}
    places = [
        (match.start(), match.end(), spelt.get(said.casefold(), said))
        for match in QUOTED.finditer(message)
        if (said := (match[1] or match[2]).strip())
    ]
    for name in sorted(known, key=len, reverse=True):
        for match in re.finditer(
            rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", message, re.IGNORECASE
        ):
            free = all(match.end() <= start or match.start() >= end for start, end, _ in places)
            # A bare number is a count or a day as often as a name.
            if free and not name.isdigit():
                places.append((match.start(), match.end(), name))
    places.sort()
    for start, end, _ in reversed(places):
        message = f"{message[:start]}{NAMED}{message[end:]}"
    return tuple(dict.fromkeys(name for _, _, name in places)), message


def checked_name(name: str) -> str:
    """The name without blanks around it. Raises UserError for a bad one."""
    name = name.strip()
    unseen = any(category(char) in UNSEEN for char in name)
    if not name or len(name) > MAX_NAME or unseen or UNREACHABLE.search(name):
        raise UserError(
            f"name: must be 1 to {MAX_NAME} printable characters, without '.' or '..' between slashes and not ending in "
            f"'/customers'; got {name[:20]!r}.",
            f"name：必须是1到{MAX_NAME}个可打印字符，斜杠之间不能只是“.”或“..”，也不能以“/customers”结尾，"
            f"而给的是{name[:20]!r}。",
        )
    return name


def not_found(kind: str, name: str, names: Iterable[str]) -> NotFoundError:
    """That nothing of this kind has the name, with the names that are near."""
    near = get_close_matches(name, list(names), n=2, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else "."
    zh = f"；您是指{'或'.join(near)}吗？" if near else "。"
    return NotFoundError(f"No {kind} is named '{name}'{hint}", f"没有名为“{name}”的{CHINESE[kind]}{zh}")


def tag_of(version: int, digest: str) -> str:
    """Changes with every version, and with what was deleted and made anew."""
    return f"{version}-{digest}"


def check_tag(kind: str, name: str, tag: str | None, latest: tuple[int, str] | None) -> None:
    """Raise StaleError unless the latest (version, hash) has the tag; `*` is the tag of whatever is there."""
    if tag is not None and (latest is None or tag not in ("*", tag_of(*latest))):
        now = "is not there any more" if latest is None else f"is at version {latest[0]}"
        zh = "已经不在了" if latest is None else f"现在是第{latest[0]}版"
        raise StaleError(
            f"{kind.capitalize()} '{name}' {now}; look at it again before you change it.",
            f"{CHINESE[kind]}“{name}”{zh}；修改之前请再看一遍。",
        )
