"""What may be done with customer data: policies, purposes, consent, masking of personal data."""

from knowledge.governance.actions import Action
from knowledge.governance.consent import Statement, consent_history, consented, import_consents, record_consent
from knowledge.governance.pii import Pii, find_pii, mask_pii
from knowledge.governance.policy import (
    PURPOSE_NAMES,
    ROLE_NAMES,
    Policy,
    Refusal,
    Verdict,
    audit_refusals,
    default_purpose,
)
from knowledge.governance.tables import Consent

__all__ = [
    "PURPOSE_NAMES",
    "ROLE_NAMES",
    "Action",
    "Consent",
    "Pii",
    "Policy",
    "Refusal",
    "Statement",
    "Verdict",
    "audit_refusals",
    "consent_history",
    "consented",
    "default_purpose",
    "find_pii",
    "import_consents",
    "mask_pii",
    "record_consent",
]
