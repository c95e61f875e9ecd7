"""The ground: time, ids, errors, bilingual text, events, database session, audit log. Imports nothing of ours."""
