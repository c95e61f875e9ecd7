"""API keys: who may talk to the hub, in which role, until when. What a role may do is Cedar's matter (governance)."""

from app.auth.service import IssuedKey, Keys

__all__ = ["IssuedKey", "Keys"]
