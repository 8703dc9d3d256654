"""The table of what a dataset holds."""

from langid.data.tally import Tally, table


def test_the_table_counts_a_speaker_of_two_languages_once_in_the_total():
    tallies = {
        ("train", "fr"): Tally(1200, 7200, {"anna", "bea"}),
        ("train", "de"): Tally(1, 36, {"anna"}),
        ("validation", "fr"): Tally(2, 1800, {"carl"}),
    }
    rows = [line.split() for line in table(tallies).splitlines()]
    assert rows == [
        ["train", "validation"],
        ["language", "clips", "speakers", "h", "clips", "speakers", "h"],
        ["de", "1", "1", "0.01", "0", "0", "0.00"],
        ["fr", "1,200", "2", "2.00", "2", "1", "0.50"],
        ["all", "1,201", "2", "2.01", "2", "1", "0.50"],
    ]
