"""Whisper as a transcriber: the text of clips whose language is known."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import datasets
import numpy as np

from langid.data.transcripts import Transcript, read_and_transcribe
from langid.data.utterance import Job, Reading
from langid.errors import TeacherError
from langid.evaluation.whisper import CHUNK_S, Whisper, model_folder
from langid.languages import NONE, class_of, code_or_text

TOKENIZER_FILE = "tokenizer.json"
VERSION = 1  # another number makes all that was transcribed out of date
_SAMPLE_RATE_HZ = 16_000


class WhisperTranscriber:
    """faster-whisper with one thread, on the CPU; see `langid.data.transcripts.Transcriber`.

    Beam search alone, without the sampling that faster-whisper falls back to: the same recording
    gives the same text, and what only chance makes plausible is not wanted. Recordings are padded
    to 30 s: over shorter ones Whisper repeats itself.

    Raises
    ------
    TeacherError
        See `langid.evaluation.whisper.Whisper`; or if the model cannot write text.
    """

    def __init__(self, model: str):
        whisper = Whisper(model)
        self.fingerprint = f"{whisper.fingerprint} {VERSION}"
        # As datasets write languages: "jv" for Whisper's "jw"; Bokmål is its Norwegian.
        self._languages = {code_or_text(code): code for code in whisper.languages} | {"nb": "no"}
        del whisper  # its memory
        folder = model_folder(model)
        if not (folder / TOKENIZER_FILE).is_file():
            raise TeacherError(
                f"{model} holds no {TOKENIZER_FILE}, without which it cannot write: copy it there "
                "from a Whisper model of the same languages."
            )
        from faster_whisper import WhisperModel

        self._model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
        name = Path(model).resolve().name if Path(model).is_dir() else model  # no path of this disk
        self.name = name if "whisper" in name.lower() else f"whisper-{name}"

    def knows(self, language: str) -> bool:
        """See `langid.data.transcripts.Transcriber.knows`."""
        return class_of(language, ()) != NONE and code_or_text(language) in self._languages

    def transcribe(self, waveform: np.ndarray, language: str) -> Transcript:
        """See `langid.data.transcripts.Transcriber.transcribe`; parts in which Whisper notices no
        speech are left out of the text."""
        found, _ = self._model.transcribe(
            waveform,
            language=self._languages[code_or_text(language)],
            temperature=0.0,
            condition_on_previous_text=False,  # one invented part would lead to the next
            without_timestamps=len(waveform) <= CHUNK_S * _SAMPLE_RATE_HZ,
        )
        parts = list(found)
        if not parts:
            return Transcript("")
        return Transcript(
            text="".join(part.text for part in parts).strip(),
            mean_log_p=float(
                np.average(
                    [part.avg_logprob for part in parts],
                    weights=[len(part.tokens) for part in parts],
                )
            ),
            compression_ratio=max(part.compression_ratio for part in parts),
        )


@cache
def open_transcriber(model: str) -> WhisperTranscriber:
    """The model, opened once in a process."""
    return WhisperTranscriber(model)


def transcribing_reader(model: str, min_confidence: float) -> Callable[[Job], Reading]:
    """`read_and_transcribe` with this model, for any process."""
    return partial(
        read_and_transcribe,
        open_transcriber=partial(open_transcriber, model),
        kept=Path(datasets.config.HF_DATASETS_CACHE) / "transcripts.sqlite",
        min_confidence=min_confidence,
    )
