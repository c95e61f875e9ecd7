"""Tickets as the service keeps them: what came in, and what the agents made of it."""

from app.tickets.service import Tickets
from app.tickets.tables import TicketRow

__all__ = ["TicketRow", "Tickets"]
