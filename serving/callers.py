"""Who works at the command line: one place decides, and every command that touches a workspace asks it.

Who gives an API key acts as its user, in that user's role. Without one, whoever may write in the workspace's folder is
its operator, an admin under the name of their account on this machine: they could put any file of it, users and audit log
included, in another's place, so that to ask them for a key would protect nothing. Anybody else must give a key, from the
first user on. While there are no users, nobody is asked who they are.

A key comes from the environment or from a file that it names, never from an argument: arguments stay in the shell's
history and are seen by everybody on the machine.
"""

from __future__ import annotations

import os
import pwd
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.workspace import Workspace, open_workspace
from segments.errors import CommandError, ForbiddenError, NotBuiltError, UnauthenticatedError
from serving.access import Caller, Permission, Role, allow

if TYPE_CHECKING:
    from serving.audit import Audit
    from serving.users import Users

KEY_VARIABLE, KEY_FILE_VARIABLE = "SEGASSIST_API_KEY", "SEGASSIST_API_KEY_FILE"


def operator() -> Caller:
    """Whoever runs this process, as an admin under the name of their account."""
    try:
        # Of the account itself: a variable like LOGNAME could name anybody in the audit log.
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container's account may have no name
        name = f"uid-{os.geteuid()}"
    return Caller(name[:64], Role.admin, "cli")


def caller_at(workspace: Path) -> Caller:
    """Who uses the command line on a workspace. Raises UnauthenticatedError, CommandError for a key that is not read."""
    key = given_key()
    if not key and os.access(workspace, os.W_OK, effective_ids=True):
        return operator()
    try:
        users = users_of(workspace)
    except NotBuiltError:  # the command says what to run, or builds it
        return operator()
    if not users.on:
        return operator()
    if not key:
        raise UnauthenticatedError(
            f"{workspace} belongs to another account of this machine; give your API key in {KEY_VARIABLE}, or "
            f"the name of a file that holds it in {KEY_FILE_VARIABLE}.",
            f"{workspace}属于这台机器的另一个账户；请在 {KEY_VARIABLE} 中给出您的 API 密钥，或在 {KEY_FILE_VARIABLE} 中给出"
            "存放密钥的文件名。",
        )
    return users.caller(key).by("cli")


def acting(workspace: Path, permission: Permission, action: str) -> Caller:
    """As `caller_at`, with a role that is enough for a command. Raises ForbiddenError, and writes down that it was
    tried."""
    caller = caller_at(workspace)
    try:
        allow(caller, permission)
    except ForbiddenError:
        log_here(workspace, caller, "denied", of=action)
        raise
    return caller


def given_key() -> str:
    """The API key that the environment gives; empty when it gives none. Raises CommandError."""
    key, file = os.environ.get(KEY_VARIABLE, ""), os.environ.get(KEY_FILE_VARIABLE, "")
    if key and file:
        raise CommandError(f"{KEY_VARIABLE} and {KEY_FILE_VARIABLE} are both set; leave one of them.")
    if not file:
        return key.strip()
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{KEY_FILE_VARIABLE}: {file} cannot be read ({error}).") from error


def users_of(workspace: Path | Workspace) -> Users:
    """The users of a workspace, by its folder or as it was opened. Raises NotBuiltError."""
    from serving.users import Users

    opened = open_workspace(workspace) if isinstance(workspace, Path) else workspace
    return Users(opened.state, always=bool(opened.settings.oidc_issuer))


def audit_of(workspace: Path) -> Audit:
    """The audit log of a workspace. Raises NotBuiltError."""
    from serving.audit import Audit

    opened = open_workspace(workspace)
    return Audit(opened.folder, opened.audit)


def changing_here(
    workspace: Path, caller: Caller, action: str, **detail: Any
) -> AbstractContextManager[dict[str, Any]]:
    """Around a change: its entry of the audit log is written before it is made (`Audit.changing`)."""
    return audit_of(workspace).changing(caller, action, **detail)


def building_here(
    folder: Path, caller: Caller, action: str, **detail: Any
) -> AbstractContextManager[dict[str, Any]]:
    """As `changing_here`, in a folder that may have no workspace yet: then its log begins with this."""
    from serving.audit import Audit

    opened = Workspace.of(folder)
    return Audit(opened.folder, opened.audit).changing(caller, action, **detail)


def log_here(workspace: Path, caller: Caller, action: str, **detail: Any) -> None:
    """Write an entry of the audit log."""
    log = audit_of(workspace)
    log.write(caller, action, **detail)
    log.close()
