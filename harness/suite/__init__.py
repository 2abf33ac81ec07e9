"""What a user wants run: the YAML suite, its checks, and the trials it expands to."""
