"""What goes wrong: on the wire, and at the command line."""

from collections.abc import Iterable, Mapping

from .messages import Response, json_response


class SandboxError(Exception):
    """Something that whoever runs the sandbox PIM can mend; the message says how."""


class UnknownProductsError(SandboxError):
    def __init__(self, numbers: Iterable[str], effect: str) -> None:
        self.numbers = sorted(numbers)
        super().__init__(
            f"There is no product with the number {', '.join(self.numbers)}. {effect}"
        )


class ConflictError(SandboxError):
    """A record that cannot be inserted beside one that is there already."""


class MissingReferenceError(SandboxError):
    """A record that refers to one that is not there."""


class EntryError(SandboxError):
    """What a person entered and the PIM does not take.

    ``messages`` say why, by the name of the input.
    """

    def __init__(self, messages: Mapping[str, str]) -> None:
        self.messages = messages
        super().__init__("\n".join(f"{name}: {why}" for name, why in messages.items()))


class ODataError(Exception):
    """An answer that is an error, in the shape that OData gives errors."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def response(self) -> Response:
        error = {"error": {"code": self.code, "message": self.message}}
        return json_response(self.status, error, self.headers)
