"""Listening: chunks of a stream in, the running answer out."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from helpers.identifier import LABELS, identification

from langid.config import ModelConfig
from langid.errors import AudioError
from langid.page.live import (
    ENDED,
    HISTORY_S,
    MAX_CHUNK_S,
    MAX_LISTENING_S,
    MAX_SILENCE_S,
    NOBODY_SPEAKS,
    PEAK_S,
    Heard,
    LiveAnswer,
    LiveListener,
    read_chunk,
)
from langid.page.live_answer import live_html, status_html

EXAMPLES = Path(__file__).parents[2] / "examples"
RATE = 16_000
EN, FR, OTHER, NONE = np.eye(4) * 0.96 + 0.01


class Scripted:
    """Classifies window after window as a test says, the last row over and over."""

    labels = LABELS
    model = type("Model", (), {"config": ModelConfig()})

    def __init__(self, *rows):
        self.rows = list(rows)
        self.lengths_s = []  # of the windows

    def identify(self, audio, sample_rate):
        self.lengths_s.append(len(audio) / sample_rate)
        return identification(self.rows.pop(0) if len(self.rows) > 1 else self.rows[0])


def example(name: str) -> np.ndarray:
    return soundfile.read(EXAMPLES / f"{name}.flac", dtype="float32")[0]


def room(duration_s: float) -> np.ndarray:
    """A quiet room, in which nobody speaks."""
    noise = np.random.default_rng(0).standard_normal(round(duration_s * RATE))
    return (1e-3 * noise).astype(np.float32)


def feed(listener, samples, chunk_s=1.0, rate=RATE) -> list[LiveAnswer]:
    """The answers, until the stream or the listening ends."""
    answers = []
    n_chunk = round(chunk_s * rate)
    for start in range(0, len(samples), n_chunk):
        answers.append(listener.add(samples[start : start + n_chunk], rate))
        if answers[-1] and answers[-1].ending:
            break
    return [answer for answer in answers if answer]


def seconds(n: int) -> np.ndarray:
    return np.full(n * RATE, 0.1, dtype=np.float32)


@pytest.mark.parametrize("chunk_s", [0.5, 1.0])
@pytest.mark.parametrize(
    ("name", "language"),
    [("english", "en"), ("french", "fr"), ("german", "de"), ("spanish", "es"), ("italian", "it")],
)
def test_the_answer_is_right_after_some_seconds(identifier, name, language, chunk_s):
    answers = feed(LiveListener(identifier), example(name), chunk_s)
    late = [answer for answer in answers if answer.end_s > 5]
    assert len(late) >= 2
    assert {answer.now.language for answer in late} == {language}
    assert late[-1].now.confidence > 0.9


def test_microphones_have_other_rates_and_channels(identifier):
    stereo = np.stack([soxr.resample(example("french"), RATE, 48_000)] * 2, axis=1)
    whole = np.round(stereo * 32767).astype(np.int16)
    answers = feed(LiveListener(identifier), whole, rate=48_000)
    assert answers[-1].now.language == "fr" and answers[-1].now.confidence > 0.9
    assert answers[-1].end_s == pytest.approx(len(whole) / 48_000, abs=1.1)
    plain = feed(LiveListener(identifier), example("french"))
    difference = np.array(list(answers[-1].now.probabilities.values())) - np.array(
        list(plain[len(answers) - 1].now.probabilities.values())
    )
    assert np.abs(difference).max() < 0.05  # no seam between chunks


def test_nobody_speaks(identifier):
    for silence in (np.zeros(8 * RATE, np.float32), room(8), example("rain")):
        answers = feed(LiveListener(identifier), silence)
        assert {answer.now.language for answer in answers} == {"none"}
        assert {heard.language for heard in answers[-1].history} == {"none"}


def test_a_change_of_language_shows_in_the_answer_and_in_the_history(identifier):
    speech = np.concatenate([example("german"), example("english"), room(8), example("french")])
    answers = feed(LiveListener(identifier), speech)
    found = [heard.language for heard in answers[-1].history]
    assert found == ["de", "en", "none", "fr"]
    assert answers[-1].now.language == "fr"
    change_s = len(example("german")) / RATE
    assert answers[-1].history[1].start_s == pytest.approx(change_s, abs=2)
    # A few seconds into the second language the answer is about that one alone.
    at = next(answer for answer in answers if answer.end_s > change_s + 5)
    assert at.now.language == "en" and at.now.confidence > 0.8
    ends = [heard.end_s for heard in answers[-1].history]
    starts = [heard.start_s for heard in answers[-1].history]
    assert starts == [0.0, *ends[:-1]] and ends[-1] == answers[-1].end_s


@pytest.mark.parametrize("chunk_s", [0.5, 0.75, 1.0])
def test_every_second_is_the_same_work_and_memory_stays(chunk_s):
    scripted = Scripted(EN)
    listener = LiveListener(scripted)

    def size() -> int:
        values = vars(listener).values()
        arrays = [value.nbytes for value in values if isinstance(value, np.ndarray)]
        return sum(arrays) + sum(len(value) for value in values if hasattr(value, "__len__"))

    feed(listener, seconds(130), chunk_s)
    n_before, size_before = len(scripted.lengths_s), size()
    answers = feed(listener, seconds(130), chunk_s)
    n_windows = len(scripted.lengths_s) - n_before
    assert n_windows == len(answers) <= 130  # one a second at most
    assert n_windows >= 130 / max(1.0, 2 * chunk_s) - 1
    assert max(scripted.lengths_s) == 4.0
    assert size() <= size_before * 1.02
    assert answers[-1].history[0].start_s >= answers[-1].end_s - HISTORY_S
    assert len(answers[-1].peaks) == HISTORY_S / PEAK_S


def test_a_chunk_that_is_late_is_one_window_as_well():
    scripted = Scripted(EN)
    answer = LiveListener(scripted).add(seconds(9), RATE)
    assert scripted.lengths_s == [4.0] and answer.end_s == 9
    huge = LiveListener(scripted).add(seconds(60), RATE)
    assert huge.end_s == MAX_CHUNK_S


def test_the_first_seconds_are_one_window_that_grows():
    scripted = Scripted(NONE, NONE, EN, EN)
    answers = feed(LiveListener(scripted), seconds(4))
    assert scripted.lengths_s == [1, 2, 3, 4]
    assert [answer.now.language for answer in answers] == ["none", "none", "en", "en"]
    assert answers[-1].history == (Heard(0, 4, "en"),)


def test_a_word_at_the_end_makes_no_stretch_of_its_own():
    rows = [EN] * 8 + [FR] * 2 + [NONE] * 6
    (*_, answer) = feed(LiveListener(Scripted(*rows)), seconds(len(rows)))
    assert [heard.language for heard in answer.history] == ["en", "none"]
    rows = [EN] * 8 + [FR] * 8
    (*_, answer) = feed(LiveListener(Scripted(*rows)), seconds(len(rows)))
    assert [heard.language for heard in answer.history] == ["en", "fr"]


def test_it_ends_by_itself():
    answers = feed(LiveListener(Scripted(EN)), seconds(round(MAX_LISTENING_S) + 5))
    assert answers[-1].ending == ENDED and answers[-1].end_s == MAX_LISTENING_S
    assert answers[-2].ending is None
    answers = feed(LiveListener(Scripted(NONE)), seconds(90))
    assert answers[-1].ending == NOBODY_SPEAKS and answers[-1].end_s == MAX_SILENCE_S
    rows = [NONE] * 40 + [EN] * 20 + [NONE]
    answers = feed(LiveListener(Scripted(*rows)), seconds(180))
    assert answers[-1].ending == NOBODY_SPEAKS
    assert answers[-1].end_s == pytest.approx(60 + MAX_SILENCE_S, abs=4)


@pytest.mark.parametrize(
    ("samples", "rate", "words"),
    [
        (np.full(RATE, np.nan, np.float32), RATE, "NaN"),
        (np.zeros((2, 3, 4), np.float32), RATE, "shape"),
        (np.zeros(RATE, np.float32), 5, "sample_rate"),
    ],
)
def test_what_is_no_audio_is_a_sentence(identifier, samples, rate, words):
    with pytest.raises(AudioError, match=words):
        LiveListener(identifier).add(samples, rate)


def test_chunks_of_a_browser_are_read_though_their_header_knows_no_length(tmp_path):
    """As Chromium's recorder writes them: sizes of nearly 4 GiB."""
    path = tmp_path / "audio.wav"
    samples = np.arange(480, dtype=np.int16)
    head = struct.pack(
        "<4sI8sIHHIIHH4sI",
        *(b"RIFF", 0xFFFFFFF7, b"WAVEfmt ", 16, 1, 1, 48_000, 96_000, 2, 16, b"data", 0xFFFFFFD3),
    )
    path.write_bytes(head + samples.tobytes())
    found, rate = read_chunk(path)
    assert rate == 48_000
    assert np.array_equal(found[:, 0] * 32768, samples)
    path.write_text("no sound")
    with pytest.raises(AudioError, match="reload the page"):
        read_chunk(path)
    soundfile.write(path, np.zeros(60 * 8_000), 8_000)
    assert len(read_chunk(path)[0]) == MAX_CHUNK_S * 8_000


