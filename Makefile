.PHONY: install quickstart test lint types imports check bench

install:     ; pip install -e ".[dev]" -c constraints.txt
quickstart:  ; dferbench quickstart
test:        ; pytest
lint:        ; ruff check . && ruff format --check .
types:       ; mypy
imports:     ; lint-imports
check:       ; .ci/run
bench:       ; for file in benchmarks/[!_]*.py; do python $$file; done
