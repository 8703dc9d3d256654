"""The report of an evaluation as text, within 100 columns."""

from collections.abc import Iterator, Sequence

from langid.evaluation.report import ClassRecall, Report
from langid.languages import OTHER, language_name

WIDTH = 100
MIN_NAME_WIDTH = 16  # of the first column of a table
N_WORST_SHOWN = 10
N_ERRORS_SHOWN = 5


def format_report(report: Report) -> str:
    """The report's text, headline figures first, beside those of its ``peer`` if it has one."""
    parts = [_measured(report), _headline(report), _languages(report), _sources(report)]
    parts += [_confusion(report), _durations(report), _conditions(report), _calibration(report)]
    parts += [_others(report), _worst(report), _errors(report)]
    return "\n\n".join(part for part in parts if part)


def _measured(report: Report) -> str:
    split = f", split {report.split}" if report.split else ""
    failed = f", {report.n_failed} failed" if report.n_failed else ""
    return "\n".join(
        [
            f"model   {_model(report)}, langid {report.package_version}",
            *([f"peer    {_model(report.peer)}"] if report.peer else []),
            f"folder  {report.folder}{split}",
            f"holding {report.n_clips:,} clips, {report.audio_s / 60:.1f} min of audio, "
            f"{report.n_windows:,} windows{failed}",
        ]
    )


def _model(report: Report) -> str:
    revision = f" at {report.revision}" if report.revision else ""
    if report.n_parameters is None or report.weights_bytes is None:
        return f"{report.model}{revision}"
    return (
        f"{report.model}{revision}, {report.n_parameters / 1e6:.1f} M parameters, "
        f"{report.weights_bytes / 1e6:.1f} MB"
    )


def _headline(report: Report) -> str:
    lines = []
    peer_figures = _figures(report.peer) if report.peer else None
    if peer_figures:
        lines.append(f"{'':22}{'model':>7}{'peer':>7}")
    for name, value, meaning in _figures(report):
        beside = f"{_figure(next(peer_figures)[1]):>7}" if peer_figures else ""
        lines.append(f"{name:22}{_figure(value):>7}{beside}  {meaning}")
    lines[-1] += f": {1 / report.real_time_factor:.0f} × real time"
    return "\n".join(lines)


def _figures(report: Report) -> Iterator[tuple[str, float | None, str]]:
    """Name, value and meaning of the headline figures."""
    wild = report.wild.clip_accuracy if report.wild else None
    yield "clip accuracy", report.clip_accuracy, "mean recall, choosing among the languages"
    yield "… of the wild sources", wild, "the same, sources called wild:… only"
    yield "window accuracy", report.window_accuracy, "the same, every window a clip"
    yield "open clip accuracy", report.clip_accuracy_open, "mean recall of all classes"
    yield "other recall", report.other_recall, "clips in other languages answered so"
    yield "other AUROC", report.other_auroc, "other languages told from the model's own"
    yield "none recall", report.none_recall, "clips without speech answered so"
    yield "missed speech", report.missed_speech_rate, "clips with speech answered none"
    yield "ECE", report.ece, "calibration error of the open answer's confidence"
    yield "real-time factor", report.real_time_factor, "processing time / audio duration"


def _languages(report: Report) -> str:
    rows = [
        [f"{label} {language_name(label)}", f"{e.n:,}", _figure(e.recall), _figure(e.recall_open)]
        for label, e in report.per_language.items()
    ]
    return _table("Recall by class", ["class", "clips", "among languages", "open"], rows)


def _sources(report: Report) -> str:
    """A row a source, a column a language: recall among the languages and number of clips."""
    labels = report.languages
    groups = dict(report.per_source)
    if report.wild:
        groups["wild: all"] = report.wild

    def rows(with_counts: bool) -> list[list[str]]:
        return [
            [
                source,
                f"{group.n:,}",
                _figure(group.clip_accuracy, digits=2),
                _figure(group.clip_accuracy_open, digits=2),
                *[_cell(group.per_language.get(label), with_counts) for label in labels],
            ]
            for source, group in groups.items()
        ]

    head = ["source", "clips", "mean", "open", *labels]
    title = "Recall by source and language (clips), choosing among the languages; mean, open mean"
    table = rows(with_counts=True)
    if _widths(head, table) is None:
        table = rows(with_counts=False)
    return _table(title, head, table)


