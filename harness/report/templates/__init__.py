"""The page and its sections as Jinja templates, with their style and script."""
