"""The suites that ship with the harness, as YAML."""
