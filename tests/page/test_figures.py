"""The measured figures beside the weights, and what the page says of them."""

import json
from dataclasses import replace

from helpers.report import report_of

from langid.checkpoint import EMBEDDED_NAME
from langid.evaluation.report import Training, TrainingSource
from langid.page.figures import describe_figures, read_figures, summarise_figures
from langid.page.texts import ENGLISH

UNKNOWN = ENGLISH("figures.unknown")
SOURCE = TrainingSource("crowd", "CC0-1.0", ("en",), 1, 0.1, 1, False)


def lines_of(figures: str) -> list[str]:
    """With spaces for the signs of percent that stay with their numbers."""
    return figures.replace("\u00a0", " ").splitlines()


def test_three_lines_say_what_matters_most():
    assert lines_of(summarise_figures(report_of())) == [
        "- Of recordings in its languages that are not in its training, it gets **75 %** right.",
        "- By their length: under 3 s 100 %, 3-6 s 100 %, over 6 s 0 %.",
        "- It notices 50 % of recordings in other languages and 50 % of those without speech.",
    ]
    assert summarise_figures(None) == UNKNOWN
    few = report_of([("a", "en", "radio", "dev", (0.7, 0.1, 0.1, 0.1), 2.0)])
    assert "notices" not in summarise_figures(few)


def test_every_figure_has_its_line():
    report = replace(report_of(), training=Training({}, (SOURCE,)))
    assert lines_of(describe_figures(report)) == [
        "| On 8 recordings that are not in its training | Correct |",
        "|:--|--:|",
        "| The right one of its languages | 75 % |",
        "| – English | 100 % |",
        "| – French | 50 % |",
        "| – recordings of under 3 s | 100 % |",
        "| – recordings of 3-6 s | 100 % |",
        "| – recordings of over 6 s | 0 % |",
        "| – sources that are not in its training | 75 % |",
        "| The right one of all its answers | 50 % |",
        "| – another language, noticed | 50 % |",
        "| – no speech, noticed | 50 % |",
        "",
        "The percentages of the bars were 35 points off, on average.",
        "",
        "The weights were chosen on these recordings: expect a little less on yours.",
    ]


def test_sources_are_called_unseen_only_where_the_training_proves_it():
    assert "sources that are not" not in describe_figures(report_of())
    assert "| – other sources | 75\u00a0% |" in describe_figures(report_of())


def test_figures_that_are_not_known_are_left_out():
    report = replace(
        report_of([("a", "en", "radio", "dev", (0.7, 0.1, 0.1, 0.1), 2.0)]),
        ece=None,
        used_for_selection=False,
    )
    assert lines_of(describe_figures(report)) == [
        "| On 1 recordings that are not in its training | Correct |",
        "|:--|--:|",
        "| The right one of its languages | 100 % |",
        "| – English | 100 % |",
        "| – recordings of under 3 s | 100 % |",
        "| The right one of all its answers | 100 % |",
    ]


def test_without_figures_the_page_says_so():
    for nothing in (None, replace(report_of(), clip_accuracy=None)):
        assert describe_figures(nothing) == UNKNOWN


def test_figures_are_read_from_the_folder_of_the_weights(tmp_path):
    (tmp_path / "metrics.json").write_text(report_of().to_json(), encoding="utf-8")
    assert read_figures(str(tmp_path)) == report_of()


def test_a_folder_without_readable_figures_has_none(tmp_path):
    assert read_figures(str(tmp_path)) is None
    for text in ("{", "[1]", "\xff"):
        (tmp_path / "metrics.json").write_text(text, encoding="latin-1")
        assert read_figures(str(tmp_path)) is None


def test_figures_of_another_version_are_none(tmp_path, caplog):
    old = json.loads(report_of().to_json())
    del old["calibration"]
    (tmp_path / "metrics.json").write_text(json.dumps(old))
    assert read_figures(str(tmp_path)) is None
    assert "calibration: Field required" in caplog.text


def test_the_embedded_figures_can_be_told():
    assert describe_figures(read_figures(EMBEDDED_NAME)) != UNKNOWN
