from langid.config import ModelConfig
from langid.training.card import make_card
from langid.training.run_folder import plot_confusion, plot_curves

BAND = {"n": 2, "clip_accuracy": 0.5, "clip_accuracy_open": 0.25}
REPORT = {
    "n_clips": 1234,
    "clip_accuracy": 0.875,
    "clip_accuracy_open": 0.75,
    "window_accuracy": 0.8,
    "none_recall": None,
    "other_auroc": 0.9,
    "ece": 0.05,
    "by_duration": {"under 3 s": BAND},
    "per_language": {
        "en": {"n": 3, "recall": 0.9, "recall_open": 0.8},
        "none": {"n": 0, "recall": None, "recall_open": None},
    },
    "per_source": {"crowd": BAND},
    "wild": {"n": 2, "clip_accuracy": 0.66, "clip_accuracy_open": 0.5, "per_language": {}},
}
SOURCES = [
    {
        "source": "crowd",
        "licence": "unstated",
        "languages": ["ar", "de", "en", "es", "fr", "it", "nl"],
        "n_clips": 5000,
        "hours": 1.5,
        "speakers": 10,
        "synthetic": True,
    }
]


def test_the_card_tells_figures_sources_and_licences():
    card = make_card(ModelConfig(), 2_900_000, REPORT, SOURCES, {"seed": 0})
    assert card.data.license == "apache-2.0"
    assert card.data.language == ["en", "fr", "de", "es", "it"]
    assert card.data.eval_results[0].metric_value == 0.875
    text = str(card)
    for expected in (
        *("87.5 %", "66.0 %", "1,234 recordings", "2,900,000 parameters", "unstated"),
        *("ar, de, en, es, fr, it and 1 more", "| English | 3 | 90.0 % | 80.0 % |", "`0`"),
    ):
        assert expected in text, expected
    assert "No speech |" not in text  # a class without clips has no row


def test_plots_are_drawn(tmp_path):
    history = [
        {
            "step": step,
            "language_loss": 1 / step,
            "phone_loss": None,
            "accuracy": 0.5,
            "clip_accuracy": 0.6,
            "clip_accuracy_open": 0.5,
            "other_auroc": 0.7,
        }
        for step in (1, 2)
    ]
    plot_curves(history, tmp_path / "curves.png")
    plot_confusion([[3, 0], [1, 0]], ["en", "none"], tmp_path / "confusion.png")
    for name in ("curves.png", "confusion.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
