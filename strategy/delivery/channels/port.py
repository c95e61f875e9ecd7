"""What a channel is to the outbox. Every channel passes tests/conformance/test_channel.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from core.text import Text
from core.times import Micros


@dataclass(frozen=True, slots=True)
class Message:
    """One action on its way to one receiver. `key` is the same on every try: a channel uses it so that its receiver can
    tell a second send from a second message. `note`: why a person gets it instead of the channel that was wanted."""

    key: str
    tenant: str
    decision: str
    strategy: str
    subject: str
    kind: Literal["task", "message"]
    title: Text
    body: Text
    at: Micros
    action: str | None = None
    wanted: str | None = None
    address: str | None = None
    variant: str | None = None
    note: Text | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    def as_payload(self) -> dict[str, Any]:
        """What the outbox row keeps beside its own columns."""
        return {
            "kind": self.kind,
            "title": self.title._asdict(),
            "body": self.body._asdict(),
            "at": self.at,
            "action": self.action,
            "variant": self.variant,
            "note": self.note._asdict() if self.note else None,
            "params": dict(self.params),
        }


class Channel(Protocol):
    """Sends one message and returns once the receiver has taken it.

    Raises (from `send`):
        Unavailable: not now; trying later may help. `where["retry_after"]` (seconds) is the receiver's wish.
        Refused: never; the receiver will not take this message.
    """

    @property
    def name(self) -> str: ...

    @property
    def needs_address(self) -> bool:
        """Whether a message without an address cannot be sent on it."""
        ...

    def send(self, message: Message) -> None: ...
