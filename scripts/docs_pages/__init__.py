"""The generated pages, one a file. See ``scripts/generate_docs.py``."""
