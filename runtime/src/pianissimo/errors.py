"""What can go wrong: one root; each child is also the builtin it resembles and carries its evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path  # costs as much as all the rest of this module


def _listed(names: Iterable[object]) -> str:
    """'a, b, c', or 'none' when there is nothing to list."""
    return ", ".join(str(name) for name in names) or "none"


def _restored(kind: type[PianissimoError], args: tuple[object, ...], state: dict[str, Any]) -> PianissimoError:
    """An error as it was in another process; its constructor takes evidence, not the finished message."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class PianissimoError(Exception):
    """Root of every error this package raises on purpose."""

    def __reduce__(self) -> tuple[Callable[..., PianissimoError], tuple[Any, ...]]:
        """Travel between worker processes whole, evidence included."""
        return _restored, (type(self), self.args, self.__dict__)


class AudioError(PianissimoError, ValueError):
    """The audio cannot be used: `problem` says what it is, `allowed` what would do."""

    def __init__(self, problem: str, allowed: str) -> None:
        self.problem, self.allowed = problem, allowed
        super().__init__(f"{problem}; allowed: {allowed}")


class EnrolmentError(PianissimoError, ValueError):
    """Somebody is not enrolled, or cannot be: `problem` says what is wrong, `allowed` what would do."""

    def __init__(self, problem: str, allowed: str) -> None:
        self.problem, self.allowed = problem, allowed
        super().__init__(f"{problem}; allowed: {allowed}")


class TaskError(PianissimoError, ValueError):
    """A model is asked for what its `task` does not do: `model`, what was `wanted`, the tasks that are `allowed`."""

    def __init__(self, model: str, task: str, wanted: str, allowed: Iterable[str]) -> None:
        self.model, self.task, self.wanted, self.allowed = model, task, wanted, tuple(allowed)
        super().__init__(
            f"{model} is a model of the task {task} and cannot {wanted}; allowed: a model of the task {_listed(self.allowed)}"
        )


class ManifestError(PianissimoError, ValueError):
    """A manifest or channel document is not what its schema says: `place`, `found`, `allowed`."""

    def __init__(self, place: str, found: object, allowed: str) -> None:
        self.place, self.found, self.allowed = place, str(found)[:200], allowed
        super().__init__(f"{place}: found {self.found}; allowed: {allowed}")


class SwitchError(PianissimoError, ValueError):
    """A switch of a library cannot be set so: `name`, `found`, `allowed`."""

    def __init__(self, name: str, found: object, allowed: str) -> None:
        self.name, self.found, self.allowed = name, str(found)[:200], allowed
        super().__init__(f"{name}: found {self.found}; allowed: {allowed}")


class FrontEndError(PianissimoError, ValueError):
    """A front end cannot be built or fed: `key`, `found`, `allowed`."""

    def __init__(self, key: str, found: object, allowed: str) -> None:
        self.key, self.found, self.allowed = key, str(found)[:200], allowed
        super().__init__(f"front end, {key}: found {self.found}; allowed: {allowed}")


class ModelNotFoundError(PianissimoError, LookupError):
    """No such model, version or channel (`what`) in the registry; `known` lists those there are."""

    def __init__(self, what: str, known: Iterable[object], registry: str) -> None:
        self.what, self.known, self.registry = what, tuple(known), registry
        super().__init__(f"no {what} in the registry {registry}; known: {_listed(self.known)}")


class PlatformNotFoundError(PianissimoError, LookupError):
    """The model has no such platform or variant, or several and none was named; `known` lists them."""

    def __init__(self, model: str, problem: str, known: Iterable[str]) -> None:
        self.model, self.problem, self.known = model, problem, tuple(known)
        super().__init__(f"{model}: {problem}; known: {_listed(self.known)}")


class IntegrityError(PianissimoError, OSError):
    """A file is not the one that was published: `file`, `what` differs, `expected`, `found`."""

    def __init__(self, file: str, what: str, expected: object, found: object) -> None:
        self.file, self.what, self.expected, self.found = file, what, expected, found
        super().__init__(f"{file}: {what} expected {expected}, found {found}; the file was not opened")


class SignatureError(PianissimoError, ValueError):
    """A document is not signed by a pinned key, or is older than the pinned version: `place`, `found`, `allowed`."""

    def __init__(self, place: str, found: str, allowed: str) -> None:
        self.place, self.found, self.allowed = place, found, allowed
        super().__init__(f"{place}: found {found}; allowed: {allowed}")


class BackendMissingError(PianissimoError, ImportError):
    """A backend is not installed, or this version has never heard of it: `backend`, `remedy`."""

    def __init__(self, backend: str, remedy: str) -> None:
        self.backend, self.remedy = backend, remedy
        super().__init__(f"backend {backend} is not available: {remedy}")


class BackendFailedError(PianissimoError, RuntimeError):
    """A backend could not open or run a model: `backend`, `file`, `reason`."""

    def __init__(self, backend: str, file: str | Path, reason: str) -> None:
        self.backend, self.file, self.reason = backend, str(file), reason
        super().__init__(f"backend {backend} failed on {file}: {reason}")


class VerificationError(PianissimoError, RuntimeError):
    """The model does not give its golden answers: `distances` beside `tolerances`, by name."""

    def __init__(
        self,
        model: str,
        problem: str,
        distances: Mapping[str, float] | None = None,
        tolerances: Mapping[str, float] | None = None,
    ) -> None:
        self.model, self.problem = model, problem
        self.distances, self.tolerances = dict(distances or {}), dict(tolerances or {})
        super().__init__(f"{model}: {problem}")


class RegistryError(PianissimoError, OSError):
    """A registry cannot be reached, read or written: `place`, `problem`, `allowed`."""

    def __init__(self, place: str, problem: str, allowed: str) -> None:
        self.place, self.problem, self.allowed = place, problem, allowed
        super().__init__(f"registry {place}: {problem}; allowed: {allowed}")
