"""The model card of weights: what they are, what they can do, what they were trained on."""

from collections.abc import Sequence

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from langid.config import ModelConfig
from langid.data.licences import restriction_lines, restrictions
from langid.evaluation import tables
from langid.evaluation.report import METRICS_FILE, Report, Training, TrainingSource
from langid.hub.markdown import TEMPLATES, few, table
from langid.languages import describe_rejection, language_name, languages_of
from langid.windows import PASSAGE_S

LICENCE = "apache-2.0"  # of the weights, where no recording in their training asks for more
N_INHERITED = 10  # sources of earlier training in the card; metrics.json has all
RESTRICTED = "terms-of-the-training-data"  # the name of a licence that the Hub has no id for


def make_card(config: ModelConfig, report: Report) -> ModelCard:
    """The card of weights with this configuration, with front matter for the Hub."""
    languages = list(languages_of(config.labels))
    training = report.training
    trained_on = training.sources if training else ()
    labelled = [source for source in trained_on if not source.sounds_only]
    heard = [source for source in trained_on if source.sounds_only]
    settings = training.settings if training else {}
    return ModelCard.from_template(
        _metadata(languages, report),
        str(TEMPLATES / "model_card.md"),
        report=report,
        names=", ".join(map(language_name, languages)),
        rejection=describe_rejection(config.labels),
        window=f"{config.window_s:g}",
        passage=f"{PASSAGE_S:g}",
        headline=tables.headline_table(report),
        classes=tables.class_table(report),
        sources=tables.source_table(report),
        conditions=tables.condition_table(report),
        weak_points=tables.weak_points(report),
        n_train_clips=f"{sum(source.n_clips for source in labelled):,}",
        train_hours=f"{sum(source.hours for source in labelled):.1f}",
        n_heard_clips=f"{sum(source.n_clips for source in heard):,}" if heard else "",
        heard_hours=f"{sum(source.hours for source in heard):.1f}",
        data=_data(trained_on) if trained_on else "",
        inherited=_inherited(training) if training and training.parents else "",
        labels=_labels(config) if config.training else "",
        settings=table(["setting", "value"], [[k, f"`{v}`"] for k, v in settings.items()])
        if settings
        else "",
        licence_note=licence_note(training),
    )


def _metadata(languages: list[str], report: Report) -> ModelCardData:
    figures = (
        (report.clip_accuracy, "Mean recall, among the languages"),
        (report.clip_accuracy_open, "Mean recall, all answers"),
    )
    return ModelCardData(
        language=languages,
        **_licence(report.training),
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
                metric_value=round(value, 4),
            )
            for value, name in figures
            if value is not None
        ],
    )


def _licence(training: Training | None) -> dict[str, str]:
    """The card's licence: the Hub's "other" as soon as a recording's terms may reach further."""
    trained_on = training.all_sources if training else ()
    if any(restrictions(source.licence) for source in trained_on):
        return {"license": "other", "license_name": RESTRICTED}
    if not trained_on or training.unrecorded:
        return {"license": "unknown"}
    return {"license": LICENCE}


def licence_note(training: Training | None) -> str:
    """What to know of the training data's licences before passing the weights on."""
    if training is None or not (training.all_sources or training.unrecorded):
        return "The licences of the recordings that these weights were trained on are not recorded."
    own, inherited = (
        restriction_lines((s.source, s.licence, s.hours) for s in sources)
        for sources in (training.sources, training.inherited)
    )
    if training.unrecorded:
        inherited.append(f"- not recorded: {_code(training.unrecorded)}")
    if not own + inherited:
        return (
            "All recordings in the training may be used for any purpose and without sharing alike; "
            f"the weights are under {LICENCE}. Attribution is in the table above"
            + (f", of what came before in `{METRICS_FILE}`." if training.inherited else ".")
        )
    parts = [
        "Code and weights are given under the Apache License 2.0 as far as they are ours to give. "
        "The recordings have licences of their own, some of which ask for more or name none. "
        "Whether weights are bound by the licences of what they were trained on is not settled "
        "law: look at the table above before you pass these on or build a product on them.",
        "\n".join(own),
    ]
    if inherited:
        parts += ["Of what these weights started from:", "\n".join(inherited)]
    return "\n\n".join(part for part in parts if part)


def _inherited(training: Training) -> str:
    """What the models that it started from were trained on, in totals of their own."""
    started = f"It started from {_code(training.parents)}"
    verb = "were" if len(training.parents) > 1 else "was"
    sources, rest = training.inherited, training.inherited[N_INHERITED:]
    if sources:
        beside = " of other sources, not counted above" if training.sources else ""
        parts = [
            f"{started}, which {verb} trained on {_amount(sources)}{beside}:",
            _data(sources[:N_INHERITED]),
        ]
    else:
        nothing = "" if training.unrecorded else f", which {verb} trained on no other sources"
        parts = [f"{started}{nothing}."]
    if rest:
        parts.append(f"{len(rest)} sources more, {_amount(rest)}, are in `{METRICS_FILE}`.")
    if training.unrecorded:
        parts.append(f"What {_code(training.unrecorded)} learnt from is not recorded.")
    return "\n\n".join(parts)


def _code(names: Sequence[str]) -> str:
    return few([f"`{name}`" for name in names])


def _amount(sources: Sequence[TrainingSource]) -> str:
    n_clips, hours = sum(source.n_clips for source in sources), sum(s.hours for s in sources)
    return f"{n_clips:,} clips, {hours:.1f} h"


def _labels(config: ModelConfig) -> str:
    """What each answer was trained on."""
    return table(
        ["answer", "clips", "hours"],
        [
            [
                language_name(entry.label),
                f"{entry.n_clips:,}" if entry.n_clips else "built-in silence, hiss, hum and tones",
                f"{entry.hours:.2f}" if entry.n_clips else "",
            ]
            for entry in config.training
        ],
    )


def _data(sources: Sequence[TrainingSource]) -> str:
    return table(
        ["source", "languages", "clips", "hours", "speakers", "licence", "synthetic"],
        [
            [
                source.source + (" (sounds only)" if source.sounds_only else ""),
                few(list(source.languages)),
                f"{source.n_clips:,}",
                f"{source.hours:.2f}",
                f"{source.n_speakers:,}",
                source.licence,
                "yes" if source.synthetic else "",
            ]
            for source in sources
        ],
    )
