"""What everything that is saved under a name shares: the rule for names, near names, and the tag of a version."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from unicodedata import category

from segments.errors import NotFoundError, StaleError, UserError

MAX_NAME = 80
MAX_NAME_WORDS = 5
"""Of a name that is the whole of a message: a longer one asks for something."""
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


_ALONE = re.compile(
    r"(?:(?:please )?(?:call|name|save) (?:it|them|this)(?: as)? |as |under (?:the name )?"
    r"|(?:就|请)?(?:叫做?|取名|命名为|保存为|存为|用)|名[字称](?:是|叫|为)?)?"
    r"(?P<name>[^?？!！。;；]{1,40}?)[.。!！]?",
    re.IGNORECASE,
)
_NO_NAME = re.compile(
    r"(?:who|which|what|how|why|when|where|find|show|list|open|compare|plan|forecast|never ?mind|no|nope|yes|ok|okay|sure"
    r"|cancel|stop|forget|undo|back|leave|exclude|remove|add|change|make|write|keep|only|drop|export|give|do|don['’]t|measure|tell)\b"
    r"|排除|去掉|剔除|删|加上|导出|重新|给他们|换成|改成|打分|回测|撤销|返回|写一|只要|只看|预算|谁|哪|什么|怎|为|找|看|算了|不用|不要|取消|好|是|对比|预测",
    re.IGNORECASE,
)


def name_alone(message: str) -> str | None:
    """The name that answers 'under which name?'; None where a message plainly says something else."""
    match = _ALONE.fullmatch(" ".join(message.split()))
    if match is None or _NO_NAME.match(message.strip()):
        return None
    name = match["name"].strip(" \"'“”‘’「」《》")
    return name if name and len(name.split()) <= MAX_NAME_WORDS else None


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


ABSENT = "\n"
"""The tag of what is not there; no header can hold it."""


def check_tag(kind: str, name: str, tag: str | None, latest: tuple[int, str] | None) -> None:
    """Raise StaleError unless the latest (version, hash) has the tag, or one of several between spaces; `*` is the tag of
    whatever is there, ABSENT of what is not."""
    there = latest is not None and bool({"*", tag_of(*latest)} & set((tag or "").split()))
    if tag is not None and not (latest is None if tag == ABSENT else there):
        now = "is not there any more" if latest is None else f"is at version {latest[0]}"
        zh = "已经不在了" if latest is None else f"现在是第{latest[0]}版"
        raise StaleError(
            f"{kind.capitalize()} '{name}' {now}; look at it again before you change it.",
            f"{CHINESE[kind]}“{name}”{zh}；修改之前请再看一遍。",
        )
