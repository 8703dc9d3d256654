"""The measured figures beside the weights, and what the page says of them."""

import json

from langid.checkpoint import EMBEDDED_NAME
from langid.page.figures import UNKNOWN, describe_figures, read_figures

FIGURES = {
    "n_clips": 1234,
    "clip_accuracy": 0.846,
    "clip_accuracy_open": 0.8,
    "none_recall": 0.97,
    "ece": 0.041,
    "wild": {"n": 10, "clip_accuracy": 0.77},
    "per_language": {
        "en": {"n": 5, "recall": 0.9, "recall_open": 0.8},
        "eo": {"n": 0, "recall": None, "recall_open": None},
        "other": {"n": 5, "recall": None, "recall_open": 0.5},
        "none": {"n": 5, "recall": None, "recall_open": 0.97},
    },
    "by_duration": {"under 3 s": {"n": 3, "clip_accuracy": 0.7, "clip_accuracy_open": 0.6}},
}


def test_every_figure_has_its_line():
    assert describe_figures(FIGURES).splitlines() == [
        "| On 1,234 recordings that are not in its training | Correct |",
        "|:--|--:|",
        "| The right one of its languages | 85% |",
        "| – English | 90% |",
        "| – recordings of under 3 s | 70% |",
        "| – sources that are not in its training | 77% |",
        "| The right one of all its answers | 80% |",
        "| – another language, noticed | 50% |",
        "| – no speech, noticed | 97% |",
        "",
        "The percentages of the bars were 4 points off, on average.",
    ]


def test_missing_and_odd_figures_are_left_out():
    odd = {"clip_accuracy": 0.5, "per_language": None, "by_duration": [], "wild": 3, "ece": "?"}
    assert describe_figures(odd).splitlines()[0].startswith("| On recordings")
    assert len(describe_figures(odd).splitlines()) == 3


def test_without_figures_the_page_says_so():
    for nothing in (None, {}, {"clip_accuracy": None}):
        assert describe_figures(nothing) == UNKNOWN


def test_figures_are_read_from_the_folder_of_the_weights(tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps(FIGURES), encoding="utf-8")
    assert read_figures(str(tmp_path)) == FIGURES


def test_a_folder_without_readable_figures_has_none(tmp_path):
    assert read_figures(str(tmp_path)) is None
    for text in ("{", "[1]", "\xff"):
        (tmp_path / "metrics.json").write_text(text, encoding="latin-1")
        assert read_figures(str(tmp_path)) is None


def test_the_embedded_figures_can_be_told():
    assert describe_figures(read_figures(EMBEDDED_NAME))


def test_figures_by_which_the_weights_were_chosen_say_so():
    assert "expect a little less" not in describe_figures({"clip_accuracy": 0.8})
    assert "expect a little less" in describe_figures({"clip_accuracy": 0.8, "training": {}})
