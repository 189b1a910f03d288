"""Every table that dferbench writes: schemas, atomic writes, checked reads."""
