"""What recording conditions cost: labelled clips once more through codecs, noise and rooms."""

import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from io import BytesIO

import numpy as np
import torch
from tqdm import tqdm

from langid.audio import load_audio
from langid.data.clips import Clip
from langid.data.processes import process_pool, run_in_order
from langid.errors import AudioError
from langid.evaluation import metrics
from langid.evaluation.degradation import as_wav, conditions
from langid.identifier import LanguageIdentifier
from langid.languages import class_of, languages_of

CLEAN = "clean"
CLIPS_PER_JOB = 8


def condition_losses(
    identifier: LanguageIdentifier, clips: Sequence[Clip], n_processes: int = 1, progress=True
) -> dict[str, float]:
    """Points of clip accuracy that each of `degradation.conditions` costs, 0 to 100.

    Clean and degraded figures are of the same clips, those of ``clips`` in one of the model's
    languages, choosing among these. A clip that cannot be identified any more is wrong. The same
    clips give the same figures, however many processes share the work.

    Parameters
    ----------
    identifier
        Or anything with its ``identify_many`` and ``labels``; for several processes it must be
        possible to pickle.
    progress
        Show a bar where standard error is a terminal.
    """
    labels = identifier.labels
    languages = [labels.index(language) for language in languages_of(labels)]
    clips = [clip for clip in clips if class_of(clip.language, labels) in languages_of(labels)]
    names = [CLEAN, *conditions()]
    answers, targets = [], []
    jobs = [clips[i : i + CLIPS_PER_JOB] for i in range(0, len(clips), CLIPS_PER_JOB)]
    bar = tqdm(total=len(clips) * len(names), unit="clip", disable=None if progress else True)
    with bar, process_pool(n_processes) as pool:
        work = partial(_closed_answers, identifier, one_thread=pool is not None)
        for job, rows in run_in_order(pool, work, jobs, n_processes, lambda _: 0):
            answers += rows
            targets += [labels.index(class_of(clip.language, labels)) for clip in job]
            bar.update(len(job) * len(names))
    table, targets = np.array(answers).reshape(len(clips), len(names)), np.array(targets, dtype=int)
    accuracies = [metrics.mean_recall(targets, column, languages) for column in table.T]
    if not accuracies or accuracies[0] is None:
        return {}
    return {
        name: 100 * (accuracies[0] - accuracy)
        for name, accuracy in zip(names[1:], accuracies[1:], strict=True)
    }


def _closed_answers(
    identifier: LanguageIdentifier, clips: Sequence[Clip], one_thread: bool
) -> list[list[int]]:
    """For each clip, its answer in every condition, the clean one first: the index of the most
    probable language, -1 where there is none."""
    if one_thread:
        torch.set_num_threads(1)
    labels = identifier.labels
    languages = [labels.index(language) for language in languages_of(labels)]
    files = [BytesIO(data) for clip in clips for data in _degraded(clip)]
    answers = dict.fromkeys(files, -1)
    for file, answer in identifier.identify_many(files):
        if not isinstance(answer, AudioError):
            probabilities = np.array([[answer.probabilities[label] for label in labels]])
            answers[file] = int(metrics.closed_answers(probabilities, languages)[0])
    return np.array(list(answers.values())).reshape(len(clips), -1).tolist()


def _degraded(clip: Clip) -> Iterator[bytes]:
    """The files of a clip in every condition, the clean one first; no audio where it has none."""
    try:
        waveform = load_audio(clip.path)[0]
    except AudioError:
        waveform = np.zeros(0, dtype=np.float32)
    yield as_wav(waveform)
    for name, condition in conditions().items():
        generator = np.random.default_rng(zlib.crc32(f"{clip.file_name}\0{name}".encode()))
        yield condition(waveform, generator) if len(waveform) else b""
