"""Every exception the harness raises on purpose.

    HarnessError
    ├── UserError          the user's mistake: one clear line naming file, key and fix; exit code 2
    │   ├── SpecError      an experiment, sweep, board or manifest file is wrong
    │   │   └── DataMissing  a benchmark has to be fetched first
    │   ├── StoreError     a run folder or a record is wrong, or cannot be written
    │   └── MissingExtra   an optional dependency is absent; the message is the install command
    └── InfraError         the machine's failure: becomes an INFRA verdict, retried, never a model failure
        ├── ServiceDown    a server or process is gone or refuses connections
        ├── ServiceTimeout a deadline passed without an answer
        └── BadReply       an answer that the protocol does not allow

The model's failure is no exception but a `Verdict`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class HarnessError(Exception):
    """Base of every exception raised on purpose."""


class UserError(HarnessError):
    """The user's mistake. The message is one line that says what to change."""


class SpecError(UserError):
    """An experiment, sweep, board or manifest file is wrong."""


class DataMissing(SpecError):
    """A benchmark is described here and its data is not on this machine."""


class StoreError(UserError):
    """A run folder or a record is wrong, or cannot be written."""


class MissingExtra(UserError):
    """An optional dependency is absent."""


class InfraError(HarnessError):
    """The machine's failure."""


class ServiceDown(InfraError):
    """A server or process is gone or refuses connections."""


class ServiceTimeout(InfraError):
    """A deadline passed without an answer."""


class ForeignText(InfraError):
    """The benchmark's own text fails on this Lean: another version, or a library is missing."""


class BadReply(InfraError):
    """An answer that the protocol does not allow."""


@contextmanager
def boundary(error: type[HarnessError], what: str) -> Iterator[None]:
    """Classify whatever escapes a call to somebody else's code as `error`; ours passes unchanged.

    The one place with a broad `except`: use it where a library or a service is called.
    """
    try:
        yield
    except HarnessError:
        raise
    except Exception as cause:
        raise error(f"{what}: {type(cause).__name__}: {cause}") from cause
