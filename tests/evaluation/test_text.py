"""The report as text."""

from dataclasses import replace

from helpers.report import report_of

from langid.evaluation.text import WIDTH, format_report


def test_the_text_fits_a_terminal_and_names_the_figures():
    text = format_report(report_of())
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "clip accuracy           0.750" in text and "missed speech           0.000" in text
    assert "wild: all" in text and "nl 1.00 (1)" in text and "d.wav" in text
    assert "2.9 M parameters, 5.8 MB" in text
    assert "Failed" not in text and "peer" not in text and "conditions" not in text


def test_the_text_of_many_languages_and_long_names_still_fits():
    labels = ("en", "fr", "de", "es", "it", "pt", "nl", "pl", "other", "none")
    source = "wild:" + "a-long-name/" * 5
    rows = [
        (f"{'long' * 20}{i}.wav", label, source, "dev", [0.1] * 10, 4.0)
        for i, label in enumerate(labels[:8])
    ]
    text = format_report(report_of(rows, labels))
    assert max(map(len, text.splitlines())) <= WIDTH


def test_a_peer_stands_beside_and_conditions_below():
    peer = replace(report_of(), model="another model", clip_accuracy=0.25, other_auroc=None)
    report = replace(report_of(), peer=peer, conditions={"telephone": 12.34})
    text = format_report(report)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "peer    another model" in text
    assert "clip accuracy           0.750  0.250" in text
    assert "other AUROC             0.875      –" in text
    assert "telephone  +12.3" in text
