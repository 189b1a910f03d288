"""Figures as inline SVG: info(table) -> NamedTuple, then draw(info)."""
