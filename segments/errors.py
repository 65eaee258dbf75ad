"""Every error the product raises on purpose, sorted by who acts next.

SegAssistError
├── ModelRetryError          the model retries: its answer did not fit (reason goes back to it)
├── UserError                the marketer or caller changes the request
│   ├── CommandError         the command line was given what it does not take; said in English only
│   ├── DefinitionError      a segment definition does not hold; carries all its issues
│   ├── NotFoundError        a name that does not exist (segment, outcome, conversation, file)
│   ├── ConflictError        the change contradicts what is stored
│   ├── StaleError           it has changed since the caller looked (If-Match)
│   ├── UnauthenticatedError no key, or one that does not hold
│   ├── ForbiddenError       the caller's role is not enough
│   ├── TooLargeError        the request has more bytes than are read
│   └── TooManyError         the key has used up its requests for now
├── OperatorError            the person who runs the installation acts
│   ├── NotBuiltError        nothing built yet; the message ends with the command to run
│   ├── DataError            a source file is missing, corrupt or fails the quality checks
│   ├── ChecksumError        a file's bytes are not the published ones
│   ├── EncryptionError      the key to encrypted data is missing, wrong or set where nothing is encrypted
│   ├── StorageError         the disk is full, read-only, or another process holds it
│   ├── PortInUseError       the address is taken
│   ├── LLMUnavailableError  the LLM server is down, slow or answers nonsense
│   └── BusyError            more is asked of the LLM server than it answers; says when to ask again
└── InternalError            our bug

`code` is stable: the API returns it, the CLI maps it to an exit status, the docs list it.

What a marketer can meet is said in English and Chinese, side by side where it is raised.
"""

from __future__ import annotations

from typing import Self


class Sentence(str):
    """A sentence in English that knows itself in Chinese."""

    zh: str

    def __new__(cls, en: str, zh: str) -> Self:
        """The same sentence in both languages."""
        made = super().__new__(cls, en)
        made.zh = zh
        return made

    def __reduce__(self) -> tuple[type[Sentence], tuple[str, str]]:
        return Sentence, (str(self), self.zh)


class SegAssistError(Exception):
    """Base of all; `str(error)` is one sentence in English that a person can act on, `zh` the same in Chinese."""

    code = "error"
    exit_status = 1

    def __init__(self, en: str, zh: str = "") -> None:
        super().__init__(en, zh)
        self.zh = zh

    def __str__(self) -> str:
        return str(self.args[0])


class ModelRetryError(SegAssistError):
    """The LLM's output did not type or did not fit; the message tells the model why."""

    code = "model_retry"


class UserError(SegAssistError):
    """The request cannot be met as it stands; the person who asked can change it."""

    code = "bad_request"
    exit_status = 2

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en, zh)


class CommandError(UserError):
    """The command line was given what it does not take: only who runs the installation reads it."""

    def __init__(self, en: str, zh: str = "") -> None:
        super().__init__(en, zh)


class DefinitionError(UserError):
    """A segment definition, or a part of it, does not hold. `issues` has one sentence for each mistake."""

    code = "invalid_definition"

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en, zh)
        self.issues: tuple[Sentence, ...] = (Sentence(en, zh),)

    @classmethod
    def of(cls, *issues: Sentence) -> DefinitionError:
        """All the mistakes that were found."""
        error = cls(" ".join(issues), " ".join(issue.zh for issue in issues))
        error.issues = issues
        return error


class NotFoundError(UserError):
    """A name was given that does not exist here."""

    code = "not_found"


class ConflictError(UserError):
    """The change contradicts what is already stored (same name, other content)."""

    code = "conflict"


class StaleError(ConflictError):
    """What the caller wants to change is no longer what the caller saw."""

    code = "precondition_failed"


class UnauthenticatedError(UserError):
    """The caller did not say who they are, or their key does not hold (any more)."""

    code = "unauthenticated"


class ForbiddenError(UserError):
    """The caller's role is not enough for this."""

    code = "forbidden"


class TooLargeError(UserError):
    """The request has more bytes than the server reads."""

    code = "too_large"


class TooManyError(UserError):
    """The caller's key has made as many requests as it may for now."""

    code = "rate_limited"


class OperatorError(SegAssistError):
    """The installation needs a hand: the message ends with what to do. Without Chinese words of its own, it asks in
    Chinese to tell the operator, and what."""

    code = "unavailable"

    def __init__(self, en: str, zh: str = "") -> None:
        super().__init__(en, zh or f"请把这句话转告管理员：{en}")


class NotBuiltError(OperatorError):
    """The workspace, model or index has not been built yet."""

    code = "not_built"
    exit_status = 3


class DataError(OperatorError):
    """A source file is missing, unreadable, or its content fails the checks."""

    code = "bad_data"


class ChecksumError(OperatorError):
    """A file's SHA-256 is not the published one; the file is not used."""

    code = "checksum_mismatch"


class EncryptionError(OperatorError):
    """The key to encrypted data is missing or wrong, or a key is set where nothing is encrypted."""

    code = "encryption"


class StorageError(OperatorError):
    """The disk is full or read-only, or another process holds the store."""

    code = "storage"


class PortInUseError(OperatorError):
    """Another program listens on the address."""

    code = "port_in_use"


class LLMUnavailableError(OperatorError):
    """The LLM server cannot be reached, is too slow, or keeps answering out of protocol."""

    code = "llm_unavailable"
    exit_status = 4


class BusyError(OperatorError):
    """So many questions wait for the LLM server that this one is not taken. seconds: after which to ask again."""

    code = "busy"

    def __init__(self, en: str, zh: str, seconds: int) -> None:
        super().__init__(en, zh)
        self.seconds = seconds


class GoneError(BusyError):
    """Who asked has closed the connection: nobody reads the answer, and only the audit log has the code."""

    def __init__(self) -> None:
        super().__init__("Who asked has gone.", "提问者已离开。", 1)


class InternalError(SegAssistError):
    """A state that the code holds impossible: our bug, worth a report."""

    code = "internal"


def code_of(error: BaseException) -> str:
    """What a log or a trace says of an error: its code, or its kind where it has none. Its words may name a customer."""
    return str(getattr(error, "code", type(error).__name__))
