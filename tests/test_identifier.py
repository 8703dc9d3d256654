import dataclasses
import json

import numpy as np
import pytest
import soundfile
import torch
from helpers.audio import two_tracks

from langid import AudioError, DeviceError, IdentificationCancelled, LanguageIdentifier
from langid.config import ModelConfig
from langid.evaluation.bench import fresh_process, write_recording
from langid.identifier import BATCH_SIZE

LABELS = ("en", "fr", "other", "none")
RATE = 16_000


class LevelModel(torch.nn.Module):
    """Answers by a window's level: loud is English, soft French, silence nothing."""

    config = dataclasses.replace(ModelConfig(), labels=LABELS)

    def predict(self, waveform):
        level = waveform.abs().mean(dim=1, keepdim=True)
        english, none = (level * 1.6).clamp(0.01, 0.9), (level < 1e-4).float() * 0.95
        p = torch.cat([english, 0.95 - english, torch.full_like(level, 0.05)], dim=1)
        return torch.cat([p * (1 - none), none], dim=1)


@pytest.fixture
def identifier():
    return LanguageIdentifier(LevelModel(), "a stub")


def sound(*levels, seconds=8):
    """Square waves, one after the other, of so many seconds each: a constant is no sound."""
    samples = np.repeat(np.array(levels, dtype=np.float32), seconds * RATE)
    samples[1::2] *= -1
    return samples


def test_the_answer_is_the_maximum_of_its_probabilities(identifier):
    result = identifier.identify(sound(0.5), RATE)
    assert tuple(result.probabilities) == LABELS
    assert sum(result.probabilities.values()) == pytest.approx(1)
    assert result.language == "en" == max(result.probabilities, key=result.probabilities.get)
    assert result.confidence == result.probabilities["en"]
    assert result.duration_s == pytest.approx(8, abs=0.01)
    assert len(result.windows) == 3
    for window in result.windows:
        assert sum(window.probabilities.values()) == pytest.approx(1)


def test_segments_follow_the_language_and_tile_the_recording(identifier):
    result = identifier.identify(sound(0.5, 0.02, 0.5), RATE)
    assert [s.language for s in result.segments] == ["en", "fr", "en"]
    assert result.segments[0].start_s == 0
    assert result.segments[-1].end_s == pytest.approx(24, abs=0.01)
    for a, b in zip(result.segments, result.segments[1:], strict=False):
        assert a.end_s == b.start_s
    assert result.segments[1].start_s == pytest.approx(8, abs=2)


def test_silence_is_no_speech(identifier):
    assert identifier.identify(sound(0.0), RATE).language == "none"


@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_what_peaks_below_the_last_bit_is_no_speech(identifier, offset):
    """What a codec leaves of silence; an offset does not make it louder."""
    answer = identifier.identify(sound(2e-5) + np.float32(offset), RATE)
    assert answer.confidence == answer.probabilities["none"] == pytest.approx(1)
    assert {segment.language for segment in answer.segments} == {"none"}
    for piece in (*answer.windows, *answer.passages):
        assert piece.probabilities["none"] == pytest.approx(1)


def test_what_is_nearly_silent_is_amplified(identifier):
    answer = identifier.identify(sound(2e-4), RATE)
    assert answer.language != "none"
    assert any("amplified by 54 dB" in warning for warning in answer.warnings)


def test_one_of_several_audio_tracks_is_identified(identifier, tmp_path):
    path = tmp_path / "two.mkv"
    path.write_bytes(two_tracks())
    first, second = (identifier.identify(path, audio_track=track) for track in (1, 2))
    assert (round(first.duration_s, 1), round(second.duration_s, 1)) == (1.5, 2.0)
    assert first.warnings == second.warnings == []
    answer = identifier.identify(path)
    assert answer.duration_s == first.duration_s
    assert any("1 of 2 audio tracks" in warning for warning in answer.warnings)
    (many,) = identifier.identify_many([path], audio_track=2)
    assert many[1].duration_s == second.duration_s
    with pytest.raises(AudioError, match="has 2 audio tracks and no track 3: choose 1 to 2"):
        identifier.identify(path, audio_track=3)


