"""The tree of errors. Each is a sentence that a user can act on, and knows its exit code.

SelfhealError                  70  internal, or nothing more precise fits
├── UsageError                  2  flags, arguments
│   └── SettingsError           2  settings files and environment
├── NotHealed                   1  the attempts are used up; the best one is kept
├── ApprovalRefused             3  somebody said no, or nobody was there to say yes
├── SandboxError                4  the sandbox is not there, or it is lost for good
│   ├── SandboxLost             4  it was there and is gone: a fresh one may be opened
│   └── TreeRejected            4  it holds a file that must not come out
├── ModelError                  5  the model does not answer, or answers nonsense
│   ├── ModelRetryable          5  the same request may work later
│   ├── ModelRefusedKey         5  the key is wrong, missing or not allowed
│   ├── ModelAnswerInvalid      5  the answer cannot be used (cut stream, broken call)
│   ├── ContextOverflow         5  the request is larger than the model's context
│   └── ToolsUnsupported        5  the model takes no native tool calls
├── RepositoryRefused           6  state, conflict, lock, rejected push
├── LimitReached                7  cost, time or steps
└── Interrupted           128+sig  a signal ended the run
"""

from __future__ import annotations


class SelfhealError(Exception):
    """Root of all errors that are shown to the user as one sentence."""

    exit_code = 70


class UsageError(SelfhealError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class SettingsError(UsageError):
    """A settings file or variable holds something that is not understood."""


class NotHealed(SelfhealError):
    """No attempt made the check pass."""

    exit_code = 1


class ApprovalRefused(SelfhealError):
    """An approval was refused, or nobody was there to give it."""

    exit_code = 3


class SandboxError(SelfhealError):
    """The sandbox cannot be had."""

    exit_code = 4


class SandboxLost(SandboxError):
    """The sandbox was there and is gone; a fresh one from the last snapshot may work."""


class TreeRejected(SandboxError):
    """The sandbox's tree holds a name or a kind of file that must not come out."""


class ModelError(SelfhealError):
    """The model does not answer, or what it answers cannot be used."""

    exit_code = 5


class ModelRetryable(ModelError):
    """The same request may work later: rate limit, server fault, connection, stall."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelRefusedKey(ModelError):
    """The provider refused the key (401, 403) or none is set."""


class ModelAnswerInvalid(ModelError):
    """The answer ended without a finish reason, or holds a call that cannot be read."""


class ContextOverflow(ModelError):
    """The request is larger than the model's context window."""


class ToolsUnsupported(ModelError):
    """The endpoint refuses requests that carry tools."""


class RepositoryRefused(SelfhealError):
    """The repository is in a state, or holds a lock or a conflict, that forbids the step."""

    exit_code = 6


class LimitReached(SelfhealError):
    """A limit of the run (cost, time, steps) is used up."""

    exit_code = 7


class Interrupted(SelfhealError):
    """A signal asked the run to end."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"ended by signal {signal_number}")
        self.exit_code = 128 + signal_number
