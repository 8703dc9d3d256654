"""A report in Markdown: the tables and sentences that the model card and README share."""

from collections.abc import Iterable
from statistics import mean

from langid.evaluation.report import ClassRecall, Group, Report
from langid.hub.markdown import percent, table
from langid.languages import NONE, OTHER, language_name

MIN_SHARE = 0.05  # of a language's clips: rarer confusions are not worth a word
MIN_CLIPS = 5  # of a language, before its share is worth a word
N_NAMED = 4


def class_table(report: Report) -> str:
    """Recall by class, the mean of the languages, and that of the wild sources apart."""
    own = {label: report.per_language[label] for label in report.languages}
    rows = [
        [language_name(label), f"{e.n:,}", percent(e.recall), percent(e.recall_open)]
        for label, e in own.items()
    ]
    rows.append(_mean_row("**mean of the languages**", own))
    if report.wild:
        wild = {k: e for k, e in report.wild.per_language.items() if k in own}
        rest = {k: _without(e, wild.get(k)) for k, e in own.items()}
        name = "… of sources not in training" if report.wild_is_unseen else "… of `wild` sources"
        rows.append(_mean_row(name, wild))
        rows.append(_mean_row("… of the other sources", {k: e for k, e in rest.items() if e.n}))
    for label in (OTHER, NONE):
        if entry := report.per_language.get(label):
            name = language_name(label)
            if label == OTHER and report.other_languages:
                name += f" ({len(report.other_languages)} of them)"
            rows.append([name, f"{entry.n:,}", "", percent(entry.recall_open)])
    header = ["spoken", "clips", "among the languages", "all answers"]
    return table(header, [row for row in rows if row[1] != "0"])


def _mean_row(name: str, recalls: dict[str, ClassRecall]) -> list[str]:
    if not recalls:
        return [name, "0", "", ""]
    return [
        name,
        f"{sum(entry.n for entry in recalls.values()):,}",
        percent(mean(entry.recall for entry in recalls.values())),
        percent(mean(entry.recall_open for entry in recalls.values())),
    ]


def _without(whole: ClassRecall, part: ClassRecall | None) -> ClassRecall:
    """The recall of the clips of ``whole`` that are not in ``part``."""
    if part is None or part.n == whole.n:
        return whole if part is None else ClassRecall(0, None, None)
    n = whole.n - part.n
    return ClassRecall(
        n,
        (whole.n * whole.recall - part.n * part.recall) / n,
        (whole.n * whole.recall_open - part.n * part.recall_open) / n,
    )


def headline_table(report: Report) -> str:
    """The figures of the whole, beside those of the ``peer`` if there is one."""
    columns = [report, *([report.peer] if report.peer else [])]
    header = ["what", *(["this model", report.peer.model] if report.peer else ["figure"])]
    rows = [
        ["right language, choosing among the languages", *_each(columns, "clip_accuracy")],
        [
            "the same, wild sources",
            *_shares(r.wild.clip_accuracy if r.wild else None for r in columns),
        ],
        ["the same, per window", *_each(columns, "window_accuracy")],
        *[
            [
                f"the same, clips {band}",
                *_shares(r.by_duration[band].clip_accuracy for r in columns),
            ]
            for band in report.by_duration
        ],
        ["right answer of all, mean of the classes", *_each(columns, "clip_accuracy_open")],
        ["another language noticed", *_each(columns, "other_recall")],
        ["no speech noticed", *_each(columns, "none_recall")],
        ["speech taken for none", *_each(columns, "missed_speech_rate")],
        ["other languages told from its own (AUROC)", *_each(columns, "other_auroc", 3)],
        ["calibration error of the confidence (ECE)", *_each(columns, "ece", 3)],
    ]
    if report.peer:
        sizes = (f"{n / 1e6:.1f} M" if (n := r.n_parameters) else "–" for r in columns)
        rows.append(["parameters", *sizes])
    return table(header, [row for row in rows if row[1] != "–"])


def _each(reports: list[Report], name: str, digits: int | None = None) -> list[str]:
    values = [getattr(report, name) for report in reports]
    if digits is None:
        return _shares(values)
    return ["–" if value is None else f"{value:.{digits}f}" for value in values]


def _shares(values: Iterable[float | None]) -> list[str]:
    return [percent(value) for value in values]


def source_table(report: Report) -> str:
    """Accuracy by source, the wild ones together below."""
    groups: dict[str, Group] = dict(report.per_source)
    if report.wild:
        groups["**all `wild` sources**"] = report.wild
    rows = [
        [name, f"{g.n:,}", percent(g.clip_accuracy), percent(g.clip_accuracy_open)]
        for name, g in groups.items()
    ]
    return table(["source", "clips", "among the languages", "all answers"], rows)


def condition_table(report: Report) -> str:
    """What conditions cost in points of clip accuracy; empty where none was measured."""
    rows = [[name, f"{loss:.1f}"] for name, loss in (report.conditions or {}).items()]
    return table(["condition", "points lost"], rows) if rows else ""


def duration_sentence(report: Report) -> str:
    """How much is right by duration."""
    parts = [
        f"{band} {percent(group.clip_accuracy, 0)}"
        for band, group in report.by_duration.items()
        if group.clip_accuracy is not None
    ]
    return f"Right language by length of the clip: {', '.join(parts)}." if parts else ""


def confusion_sentence(report: Report) -> str:
    """Which of the model's languages are taken for one another; empty where none is often."""
    labels = report.confusion.labels
    pairs = [
        (count / sum(row), spoken, answer)
        for spoken, row in zip(labels, report.confusion.matrix, strict=True)
        for answer, count in zip(labels, row, strict=True)
        if spoken != answer and {spoken, answer} <= set(report.languages) and sum(row) >= MIN_CLIPS
    ]
    pairs = sorted((pair for pair in pairs if pair[0] >= MIN_SHARE), key=lambda pair: -pair[0])
    if not pairs:
        return ""
    named = ", ".join(
        f"{language_name(spoken)} for {language_name(answer)} ({percent(share, 0)} of its clips)"
        for share, spoken, answer in pairs[:N_NAMED]
    )
    return f"Of its own languages it takes {named}."


def others_sentence(report: Report) -> str:
    """How many clips in other languages are noticed, and which languages least."""
    if report.other_recall is None:
        return ""
    entries = sorted(
        ((e, code) for code, e in report.other_languages.items() if e.n >= MIN_CLIPS),
        key=lambda pair: (pair[0].rejection_rate, pair[1]),
    )
    named = [
        f"{language_name(code)} ({percent(e.rejection_rate, 0)}, else mostly "
        f"{language_name(next(iter(e.taken_for)))})"
        for e, code in entries[:N_NAMED]
        if e.taken_for
    ]
    least = f"; least of all {', '.join(named)}" if named else ""
    return f"Of clips in other languages {percent(report.other_recall, 0)} are noticed{least}."


def weak_points(report: Report) -> list[str]:
    """Sentences on where the model errs, from its figures."""
    sentences = (duration_sentence(report), others_sentence(report), confusion_sentence(report))
    return [sentence for sentence in sentences if sentence]
