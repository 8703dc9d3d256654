"""An identifier and a folder of labelled clips → a report of how often it is right."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from langid.audio import AudioInput
from langid.data.clips import Clip
from langid.data.labelled import read_clips
from langid.errors import AudioError, DataError
from langid.evaluation import metrics
from langid.identifier import Identification, LanguageIdentifier
from langid.languages import NONE, OTHER, class_of, languages_of
from langid.version import VERSION

if TYPE_CHECKING:
    from datasets import Dataset

N_WORST = 20

Heard = list[tuple[Clip, Identification]]


def evaluate_folder(
    identifier: LanguageIdentifier,
    folder: str | Path,
    split: str | None = None,
    progress: bool = True,
) -> dict:
    """Identify every clip of a folder and compare with its label.

    Parameters
    ----------
    folder
        An audiofolder: ``metadata.csv`` with ``file_name``, ``language`` and optionally
        ``source`` and ``split``. Without it: one subfolder a language.
    split
        Only the clips of this split; ``"dev"``, ``"valid"`` and ``"validation"`` are one.
    progress
        Show a bar where standard error is a terminal.

    Returns
    -------
    dict of plain JSON types. Accuracies are mean recalls, 0 to 1, and None where nothing can be
    said. Languages that the model does not know count as ``"other"``, ``noise`` and ``music`` as
    ``"none"``.

    - ``model``, ``revision``, ``package_version``, ``folder``, ``split``: what was measured.
    - ``n_clips`` (with an answer), ``n_failed``, ``errors`` (``file``, ``error``).
    - ``clip_accuracy``: mean recall over the model's languages, choosing among these only.
    - ``clip_accuracy_open``: mean recall over all classes, any label being a possible answer.
    - ``window_accuracy``: as ``clip_accuracy``, with every window as a clip of its own.
    - ``per_language``: for each label ``n``, ``recall`` (among the languages), ``recall_open``.
    - ``per_source``: for each source ``n``, both accuracies and ``per_language``; ``"wild"`` is
      the sum of the sources called ``wild:…``, and stands at the top as ``wild`` as well.
    - ``confusion``: ``labels`` and ``matrix`` of the open answers, a row for each true class.
    - ``ece``: expected calibration error of the open answer's confidence, all clips.
    - ``other_auroc``: P(other) of other languages against that of the model's languages.
    - ``none_recall``: share of the clips without speech that are answered so.
    - ``by_duration``: ``n`` and both accuracies for each of ``metrics.DURATION_BANDS``.
    - ``other_languages``: for each language outside the model ``n``, ``rejection_rate`` and
      ``taken_for`` (how often which answer).
    - ``worst``: the clips that are wrong with the highest confidence (the label may be wrong).
    - ``audio_s``, ``processing_s``, ``real_time_factor`` (processing time divided by duration of
      the audio: lower is faster) and ``times_real_time``, its inverse. Decoding counts, loading
      the model does not.

    Raises
    ------
    DataError
        If the folder cannot be read, lists missing files, or holds no usable clip.
    """
    by_path = defaultdict(list)  # a file may be listed more than once
    for clip in read_clips(Path(folder), split):
        by_path[clip.path].append(clip)
    return _evaluate(identifier, by_path.items(), len(by_path), str(folder), split, progress)


def evaluate_dataset(
    identifier: LanguageIdentifier, rows: "Dataset", name: str, progress: bool = True
) -> dict:
    """The same for the rows of a dataset: undecoded ``audio``, ``language`` as text, ``source``.

    ``name`` stands for the folder in the report.

    Raises
    ------
    DataError
        If none of the rows can be identified.
    """
    labelled = ((BytesIO(row["audio"]["bytes"]), [_clip_of(row)]) for row in rows)
    return _evaluate(identifier, labelled, len(rows), name, None, progress)


def _clip_of(row: dict) -> Clip:
    name = row["audio"]["path"] or "unnamed"
    return Clip(Path(name), name, row["language"], row["speaker_id"], row["source"])


def _evaluate(
    identifier: LanguageIdentifier,
    labelled: Iterable[tuple[AudioInput, list[Clip]]],
    n_files: int,
    folder: str,
    split: str | None,
    progress: bool,
) -> dict:
    heard, errors, processing_s = _identify(identifier, labelled, n_files, progress)
    if not heard:
        raise DataError(
            f"None of the {len(errors)} clips of {folder} could be identified; "
            f"{errors[0]['file']}: {errors[0]['error']}"
        )
    audio_s = sum(answer.duration_s for _, answer in heard)
    wild = [pair for pair in heard if _is_wild(pair[0].source)]
    by_source = _grouped(heard, lambda clip: clip.source)
    wild_section = _section(wild, identifier.labels) if wild else None
    per_source = {name: _section(by_source[name], identifier.labels) for name in sorted(by_source)}
    if wild_section:
        per_source["wild"] = wild_section
    return {
        "model": identifier.source,
        "revision": identifier.revision,
        "package_version": VERSION,
        "folder": folder,
        "split": split,
        "n_clips": len(heard),
        "n_failed": len(errors),
        "errors": errors,
        **_figures(heard, identifier.labels),
        "per_language": _per_language(heard, identifier.labels, absent=True),
        "per_source": per_source,
        "wild": wild_section,
        "other_languages": _other_languages(heard, identifier.labels),
        "worst": _worst(heard, identifier.labels),
        "audio_s": audio_s,
        "processing_s": processing_s,
        "real_time_factor": processing_s / audio_s,
        "times_real_time": audio_s / processing_s,
    }


def _identify(
    identifier: LanguageIdentifier,
    labelled: Iterable[tuple[AudioInput, list[Clip]]],
    n_files: int,
    progress: bool,
) -> tuple[Heard, list[dict], float]:
    """Answers, errors, and the seconds that took."""
    pending: dict[AudioInput, list[Clip]] = {}

    def files() -> Iterator[AudioInput]:
        for audio, clips in labelled:
            pending[audio] = clips
            yield audio

    heard, errors = [], []
    start_s = time.perf_counter()
    with tqdm(total=n_files, unit="clip", disable=None if progress else True) as bar:
        for audio, answer in identifier.identify_many(files()):
            for clip in pending.pop(audio):
                if isinstance(answer, AudioError):
                    errors.append({"file": clip.file_name, "error": str(answer)})
                else:
                    heard.append((clip, answer))
            bar.update()
    return heard, errors, time.perf_counter() - start_s


def _arrays(heard: Heard, labels: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, n_labels) and targets (n,)."""
    probabilities = [[answer.probabilities[label] for label in labels] for _, answer in heard]
    targets = [labels.index(_class(clip, labels)) for clip, _ in heard]
    return np.array(probabilities).reshape(-1, len(labels)), np.array(targets, dtype=int)


