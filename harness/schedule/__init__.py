"""Which unit of work runs when, and where."""