def test_candidates_renormalise_the_same_probabilities(identifier):
    free = identifier.identify(sound(0.3), RATE).probabilities
    bound = identifier.identify(sound(0.3), RATE, languages=["fr", "other"]).probabilities
    assert bound["en"] == bound["none"] == 0
    assert bound["fr"] / bound["other"] == pytest.approx(free["fr"] / free["other"])
    assert bound["fr"] + bound["other"] == pytest.approx(1)


def test_candidates_without_speech_come_with_a_warning(identifier):
    result = identifier.identify(sound(0.0), RATE, languages=["en", "fr"])
    assert result.language in ("en", "fr")
    assert any("No speech was found" in warning for warning in result.warnings)


def hiss(seconds, level=0.1):
    """White noise: unlike a constant it has energy."""
    return np.random.default_rng(0).normal(0, level, round(seconds * RATE)).astype(np.float32)


def test_a_recording_with_little_but_silence_comes_with_a_warning(identifier):
    silence = np.zeros(4 * RATE, dtype=np.float32)
    result = identifier.identify(np.concatenate([silence, hiss(0.4), silence]), RATE)
    assert result.active_s == pytest.approx(0.4, abs=0.02)
    assert result.warnings == [
        "Only 0.4 s of this recording is louder than silence: the answer may be wrong."
    ]
    faint = identifier.identify(hiss(4, level=1e-3 / 2), RATE)
    assert faint.active_s == 0
    assert faint.warnings == [
        "Nothing in this recording is louder than silence: the answer may be wrong."
    ]


def test_a_sentence_within_minutes_of_silence_comes_with_a_warning(identifier):
    silence = np.zeros(60 * RATE, dtype=np.float32)
    result = identifier.identify(np.concatenate([silence, hiss(3.5), silence]), RATE)
    assert (result.language, len(result.languages)) == ("fr", 1)
    assert [segment.language for segment in result.segments] == ["none", "fr", "none"]
    assert result.warnings == ["Only 3.5 s of speech in 2 min 4 s: the answer may be wrong."]
    assert (
        identifier.identify(np.concatenate([silence[: 20 * RATE], hiss(3.5)]), RATE).warnings == []
    )


def test_the_energy_of_a_long_recording_is_measured_over_all_its_blocks(identifier):
    loud = identifier.identify(hiss(30), RATE)
    assert loud.active_s == pytest.approx(30, abs=0.02)
    assert loud.warnings == []
    padded = np.concatenate([hiss(8), np.zeros(8 * RATE, dtype=np.float32)])
    assert identifier.identify(padded, RATE).active_s == pytest.approx(8, abs=0.02)


@pytest.mark.parametrize("seconds", [0.5, 1.5])
def test_enough_sound_or_a_recording_that_is_all_sound_needs_no_warning(identifier, seconds):
    assert identifier.identify(hiss(seconds), RATE).warnings == []


def test_silence_called_no_speech_needs_no_warning(identifier):
    result = identifier.identify(sound(0.0), RATE)
    assert (result.language, result.active_s, result.warnings) == ("none", 0, [])


@pytest.mark.parametrize("languages", [["de"], ["en", "xx"], 5, ["en", None]])
def test_wrong_candidates_are_refused(identifier, languages):
    with pytest.raises(ValueError, match=r"choose among en \(English\), fr \(French\), other"):
        identifier.identify(sound(0.3), RATE, languages=languages)


def test_one_candidate_may_be_a_plain_string(identifier):
    assert identifier.identify(sound(0.3), RATE, languages="fr").confidence == pytest.approx(1)


def test_json_holds_everything(identifier):
    result = identifier.identify(sound(0.5), RATE)
    again = json.loads(json.dumps(result.to_dict()))
    assert again == result.to_dict()
    assert set(again) == {
        *("language", "confidence", "probabilities", "windows", "segments"),
        *("duration_s", "active_s", "warnings", "languages", "passages"),
    }


