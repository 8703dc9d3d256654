"""Counts of what happened to recordings."""

from langid.data.utterance import ReasonCounts


def test_drops_are_counted_and_name_three_files():
    excluded = ReasonCounts()
    for name in "abcd":
        excluded.add("short", name)
    excluded.add("silent", "e")
    assert excluded.lines() == ["       4  short: a, b, c, …", "       1  silent: e"]
