"""Every action a policy may speak about. A name that is not here is refused, whatever the policies say."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What can be asked of the hub, as `room.verb`. Tools are `tool.<name>` and are judged as `tool.use`."""

    EVENTS_WRITE = "events.write"
    FACTS_WRITE = "facts.write"
    TICKETS_WRITE = "tickets.write"
    CHAT_USE = "chat.use"
    STRATEGIES_READ = "strategies.read"
    STRATEGIES_DRAFT = "strategies.draft"
    STRATEGIES_EDIT = "strategies.edit"
    STRATEGIES_APPROVE = "strategies.approve"
    STRATEGIES_PAUSE = "strategies.pause"
    STRATEGIES_RETIRE = "strategies.retire"
    STRATEGIES_SIMULATE = "strategies.simulate"
    DECISIONS_READ = "decisions.read"
    GRAPH_READ = "graph.read"
    GRAPH_WRITE = "graph.write"
    GRAPH_MERGE = "graph.merge"
    GRAPH_EXPORT = "graph.export"
    GRAPH_ERASE = "graph.erase"
    RETRIEVAL_SEARCH = "retrieval.search"
    RETRIEVAL_WRITE = "retrieval.write"
    CATALOG_READ = "catalog.read"
    CATALOG_WRITE = "catalog.write"
    CONSENT_READ = "consent.read"
    CONSENT_WRITE = "consent.write"
    APPROVALS_READ = "approvals.read"
    APPROVALS_DECIDE = "approvals.decide"
    EVAL_RUN = "eval.run"
    AUDIT_READ = "audit.read"
    KEYS_MANAGE = "keys.manage"
    INBOX_READ = "inbox.read"
    INBOX_WRITE = "inbox.write"
    OUTBOX_READ = "outbox.read"
    SOURCES_READ = "sources.read"
    SOURCES_WRITE = "sources.write"
    SETASIDE_READ = "setaside.read"
    PRIVACY_READ = "privacy.read"
    PRIVACY_EXPORT = "privacy.export"
    PRIVACY_ERASE = "privacy.erase"
    TOOL_USE = "tool.use"


def known_action(name: str) -> Action | None:
    """The action that `name` is judged as, or None when there is no such action."""
    if name.startswith("tool.") and len(name) > len("tool."):
        return Action.TOOL_USE
    return _BY_NAME.get(name)


_BY_NAME = {str(action): action for action in Action}