def answer_of(*history, probabilities=EN, end_s=None, ending=None) -> LiveAnswer:
    heard = tuple(Heard(*stretch) for stretch in history)
    end_s = end_s or heard[-1].end_s
    return LiveAnswer(
        identification(probabilities, duration_s=4.0), heard, np.ones(480), end_s, ending
    )


def test_the_html_shows_the_moment_and_what_was_before():
    html = live_html(answer_of((0, 20, "fr"), (20, 30, "en")))
    assert '<p class="verdict language"><b>English</b>' in html
    assert "0:20 – 0:30 <b>English</b></li><li>0:00 – 0:20 <b>French</b>" in html
    assert 'style="left: 66.667%; width: 33.333%' in html
    assert "surer" not in html
    assert "surer" in live_html(answer_of((0, 20, "fr"), (20, 22, "en")))
    silent = live_html(answer_of((0, 20, "fr"), (20, 30, "none"), probabilities=NONE))
    assert 'class="verdict none"' in silent and "Nobody speaks now" in silent


def test_the_strip_of_a_long_history_slides():
    html = live_html(answer_of((62.5, 100, "fr"), (100, 182, "en")))
    assert 'style="left: 0.000%; width: 31.250%' in html
    assert ">1:30<" in html and ">0:00<" not in html  # round times, where they are


def test_the_status_says_that_it_listens_or_why_it_ended():
    assert "Listening, 1:05" in status_html(answer_of((0, 65, "en")))
    ended = status_html(answer_of((0, 65, "en"), ending=ENDED))
    assert 'class="problem"' in ended and "press Record to go on" in ended
