"""Who runs a study and how far it is, from any shell: driver, progress, status, stop, retry, clean."""
