"""SQL of API keys."""

from __future__ import annotations

from sqlmodel import Session, col, select

from app.auth.tables import ApiKey
from core.ids import TenantId


def add(session: Session, key: ApiKey) -> None:
    session.add(key)
    session.flush()


def find(session: Session, key_id: str) -> ApiKey | None:
    """By id alone: before a key is checked, nobody knows the tenant."""
    return session.get(ApiKey, key_id)


def of_tenant(session: Session, tenant: TenantId) -> list[ApiKey]:
    """Newest first."""
    return list(session.exec(select(ApiKey).where(ApiKey.tenant == tenant).order_by(col(ApiKey.created_at).desc())))
