"""Who may do what: four roles, and one table that says which of them each thing takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Literal

from segments.errors import ForbiddenError


class Role(IntEnum):
    """What a person is here to do; each role may do what the ones below it may."""

    viewer = 1
    marketer = 2
    analyst = 3
    admin = 4

    @property
    def zh(self) -> str:
        """Its name in Chinese."""
        return ROLES_ZH[self]


ROLES_ZH = {Role.viewer: "查看者", Role.marketer: "营销人员", Role.analyst: "分析师", Role.admin: "管理员"}


Permission = Literal["read", "ask", "write", "export", "operate"]

LEAST: dict[Permission, Role] = {
    "read": Role.viewer,
    "ask": Role.marketer,
    "write": Role.marketer,
    "export": Role.analyst,
    "operate": Role.admin,
}
"""The least role for each permission; nothing else decides.

read: catalogue, saved segments, counts, insights; small groups hidden. ask: questions to the assistant, which
may save and delete segments. write: save and delete segments. export: who the members are, one customer at a
time, groups of any size. operate: metrics, users, audit log.
"""

READING = frozenset(
    "show list profile find score discover recommend compare define refine open plan describe explain "
    "forecast estimate count preview trend breakdown overlap search review".split()
)
"""First words of the names of tools that change nothing."""


@dataclass(frozen=True)
class Caller:
    """Who asks, in what role, and by which way in (api, mcp, chat, page, cli).

    space: keeps conversations of different users apart; empty for the owner of an installation without users.
    key: the id of the key that was used.
    """

    name: str
    role: Role
    via: str = "api"
    space: str = ""
    key: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether the role is enough."""
        return self.role >= LEAST[permission]

    def by(self, via: str) -> Caller:
        """The same caller by another way in."""
        return replace(self, via=via)


OWNER = Caller("local", Role.admin)
"""Whoever uses an installation that has no users."""

PERMISSIONS_ZH: dict[Permission, str] = {
    "read": "查看",
    "ask": "提问",
    "write": "修改",
    "export": "导出",
    "operate": "运维",
}


def allow(caller: Caller, permission: Permission) -> None:
    """Raise ForbiddenError when the caller's role is not enough."""
    if not caller.may(permission):
        least, zh = LEAST[permission], PERMISSIONS_ZH[permission]
        raise ForbiddenError(
            f"{caller.name} is {_a(caller.role)}; to {permission} takes {_a(least)} at least.",
            f"{caller.name}的角色是{caller.role.zh}；{zh}至少需要{least.zh}。",
        )


def tool_permission(name: str, parameters: Any) -> Permission:
    """What a tool takes: one that names a single customer is an export, one of unknown effect is a change."""
    if "customer" in parameters or name.startswith("export_"):
        return "export"
    return "read" if only_reads(name) else "write"


def only_reads(name: str) -> bool:
    """Whether a tool of that name changes nothing."""
    return name.partition("_")[0] in READING


def _a(role: Role) -> str:
    return f"{'an' if role.name[0] in 'ae' else 'a'} {role.name}"
