"""Parsers, one a format: text in, a ``Document`` out. None raises on what it does not understand."""
