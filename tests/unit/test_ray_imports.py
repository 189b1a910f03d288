"""Which of Ray's packages may be used: ``ray`` and ``ray.tune``. Its others of the same names break inside Tune."""

import ast
from pathlib import Path

import harness

ALLOWED = dict.fromkeys(("ray_mlflow.py", "ray_wandb.py"), ("ray.air.integrations",))
FORBIDDEN = ("ray.train", "ray.air")


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_the_packages_of_ray_that_break_inside_tune_are_not_imported():
    for path in Path(harness.__file__).parent.rglob("*.py"):
        allowed = ALLOWED.get(path.name, ())
        wrong = [name for name in imported(path) if name.startswith(FORBIDDEN) and not name.startswith(allowed or "-")]
        assert not wrong, f"{path}: {wrong}"


def test_ray_is_imported_in_files_of_that_name_alone():
    for path in Path(harness.__file__).parent.rglob("*.py"):
        if not path.name.startswith("ray_"):
            wrong = [name for name in imported(path) if name == "ray" or name.startswith("ray.")]
            assert not wrong, f"{path}: {wrong}"
