"""The HTTP interface: one router a resource, problem+json for every error, OpenAPI with examples."""
