"""The model card, whose words follow from the figures and from what was trained on."""

from dataclasses import replace

import pytest
from helpers.report import report_of

from langid.config import LabelTraining, ModelConfig
from langid.evaluation.report import Report, Training, TrainingSource
from langid.training.card import RESTRICTED, make_card
from langid.training.outputs import plot_curves

CROWD = TrainingSource(
    source="crowd",
    licence="CC0-1.0",
    languages=("ar", "de", "en", "es", "fr", "it", "nl"),
    n_clips=5000,
    hours=1.5,
    n_speakers=10,
    synthetic=True,
)


def report(*licences: str, **changes: object) -> Report:
    """The figures of weights trained on one source a licence."""
    sources = tuple(
        replace(CROWD, source=f"crowd{i}", licence=licence) for i, licence in enumerate(licences)
    )
    training = Training({"seed": 0}, sources)
    return replace(report_of(), **({"training": training} | changes))


def test_the_card_tells_figures_and_sources():
    card = make_card(ModelConfig(), report("CC0-1.0"))
    assert card.data.language == ["en", "fr", "de", "es", "it"]
    assert [result.metric_value for result in card.data.eval_results] == [0.75, 0.5]
    text = str(card)
    for expected in (
        *("8 recordings of held-back", "2,900,000 parameters, 5.8 MB;", "expect somewhat less"),
        *("| English | 2 | 100.0 % | 50.0 % |", "| **mean of the languages** | 4 | 75.0 % |"),
        *("ar, de, en, es, fr, it and 1 more", "| seed | `0` |", "5,000 clips, 1.5 h"),
    ):
        assert expected in text, expected
    assert "{" not in text and "None" not in text


def test_what_taught_sounds_alone_is_no_part_of_the_total():
    heard = replace(CROWD, source="libri", sounds_only=True, n_clips=1234, hours=7.0)
    training = Training({"teacher": "whisper-base"}, (CROWD, heard))
    text = str(make_card(ModelConfig(), report(training=training)))
    assert "5,000 clips, 1.5 h." in text and "| libri (sounds only) |" in text
    assert 'of 1,234 clips more, 7.0 h, marked "sounds only", of which it learnt no label.' in text
    assert "sounds only" not in str(
        make_card(ModelConfig(), report(training=Training({"teacher": "x"}, (CROWD,))))
    )


def test_the_card_promises_the_answers_that_were_trained():
    text = str(make_card(ModelConfig(), report("MIT")))
    assert "It also says when another language is spoken, or nobody speaks." in text
    training = (LabelTraining("en", 1200, 2.5), LabelTraining("none", 0, 0.0))
    text = str(make_card(ModelConfig(labels=("en", "none"), training=training), report("MIT")))
    assert "Another language it takes for one of these" in text
    assert "| English | 1,200 | 2.50 |" in text
    assert "| No speech | built-in silence, hiss, hum and tones |" in text


def test_figures_that_nothing_was_chosen_by_promise_no_less():
    assert "expect somewhat less" not in str(
        make_card(ModelConfig(), report("CC0-1.0", used_for_selection=False))
    )


def test_a_class_without_clips_has_no_row():
    rows = [("a.wav", "en", "radio", "dev", (0.7, 0.1, 0.1, 0.1), 2.0)]
    text = str(make_card(ModelConfig(), report_of(rows)))
    assert "| English | 1 |" in text
    assert "| French |" not in text and "| No speech |" not in text
    assert "Nothing is recorded of it." in text


@pytest.mark.parametrize(
    ("licences", "licence", "name"),
    [
        (["CC0-1.0", "CC-BY-4.0", "public domain", "MIT"], "apache-2.0", None),
        (["CC0-1.0", "GPL-3.0"], "other", RESTRICTED),
        (["CC-BY / CC-BY-NC per story"], "other", RESTRICTED),
        (["unstated"], "other", RESTRICTED),
        ([], "unknown", None),
    ],
)
def test_the_licence_follows_from_the_corpora(licences, licence, name):
    data = make_card(ModelConfig(), report(*licences)).data
    assert (data.license, data.get("license_name")) == (licence, name)


def test_what_the_corpora_ask_for_is_said_with_hours_and_names():
    text = str(make_card(ModelConfig(), report("CC0-1.0", "GPL-3.0", "CC-BY-NC-SA-4.0")))
    assert "- copyleft or share-alike: 3.0 h (crowd1, crowd2)" in text
    assert "- non-commercial use only: 1.5 h (crowd2)" in text
    assert "not settled law" in text


def test_sources_are_called_unseen_only_where_the_training_proves_it():
    assert "… of sources not in training" in str(make_card(ModelConfig(), report("MIT")))
    unknown = str(make_card(ModelConfig(), report_of()))
    assert "… of `wild` sources" in unknown and "not in training" not in unknown
    seen = Training({}, (replace(CROWD, source="wild:one"),))
    text = str(make_card(ModelConfig(), replace(report_of(), training=seen)))
    assert "… of `wild` sources" in text and "not in training" not in text


def test_the_languages_that_are_confused_come_from_the_confusion():
    english = [(f"{i}", "en", "radio", "dev", (0.1, 0.7, 0.1, 0.1), 4.0) for i in range(5)]
    french = [(f"{i}", "fr", "radio", "dev", (0.1, 0.7, 0.1, 0.1), 4.0) for i in range(5)]
    dutch = [(f"{i}", "nl", "radio", "dev", (0.6, 0.1, 0.2, 0.1), 4.0) for i in range(5)]
    text = str(make_card(ModelConfig(), report_of(english + french + dutch)))
    assert "it takes English for French (100 % of its clips)." in text
    assert "0 % are noticed; least of all Dutch (0 %, else mostly English)." in text
    text = str(make_card(ModelConfig(), report_of(french)))
    assert "it takes" not in text and "Catalan" not in text


def test_conditions_and_a_peer_have_their_tables():
    peer = replace(report_of(), model="whisper-base", clip_accuracy=0.5, n_parameters=74_000_000)
    text = str(make_card(ModelConfig(), report("MIT", peer=peer, conditions={"telephone": 4.25})))
    assert "| what | this model | whisper-base |" in text
    assert "| right language, choosing among the languages | 75.0 % | 50.0 % |" in text
    assert "| parameters | 2.9 M | 74.0 M |" in text
    assert "| telephone | 4.2 |" in text
    assert "not measured" not in text


def test_learning_curves_are_drawn(tmp_path):
    history = [
        {
            "step": step,
            "language_loss": 1 / step,
            "phone_loss": None,
            "accuracy": 0.5,
            "clip_accuracy": 0.6,
            "clip_accuracy_open": 0.5,
            "other_auroc": None,  # no recording of another language
        }
        for step in (1, 2)
    ]
    plot_curves(history, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
