"""The service: settings, start-up wiring, HTTP API, keys, command line, migrations, the page at /. Whatever business
meaning there is lives in the rooms below."""

VERSION = "0.1.0"
