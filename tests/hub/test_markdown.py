"""Markdown that cards are made of."""

from langid.hub.markdown import few, table


def test_markdown_keeps_to_its_cells():
    assert table(["a"], [["x|y\nz"]]) == "| a |\n| --- |\n| x\\|y z |"
    assert few(["a", "b", "c"], 2) == "a, b and 1 more"
