"""Chat models behind one tool-calling interface: the playbook, an OpenAI-compatible endpoint, the breaker between."""