def _cell(entry: ClassRecall | None, with_count: bool) -> str:
    if entry is None:
        return ""
    return _figure(entry.recall, digits=2) + (f" ({entry.n})" if with_count else "")


def _confusion(report: Report) -> str:
    labels = report.confusion.labels
    rows = [
        [label, *map(str, row)]
        for label, row in zip(labels, report.confusion.matrix, strict=True)
        if any(row)
    ]
    return _table("Open answers (columns) to each class (rows), clips", ["class", *labels], rows)


def _durations(report: Report) -> str:
    rows = [
        [name, f"{g.n:,}", _figure(g.clip_accuracy), _figure(g.clip_accuracy_open)]
        for name, g in report.by_duration.items()
    ]
    return _table("Accuracy by duration", ["duration", "clips", "among languages", "open"], rows)


def _conditions(report: Report) -> str:
    if not report.conditions:
        return ""
    rows = [[name, f"{loss:+.1f}"] for name, loss in report.conditions.items()]
    return _table("What conditions cost, points of clip accuracy", ["condition", "loss"], rows)


def _calibration(report: Report) -> str:
    rows = [
        [f"{point.confidence:.2f}", f"{point.n:,}", _figure(point.accuracy, digits=2)]
        for point in report.calibration
    ]
    return _table("Calibration", ["confidence", "clips", "right"], rows)


def _others(report: Report) -> str:
    entries = report.other_languages
    if not entries:
        return ""
    items = [
        f"{language} {entry.rejection_rate:.2f} ({entry.n})"
        for language, entry in sorted(
            entries.items(), key=lambda item: (item[1].rejection_rate, item[0])
        )
    ]
    width = max(map(len, items)) + 2
    per_line = max(1, WIDTH // width)
    lines = [
        "".join(f"{item:{width}}" for item in items[i : i + per_line]).rstrip()
        for i in range(0, len(items), per_line)
    ]
    n_clips = sum(entry.n for entry in entries.values())
    title = (
        f"Share of the clips in other languages answered {OTHER!r}: "
        f"{_figure(report.other_recall, digits=2)} of {n_clips:,}, by language (clips)"
    )
    return "\n".join([title, *lines])


def _worst(report: Report) -> str:
    rows = [
        [row.file, row.language, row.answer, _figure(row.confidence)]
        for row in report.worst[:N_WORST_SHOWN]
    ]
    title = "Most confidently wrong (listen: the label may be at fault)"
    return _table(title, ["clip", "label", "answer", "confidence"], rows) if rows else ""


def _errors(report: Report) -> str:
    errors = report.errors
    if not errors:
        return ""
    lines = [f"{error.file}: {error.error}" for error in errors[:N_ERRORS_SHOWN]]
    more = len(errors) - len(lines)
    return "\n".join(["Failed", *lines, *([f"… and {more} more"] if more else [])])


def _figure(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _widths(head: Sequence[str], rows: list[list[str]]) -> list[int] | None:
    """Column widths with the first one cut to what is left; None if that is too little."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    left = WIDTH - sum(width + 2 for width in widths[1:])
    if left < min(widths[0], MIN_NAME_WIDTH):
        return None
    return [min(widths[0], left), *widths[1:]]


def _table(title: str, head: Sequence[str], rows: list[list[str]]) -> str:
    widths = _widths(head, rows)
    if widths is None:  # more columns than a line holds: let them run on
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = []
    for row in [head, *rows]:
        name = row[0] if len(row[0]) <= widths[0] else "…" + row[0][1 - widths[0] :]
        cells = zip(row[1:], widths[1:], strict=True)
        lines.append(f"{name:{widths[0]}}" + "".join(f"  {text:>{w}}" for text, w in cells))
    return "\n".join([title, *(line.rstrip() for line in lines)])
