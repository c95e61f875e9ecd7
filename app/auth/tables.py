"""The table of API keys. The secret itself is never stored."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class ApiKey(SQLModel, table=True):
    """One key. `id` is the public part of `zs_<id>_<secret>`; `digest` is SHA-256 of salt and secret (the secret has
    256 random bits, so a slow hash would add nothing)."""

    __tablename__ = "api_key"

    id: str = Field(primary_key=True)
    tenant: str = Field(index=True)
    name: str
    role: str
    salt: str
    digest: str
    created_at: int = Field(sa_type=BigInteger)
    created_by: str
    expires_at: int | None = Field(default=None, sa_type=BigInteger)
    revoked_at: int | None = Field(default=None, sa_type=BigInteger)
