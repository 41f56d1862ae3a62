"""The checks: one a file, named after its code. ``registry.CHECKS`` is the only list."""
