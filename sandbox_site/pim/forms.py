"""What a browser sends."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

PROOF_OF_ORIGIN = "form-token"
"""The input with a form's token. No property has a name with a hyphen."""

_MAX_INPUTS = 5000


@dataclass(frozen=True)
class Form:
    """The inputs of a form, or the options of an address, by name."""

    inputs: dict[str, list[str]]

    @classmethod
    def read(cls, encoded: str) -> "Form":
        """Raises ValueError where it has more inputs than any form of ours."""
        return cls(
            parse_qs(encoded, keep_blank_values=True, max_num_fields=_MAX_INPUTS)
        )

    def __getitem__(self, name: str) -> str:
        """The last of the name, or nothing."""
        return self.inputs.get(name, [""])[-1]

    def all(self, name: str) -> Sequence[str]:
        return self.inputs.get(name, [])

    def integer(self, name: str) -> int:
        text = self[name]
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