def _class(clip: Clip, labels: tuple[str, ...]) -> str:
    if clip.language in labels:
        return clip.language
    # A variety is its language ("en-GB" is English), unless the model knows it by itself.
    primary = clip.language.replace("_", "-").split("-")[0].lower()
    return class_of(primary, labels)


def _languages(labels: tuple[str, ...]) -> list[int]:
    return [labels.index(language) for language in languages_of(labels)]


def _figures(heard: Heard, labels: tuple[str, ...]) -> dict:
    """The figures over all clips."""
    probabilities, targets = _arrays(heard, labels)
    languages, answers = _languages(labels), metrics.open_answers(probabilities)
    windows = [[w.probabilities[label] for label in labels] for _, a in heard for w in a.windows]
    window_targets = np.repeat(targets, [len(answer.windows) for _, answer in heard])
    bands = metrics.duration_bands(np.array([answer.duration_s for _, answer in heard]))
    return {
        "clip_accuracy": metrics.closed_accuracy(probabilities, targets, languages),
        "clip_accuracy_open": metrics.open_accuracy(probabilities, targets),
        "window_accuracy": metrics.closed_accuracy(np.array(windows), window_targets, languages),
        "n_windows": len(windows),
        "confusion": {
            "labels": list(labels),
            "matrix": metrics.confusion_matrix(targets, answers, len(labels)).tolist(),
        },
        "ece": metrics.expected_calibration_error(probabilities.max(axis=1), answers == targets),
        "other_auroc": metrics.other_auroc(probabilities, targets, labels.index(OTHER), languages),
        "none_recall": metrics.recall(targets, answers, labels.index(NONE)),
        "by_duration": {
            name: {
                "n": int((bands == band).sum()),
                "clip_accuracy": metrics.closed_accuracy(
                    probabilities[bands == band], targets[bands == band], languages
                ),
                "clip_accuracy_open": metrics.open_accuracy(
                    probabilities[bands == band], targets[bands == band]
                ),
            }
            for band, name in enumerate(metrics.DURATION_BANDS)
        },
    }


def _section(heard: Heard, labels: tuple[str, ...]) -> dict:
    """The figures of a part of the clips."""
    probabilities, targets = _arrays(heard, labels)
    return {
        "n": len(heard),
        "clip_accuracy": metrics.closed_accuracy(probabilities, targets, _languages(labels)),
        "clip_accuracy_open": metrics.open_accuracy(probabilities, targets),
        "per_language": _per_language(heard, labels, absent=False),
    }


def _per_language(heard: Heard, labels: tuple[str, ...], absent: bool) -> dict[str, dict]:
    """Recall of each label; of labels without clips only if ``absent``."""
    probabilities, targets = _arrays(heard, labels)
    languages = _languages(labels)
    closed = metrics.closed_answers(probabilities, languages)
    answers = metrics.open_answers(probabilities)
    return {
        label: {
            "n": int((targets == i).sum()),
            "recall": metrics.recall(targets, closed, i) if i in languages else None,
            "recall_open": metrics.recall(targets, answers, i),
        }
        for i, label in enumerate(labels)
        if absent or (targets == i).any()
    }


def _other_languages(heard: Heard, labels: tuple[str, ...]) -> dict[str, dict]:
    """How each language outside the model fares: rejected, or taken for what."""
    others = [pair for pair in heard if _class(pair[0], labels) == OTHER]
    table = {}
    for language, pairs in sorted(_grouped(others, lambda clip: clip.language).items()):
        answers = Counter(answer.language for _, answer in pairs)
        rejection_rate = answers.pop(OTHER, 0) / len(pairs)
        table[language] = {
            "n": len(pairs),
            "rejection_rate": rejection_rate,
            "taken_for": dict(answers.most_common()),
        }
    return table


def _worst(heard: Heard, labels: tuple[str, ...]) -> list[dict]:
    wrong = [
        {
            "file": clip.file_name,
            "language": clip.language,
            "answer": answer.language,
            "confidence": answer.confidence,
            "duration_s": answer.duration_s,
            "source": clip.source,
        }
        for clip, answer in heard
        if answer.language != _class(clip, labels)
    ]
    return sorted(wrong, key=lambda row: (-row["confidence"], row["file"]))[:N_WORST]


def _grouped(heard: Heard, key) -> dict[str, Heard]:
    groups = defaultdict(list)
    for clip, answer in heard:
        groups[key(clip)].append((clip, answer))
    return groups


def _is_wild(source: str) -> bool:
    return source == "wild" or source.startswith("wild:")
