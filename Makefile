.PHONY: install quickstart test lint types imports check released bench gpu gpu-pixels gpu-suite gpu-waits gpu-packing

install:     ; pip install -e ".[dev]" -c constraints.txt
quickstart:  ; dferbench quickstart
test:        ; pytest
lint:        ; ruff check . && ruff format --check .
types:       ; mypy
imports:     ; lint-imports
check:       ; .ci/run
released:    ; python .ci/released.py
bench:       ; for file in benchmarks/[!_]*.py; do python $$file; done

# What only a GPU can show; make --keep-going gpu goes on where one of them fails.
gpu:         gpu-pixels gpu-suite gpu-waits gpu-packing
gpu-pixels:  ; pytest tests/contract/test_every_perturbation_on_a_gpu.py
gpu-suite:   ; python benchmarks/suite_overhead.py --device cuda --precision bfloat16 --clips 64 --rounds 5
gpu-waits:   ; python benchmarks/study_overhead.py --units 20 --gpus 1 --slots 1 --epochs 200
gpu-packing: ; python benchmarks/gpu_packing.py
