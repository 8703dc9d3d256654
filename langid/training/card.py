"""The model card of a finished run: what it is, what it can do, what it was trained on."""

from collections.abc import Mapping

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from langid.config import ModelConfig
from langid.hub.markdown import few, percent, table
from langid.languages import language_name, languages_of
from langid.version import VERSION

LICENCE = "apache-2.0"

_BODY = """
# Spoken language identification: {names}

Tells which language is spoken in a recording, or that it is another language, or that nobody
speaks. A convolutional network over log-mel windows of {window_s:g} s; {n_parameters:,} parameters;
langid {version}.

```python
from langid import LanguageIdentifier

identifier = LanguageIdentifier.from_pretrained("USER/NAME")
print(identifier.identify("recording.mp3").language)
```

## How good it is

Measured on {n_clips:,} recordings of speakers that are not in the training data (held-back
validation data, on which the best step and the calibration were chosen: expect somewhat less on
yours). Accuracy is the mean of the classes' recalls.

{headline}

{languages}

{sources}

Mean calibration error of the confidence (ECE): {ece}.

## What it was trained on

{n_train_clips:,} clips, {train_hours:.1f} h. "Synthetic" is text-to-speech, in training only.
Sources marked `unstated` name no licence. The licences are those of the
recordings: whether weights trained on them are bound by them (GPL, share-alike, non-commercial) is
not settled law; look at the table before you redistribute these.

{data}

{settings}

## Where it fails

- One to three seconds are much harder than six: see the durations above.
- Languages close to one of its own (Catalan, Dutch, Portuguese …) are often taken for it.
- Singing, several people at once, strong accents and telephone lines were not measured.
- Confidence is calibrated on recordings like those above and means less on others.

It is meant for sorting recordings and for trying out, not for decisions about people: an accent
is no proof of anything.
"""


def make_card(
    config: ModelConfig,
    n_parameters: int,
    metrics: Mapping,
    sources: list[dict],
    settings: Mapping,
) -> ModelCard:
    """The card, with front matter for the Hub.

    ``metrics`` is a report of ``langid.evaluation.evaluate``; ``sources`` has ``source``,
    ``licence``, ``languages``, ``n_clips``, ``hours``, ``speakers`` and ``synthetic`` of each
    training source.
    """
    languages = list(languages_of(config.labels))
    data = ModelCardData(
        language=languages,
        license=LICENCE,
        library_name="langid",
        pipeline_tag="audio-classification",
        tags=["language-identification", "speech", "cnn"],
        model_name="langid",
        eval_results=[
            EvalResult(
                task_type="audio-classification",
                dataset_type="held-back-speakers",
                dataset_name="Held-back validation speakers",
                metric_type="accuracy",
                metric_name=name,
                metric_value=round(metrics[key], 4),
            )
            for key, name in (
                ("clip_accuracy", "Mean recall, among the languages"),
                ("clip_accuracy_open", "Mean recall, all answers"),
            )
            if metrics.get(key) is not None
        ],
    )
    body = _BODY.format(
        names=", ".join(language_name(label) for label in languages),
        window_s=config.window_s,
        n_parameters=n_parameters,
        version=VERSION,
        n_clips=metrics["n_clips"],
        headline=_headline(metrics),
        languages=_languages(metrics),
        sources=_sources(metrics),
        ece="–" if metrics["ece"] is None else f"{metrics['ece']:.3f}",
        n_train_clips=sum(source["n_clips"] for source in sources),
        train_hours=sum(source["hours"] for source in sources),
        data=_data(sources),
        settings=table(["setting", "value"], [[k, f"`{v}`"] for k, v in settings.items()]),
    )
    return ModelCard(f"---\n{data.to_yaml()}\n---\n{body}")


def _headline(metrics: Mapping) -> str:
    rows = [
        ["the right language, choosing among its languages", percent(metrics["clip_accuracy"])],
        ["the same, per window", percent(metrics["window_accuracy"])],
        [
            "the right answer of all, other and none included",
            percent(metrics["clip_accuracy_open"]),
        ],
        ["no speech recognised as such", percent(metrics["none_recall"])],
    ]
    if metrics.get("wild"):
        rows.insert(
            1,
            [
                "the same, sources never heard in training",
                percent(metrics["wild"]["clip_accuracy"]),
            ],
        )
    rows += [
        [f"the right language, {band}", percent(entry["clip_accuracy"])]
        for band, entry in metrics["by_duration"].items()
    ]
    if metrics["other_auroc"] is not None:
        rows.append(["other languages told from its own (AUROC)", f"{metrics['other_auroc']:.3f}"])
    return table(["what", "figure"], rows)


def _languages(metrics: Mapping) -> str:
    return table(
        ["spoken", "clips", "right among the languages", "right among all answers"],
        [
            [
                language_name(code),
                str(entry["n"]),
                percent(entry["recall"]),
                percent(entry["recall_open"]),
            ]
            for code, entry in metrics["per_language"].items()
            if entry["n"]
        ],
    )


def _sources(metrics: Mapping) -> str:
    return table(
        ["source of the recordings", "clips", "among the languages", "all answers"],
        [
            [
                name,
                str(entry["n"]),
                percent(entry["clip_accuracy"]),
                percent(entry["clip_accuracy_open"]),
            ]
            for name, entry in metrics["per_source"].items()
        ],
    )


def _data(sources: list[dict]) -> str:
    return table(
        ["source", "languages", "clips", "hours", "speakers", "licence", "synthetic"],
        [
            [
                source["source"],
                few(source["languages"]),
                f"{source['n_clips']:,}",
                f"{source['hours']:.2f}",
                str(source["speakers"]),
                source["licence"],
                "yes" if source["synthetic"] else "",
            ]
            for source in sources
        ],
    )