def test_results_cannot_be_changed(identifier):
    with pytest.raises(dataclasses.FrozenInstanceError):
        identifier.identify(sound(0.5), RATE).language = "fr"


def test_many_files_in_batches_are_as_one_by_one(identifier, tmp_path):
    paths = []
    for i, seconds in enumerate([1, 3, 4, 5, 9, 23, 2]):
        path = tmp_path / f"{i}.wav"
        soundfile.write(path, sound(0.1 * (i + 1), seconds=seconds), RATE)
        paths.append(path)
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no audio at all")
    answers = dict(identifier.identify_many([*paths[:3], broken, *paths[3:]]))
    assert isinstance(answers.pop(broken), AudioError)
    assert set(answers) == set(paths)
    for path in paths:
        alone = identifier.identify(path)
        assert answers[path].language == alone.language
        assert answers[path].probabilities == pytest.approx(alone.probabilities, rel=1e-4)
        assert answers[path].duration_s == alone.duration_s
        for a, b in zip(answers[path].windows, alone.windows, strict=True):
            assert (a.start_s, a.end_s) == (b.start_s, b.end_s)
            assert a.probabilities == pytest.approx(b.probabilities, rel=1e-4)


@pytest.mark.parametrize("n_before", range(BATCH_SIZE))
def test_passages_stay_in_the_order_of_time_in_any_batch(identifier, n_before):
    before = [(None, sound(0.1, seconds=1), RATE)] * n_before  # a window each
    jobs = [*before, (None, sound(0.5, 0.02, seconds=10), RATE)]
    *_, recording = identifier._classified(jobs)
    assert recording.passages.bounds == [(0, 16), (14, 20)]
    rows = recording.passages.probabilities(len(LABELS))
    assert rows.argmax(axis=1).tolist() == [0, 1]


def test_the_same_file_twice_gives_two_answers(identifier, tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, sound(0.2, seconds=6), RATE)
    assert len(list(identifier.identify_many([path, path]))) == 2


def test_progress_tells_the_seconds_heard(identifier):
    heard = []
    identifier.identify(sound(0.2, seconds=120), RATE, progress=heard.append)
    assert heard == sorted(heard)
    assert heard[0] == 2 * (BATCH_SIZE - 2) + 4  # seven windows and their passage
    assert heard[-1] <= 120.0


def test_answers_on_the_way_lead_to_the_last_one(identifier):
    audio = sound(0.5, 0.02, seconds=60)
    answers = list(identifier.identify_incrementally(audio, RATE, interval_s=0))
    assert [answer.duration_s for answer in answers[:2]] == [16, 30]  # a batch is 14 s more
    assert [answer.language for answer in answers[:2]] == ["en", "en"]
    assert answers[-1] == identifier.identify(audio, RATE)
    assert {segment.language for segment in answers[-1].segments} == {"en", "fr"}


def test_an_answer_can_be_restricted_afterwards(identifier):
    audio = np.concatenate([sound(0.5, 0.02), hiss(0.5)])
    for languages in (["French", "other"], "en", None, ["none", "en"]):
        later = identifier.identify(audio, RATE).restricted(languages).to_dict()
        at_once = identifier.identify(audio, RATE, languages).to_dict()
        for answer in (later, at_once):
            answer["windows"] = [list(w["probabilities"].values()) for w in answer["windows"]]
            answer["segments"] = [list(segment.values()) for segment in answer["segments"]]
            answer["passages"] = [list(p["probabilities"].values()) for p in answer["passages"]]
        np.testing.assert_allclose(later.pop("windows"), at_once.pop("windows"))
        np.testing.assert_allclose(later.pop("passages"), at_once.pop("passages"))
        assert later["probabilities"] == pytest.approx(at_once["probabilities"])
        assert later["warnings"] == at_once["warnings"]
        assert [s[2] for s in later["segments"]] == [s[2] for s in at_once["segments"]]
    silence = identifier.identify(sound(0.0), RATE).restricted(["en", "fr"])
    assert silence.warnings == identifier.identify(sound(0.0), RATE, ["en", "fr"]).warnings != []


