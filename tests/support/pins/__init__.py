"""Every component that has a version, with what holds it to its numbers."""
