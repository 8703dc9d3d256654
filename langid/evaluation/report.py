"""The report of an evaluation as text, within 100 columns."""

from collections.abc import Sequence

from langid.languages import OTHER, language_name

WIDTH = 100
MIN_NAME_WIDTH = 16  # of the first column of a table
N_WORST_SHOWN = 10
N_ERRORS_SHOWN = 5


def format_report(report: dict) -> str:
    """The text of a report of ``evaluate.evaluate_folder``, headline figures first."""
    parts = [_headline(report), _languages(report), _sources(report), _confusion(report)]
    parts += [_durations(report), _others(report), _worst(report), _errors(report)]
    return "\n\n".join(part for part in parts if part)


def _headline(report: dict) -> str:
    revision = f" at {report['revision']}" if report["revision"] else ""
    split = f", split {report['split']}" if report["split"] else ""
    failed = f", {report['n_failed']} failed" if report["n_failed"] else ""
    lines = [
        f"model   {report['model']}{revision}, langid {report['package_version']}",
        f"folder  {report['folder']}{split}",
        f"holding {report['n_clips']:,} clips, {report['audio_s'] / 60:.1f} min of audio, "
        f"{report['n_windows']:,} windows{failed}",
        "",
    ]
    rows = [
        ("clip accuracy", report["clip_accuracy"], "mean recall, choosing among the languages"),
        ("… of the wild sources", _wild(report), "the same, sources called wild:… only"),
        ("window accuracy", report["window_accuracy"], "the same, every window a clip"),
        ("open clip accuracy", report["clip_accuracy_open"], "mean recall of all classes"),
        ("none recall", report["none_recall"], "clips without speech answered so"),
        ("other AUROC", report["other_auroc"], "other languages told from the model's own"),
        ("ECE", report["ece"], "calibration error of the open answer's confidence"),
        ("real-time factor", report["real_time_factor"], "processing time / audio duration"),
    ]
    lines += [f"{name:22}{_figure(value):>7}  {meaning}" for name, value, meaning in rows]
    lines[-1] += f": {report['times_real_time']:.0f} × real time"
    return "\n".join(lines)


def _wild(report: dict) -> float | None:
    return report["wild"]["clip_accuracy"] if report["wild"] else None


def _languages(report: dict) -> str:
    rows = [
        [
            f"{label} {language_name(label)}",
            f"{entry['n']:,}",
            _figure(entry["recall"]),
            _figure(entry["recall_open"]),
        ]
        for label, entry in report["per_language"].items()
    ]
    return _table("Recall by class", ["class", "clips", "among languages", "open"], rows)


def _sources(report: dict) -> str:
    """A row a source, a column a language: recall among the languages and number of clips."""
    labels = [
        label
        for label, entry in report["per_language"].items()
        if entry["n"] and entry["recall"] is not None
    ]

    def rows(with_counts: bool) -> list[list[str]]:
        return [
            [
                "wild: all" if source == "wild" else source,
                f"{section['n']:,}",
                _figure(section["clip_accuracy"], digits=2),
                _figure(section["clip_accuracy_open"], digits=2),
                *[_cell(section["per_language"].get(label), with_counts) for label in labels],
            ]
            for source, section in report["per_source"].items()
        ]

    head = ["source", "clips", "mean", "open", *labels]
    title = "Recall by source and language (clips), choosing among the languages; mean, open mean"
    table = rows(with_counts=True)
    if _widths(head, table) is None:
        table = rows(with_counts=False)
    return _table(title, head, table)


def _cell(entry: dict | None, with_count: bool) -> str:
    if entry is None:
        return ""
    return _figure(entry["recall"], digits=2) + (f" ({entry['n']})" if with_count else "")


def _confusion(report: dict) -> str:
    labels = report["confusion"]["labels"]
    rows = [
        [label, *map(str, row)]
        for label, row in zip(labels, report["confusion"]["matrix"], strict=True)
        if any(row)
    ]
    return _table("Open answers (columns) to each class (rows), clips", ["class", *labels], rows)


def _durations(report: dict) -> str:
    rows = [
        [
            name,
            f"{entry['n']:,}",
            _figure(entry["clip_accuracy"]),
            _figure(entry["clip_accuracy_open"]),
        ]
        for name, entry in report["by_duration"].items()
    ]
    return _table("Accuracy by duration", ["duration", "clips", "among languages", "open"], rows)


def _others(report: dict) -> str:
    entries = report["other_languages"]
    if not entries:
        return ""
    n_clips = sum(entry["n"] for entry in entries.values())
    rejected = sum(entry["n"] * entry["rejection_rate"] for entry in entries.values()) / n_clips
    items = [
        f"{language} {entry['rejection_rate']:.2f} ({entry['n']})"
        for language, entry in sorted(
            entries.items(), key=lambda item: (item[1]["rejection_rate"], item[0])
        )
    ]
    width = max(map(len, items)) + 2
    per_line = max(1, WIDTH // width)
    lines = [
        "".join(f"{item:{width}}" for item in items[i : i + per_line]).rstrip()
        for i in range(0, len(items), per_line)
    ]
    title = (
        f"Share of the clips in other languages answered {OTHER!r}: {rejected:.2f} of "
        f"{n_clips:,}, by language (clips)"
    )
    return "\n".join([title, *lines])


def _worst(report: dict) -> str:
    rows = [
        [row["file"], row["language"], row["answer"], _figure(row["confidence"])]
        for row in report["worst"][:N_WORST_SHOWN]
    ]
    title = "Most confidently wrong (listen: the label may be at fault)"
    return _table(title, ["clip", "label", "answer", "confidence"], rows) if rows else ""


def _errors(report: dict) -> str:
    errors = report["errors"]
    if not errors:
        return ""
    lines = [f"{error['file']}: {error['error']}" for error in errors[:N_ERRORS_SHOWN]]
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
