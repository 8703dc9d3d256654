"""README's figures: those of the embedded weights, and no others."""

from dataclasses import replace

import pytest
from helpers.report import report_of

from langid.checkpoint import EMBEDDED, read_config
from langid.errors import DataError
from langid.evaluation.readme import README, WIDTH, render, update_readme
from langid.evaluation.report import METRICS_FILE, read_report
from langid.hub.publish import CARD_FILE
from langid.identifier import LanguageIdentifier
from langid.training.card import make_card

TEXT = "# Title\n\n<!-- figures: {} -->\nold\n<!-- end -->\n\nThe rest.\n"


@pytest.fixture(scope="module")
def embedded():
    return read_report(EMBEDDED / METRICS_FILE)


def test_readme_shows_the_figures_of_the_embedded_weights(embedded):
    text = README.read_text(encoding="utf-8")
    assert render(text, embedded) == text, "run python -m langid.evaluation.readme"
    assert render(text, report_of()) != text


def test_the_card_shows_the_figures_of_the_embedded_weights(embedded):
    card = (EMBEDDED / CARD_FILE).read_text(encoding="utf-8")
    assert card == str(make_card(read_config(EMBEDDED), embedded)), "evaluate with --update-card"


def test_the_embedded_figures_are_of_these_weights_and_tell_nothing_of_a_machine(embedded):
    model = LanguageIdentifier.from_pretrained("embedded")
    assert embedded.n_parameters == model.n_parameters
    assert embedded.weights_bytes == model.weights_bytes
    assert embedded.confusion.labels == model.labels
    assert embedded.training.sources
    assert "/" not in embedded.folder


def test_what_stands_around_the_figures_stays():
    text = render(TEXT.format("summary"), report_of())
    assert text.startswith("# Title\n\n<!-- figures: summary -->\nOn 4 recordings of held-back")
    assert text.endswith("<!-- end -->\n\nThe rest.\n")
    assert "old" not in text and "75 % of the time" in text
    assert render(text, report_of()) == text


def test_the_sections_are_wrapped_and_no_figure_is_torn_from_its_unit(embedded):
    for name in ("summary", "results", "limits"):
        lines = render(TEXT.format(name), embedded).splitlines()
        assert max(map(len, lines)) <= WIDTH
        assert not [line for line in lines if line.lstrip().startswith("%")]


def test_a_peer_and_conditions_are_part_of_the_results():
    report = replace(report_of(), peer=report_of(), conditions={"telephone": 3.0})
    text = render(TEXT.format("results"), report)
    assert "| what | this model | fake weights |" in text and "| telephone | 3.0 |" in text


def test_a_readme_without_places_or_with_an_unknown_one_is_refused(tmp_path):
    for text, sentence in (("# Title\n", "no place for figures"), (TEXT.format("x"), "'x'")):
        path = tmp_path / "README.md"
        path.write_text(text)
        with pytest.raises(DataError, match=sentence):
            update_readme(report_of(), path)
        assert path.read_text() == text
