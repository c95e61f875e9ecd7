"""Making, checking and revoking API keys."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from app.auth import repository
from app.auth.tables import ApiKey
from core import audit
from core.clock import Clock
from core.context import RequestContext, Role
from core.db import Database
from core.errors import Conflict, InvalidInput, NotFound, Unauthorized
from core.text import Text

_FORM = re.compile(r"zs_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NOT_ACCEPTED = Text("API 密钥无效", "the API key is not valid")
_HOW = Text(
    "请带上请求头 Authorization: Bearer zs_…；首次启动时打印的管理密钥在 var/admin.key",
    "Send the header Authorization: Bearer zs_…; the admin key printed at the first start is in var/admin.key",
)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key's row and, this once, its whole text."""

    row: ApiKey
    text: str


class Keys:
    """API keys of all tenants in one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(self, ctx: RequestContext, name: str, role: Role, expires_at: int | None = None) -> IssuedKey:
        """A new key of the caller's tenant. `expires_at` is a moment in microseconds; None: it does not expire."""
        if expires_at is not None and expires_at <= self._clock.now():
            raise InvalidInput(
                Text("到期时间已过", "the expiry time has passed already"), where={"field": "expires_at"}
            )
        secret, salt = secrets.token_urlsafe(32), secrets.token_hex(16)
        row = ApiKey(
            id=secrets.token_hex(6),
            tenant=ctx.tenant,
            name=name,
            role=role.value,
            salt=salt,
            digest=_digest(salt, secret),
            created_at=self._clock.now(),
            created_by=ctx.actor,
            expires_at=expires_at,
        )
        with self._database.transaction() as session:
            repository.add(session, row)
            detail = {"name": name, "role": role.value, "expires_at": expires_at}
            audit.record(session, ctx, self._clock, "keys.create", f"key/{row.id}", detail)
        return IssuedKey(row, f"zs_{row.id}_{secret}")

    def revoke(self, ctx: RequestContext, key_id: str) -> None:
        """From now on the key opens nothing.

        Raises:
            NotFound: the tenant has no such key.
            Conflict: it is revoked already.
        """
        with self._database.transaction() as session:
            row = repository.find(session, key_id)
            if row is None or row.tenant != ctx.tenant:
                raise NotFound(Text(f"没有密钥 {key_id!r}", f"there is no key {key_id!r}"))
            if row.revoked_at is not None:
                raise Conflict(Text(f"密钥 {key_id!r} 已吊销", f"key {key_id!r} is revoked already"))
            row.revoked_at = self._clock.now()
            session.add(row)
            audit.record(session, ctx, self._clock, "keys.revoke", f"key/{key_id}", {"name": row.name})

    def list(self, ctx: RequestContext) -> list[ApiKey]:
        with self._database.reading() as session:
            return repository.of_tenant(session, ctx.tenant)

    def authenticate(self, text: str) -> ApiKey:
        """The key's row.

        Raises:
            Unauthorized: malformed, unknown, wrong, revoked or expired; the answer does not tell which of the first
                three.
        """
        match = _FORM.fullmatch(text)
        row = None
        if match:
            with self._database.reading() as session:
                row = repository.find(session, match.group(1))
        # Unknown ids are hashed and compared as well, so that they take as long as a wrong secret.
        salt, wanted = (row.salt, row.digest) if row else ("", _digest("", ""))
        right = hmac.compare_digest(_digest(salt, match.group(2) if match else "-"), wanted)
        if row is None or not right:
            raise Unauthorized(_NOT_ACCEPTED, hint=_HOW)
        if row.revoked_at is not None:
            raise Unauthorized(Text("API 密钥已吊销", "the API key is revoked"))
        if row.expires_at is not None and row.expires_at <= self._clock.now():
            raise Unauthorized(Text("API 密钥已过期", "the API key has expired"))
        return row

    def first_admin(self, ctx: RequestContext) -> str | None:
        """The text of a new admin key when the tenant has no key at all (the first start), else None."""
        if self.list(ctx):
            return None
        return self.create(ctx, "first admin", Role.ADMIN).text


def _digest(salt: str, secret: str) -> str:
    return hashlib.sha256(f"{salt}:{secret}".encode()).hexdigest()