def test_passages_are_classified_in_one_piece(identifier):
    audio = np.concatenate([sound(0.5, seconds=3), sound(0.02, seconds=17)])
    result = identifier.identify(audio, RATE)
    assert [(p.start_s, p.end_s) for p in result.passages] == [(0, 16), (14, 20)]
    expected = identifier.model.predict(torch.from_numpy(audio[: 16 * RATE])[None])[0].tolist()
    found = list(result.passages[0].probabilities.values())
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-9)
    assert identifier.identify(audio[: 4 * RATE], RATE).passages == []


def test_stopping_is_asked_between_batches(identifier):
    asked = []

    def should_stop():
        asked.append(len(asked))
        return len(asked) > 3

    progress = []
    with pytest.raises(IdentificationCancelled, match="after 44 s"):
        identifier.identify(
            sound(0.5, seconds=600), RATE, progress=progress.append, should_stop=should_stop
        )
    assert progress == [16, 30, 44] and len(asked) == 4
    with pytest.raises(IdentificationCancelled, match="before its start"):
        identifier.identify(sound(0.5), RATE, should_stop=lambda: True)


def test_a_recording_over_the_limit_is_refused_by_what_it_announces(identifier, tmp_path):
    path = tmp_path / "long.flac"
    soundfile.write(path, sound(0.1, seconds=7_300), RATE)
    progress = []
    with pytest.raises(AudioError, match=r"lasts more than 2 h, the most that is taken here"):
        identifier.identify(path, progress=progress.append, max_duration_s=7_200)
    with pytest.raises(AudioError, match=r"lasts more than 90 s"):
        identifier.identify(sound(0.1, seconds=91), RATE, max_duration_s=90)
    assert progress == []
    assert identifier.identify(sound(0.1, seconds=90), RATE, max_duration_s=90).language == "fr"


def test_a_recording_that_announces_nothing_is_refused_at_the_limit(identifier, tmp_path):
    path = tmp_path / "long.mp3"
    soundfile.write(path, sound(0.1, seconds=400), RATE)
    progress = []
    with pytest.raises(AudioError, match="lasts more than 60 s"):
        identifier.identify(path, progress=progress.append, max_duration_s=60)
    assert 30 < progress[-1] <= 60


def test_a_long_recording_keeps_a_bounded_list_of_windows(identifier, monkeypatch):
    audio = np.concatenate([sound(0.5, seconds=100), sound(0.02, seconds=100)])
    full = identifier.identify(audio, RATE)
    monkeypatch.setattr("langid.identification.MAX_WINDOWS", 40)
    merged = identifier.identify(audio, RATE)
    assert len(full.windows) == 99 and len(merged.windows) == 33
    assert merged.probabilities == full.probabilities  # the answer is that of all windows
    assert (merged.windows[1].start_s, merged.windows[1].end_s) == (6, 14)
    mean = np.mean([list(window.probabilities.values()) for window in full.windows[3:6]], axis=0)
    assert list(merged.windows[1].probabilities.values()) == pytest.approx(list(mean))
    assert merged.windows[-1].end_s == full.windows[-1].end_s == 200
    assert [segment.language for segment in merged.segments] == ["en", "fr"]


def test_bad_audio_raises(identifier):
    with pytest.raises(AudioError):
        identifier.identify(b"")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_recording(tmp_path):
    peaks_mb = [
        fresh_process(write_recording(tmp_path / f"{i}.wav", seconds))["peak_memory_mb"]
        for i, seconds in enumerate((60, 900))
    ]
    assert peaks_mb[1] - peaks_mb[0] < 100  # one small array a block, kept, once cost 340 MB here


@pytest.mark.parametrize("device", ["moon", "meta", "cuda:99", torch.device("meta")])
def test_a_device_that_cannot_be_used_is_said_before_weights_are_fetched(device):
    with pytest.raises(DeviceError, match=f"^The device '{device}' cannot be used: .*such as cpu"):
        LanguageIdentifier.from_pretrained("nobody/nothing", device=device)
