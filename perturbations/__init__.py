"""One perturbation a file; suites of them in ``suites/``."""
