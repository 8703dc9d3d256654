"""Counts of what happened to recordings."""

from langid.data.utterance import Drops


def test_drops_are_counted_and_name_three_files():
    drops = Drops()
    for name in "abcd":
        drops.add("short", name)
    drops.add("silent", "e")
    assert drops.lines() == ["       4  short: a, b, c, …", "       1  silent: e"]
