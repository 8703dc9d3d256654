"""Markdown for the cards: templates, tables, shares and counts."""

from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"  # for `RepoCard.from_template`


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(map(_cell, row)) + " |" for row in rows])


def percent(share: float | None, digits: int = 1) -> str:
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def few(names: list[str], n_shown: int = 6) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(names[:n_shown])
    return shown if len(names) <= n_shown else f"{shown} and {len(names) - n_shown} more"


def _cell(text: str) -> str:
    """Text that neither ends its cell nor its row."""
    return " ".join(text.split()).replace("|", "\\|")
