"""The tables of ``docs/perturbations.md``, written from the perturbations and suites themselves."""

from perturbations._contract import Perturbation
from perturbations._suite import load, perturbation_files, suite, suites

HEAD = "| perturbation | unit | levels 1 to 5 | draws | label | source |\n|:--|:--|:--|:--|:--|:--|"


def tables() -> str:
    """A section for each family, then one for the suites, in Markdown."""
    families: dict[str, list[str]] = {}
    for name in perturbation_files():
        families.setdefault(load(name).family, []).append(name)
    sections = [
        "\n".join([_head(family), "", HEAD, *(_row(name, load(name)) for name in names), "", *map(_picture, names)])
        for family, names in sorted(families.items())
    ]
    return "\n\n".join([*sections, "## Suites", *(_suite(name) for name in suites())]) + "\n"


def _head(family: str) -> str:
    return f"### {family.replace('_', ' ').capitalize()}"


def _picture(name: str) -> str:
    """The pictures are those of ``dferbench gallery full validation --pictures``."""
    return f"![{load(name).title}, severities 0 to 5](images/perturbations/{name}.webp)"


def _row(name: str, member: Perturbation) -> str:
    levels = ", ".join(f"{level:.3g}" if level < 1000 else f"{level:.0f}" for level in member.levels)
    label = "kept" if member.label_preserving == "yes" else "order destroyed"
    return f"| `{name}` | {member.unit} | {levels} | {member.granularity} | {label} | {member.source} |"


def _suite(name: str) -> str:
    read = suite(name)
    lines = [f"**`{name}`** ({len(read.names)} perturbations, {len(read.conditions)} conditions). {read.title}"]
    if len(read.names) <= 40:
        lines.append(", ".join(f"`{each}`" for each in read.names) + ".")
    lines += (
        [f"Left out: {', '.join(f'`{what}` ({why})' for what, why in read.missing.items())}."] if read.missing else []
    )
    return "\n\n".join(lines)
