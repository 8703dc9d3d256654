"""From one archive to utterances."""

import gzip
import io
from dataclasses import asdict

import numpy as np
import pytest
import soundfile
from helpers.voxforge import (
    FAULTS,
    README_FIELDS,
    STEM,
    audio_bytes,
    clipped,
    corrupt,
    make_archive,
    noise,
    not_finite,
    silence,
    write_tgz,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langid.audio import load_audio
from langid.data.clips import ClipLimits
from langid.data.voxforge.archive import OVER_CAP, read_archive, survey_archive


def read(path, language="en", max_duration_s_total=float("inf"), **limits):
    return read_archive(
        path,
        language,
        limits=ClipLimits(**limits),
        max_duration_s_total=max_duration_s_total,
    )


@pytest.mark.parametrize("audio_folder", ["wav", "flac"])
@pytest.mark.parametrize("readme_last", [False, True])
def test_an_archive_becomes_utterances_in_the_order_of_names(path, audio_folder, readme_last):
    make_archive(
        path,
        recordings={"a2": noise(2, 1.5), "a1": noise(1)},
        prompts={"a1": "GOOD MORNING", "a2": "GOOD EVENING"},
        readme=README_FIELDS,
        audio_folder=audio_folder,
        readme_last=readme_last,
    )
    reading = read(path)
    assert reading.excluded.counts == {} == reading.changes.counts
    assert [u.utterance_id for u in reading.utterances] == ["a1", "a2"]
    assert [u.duration_s for u in reading.utterances] == [1.0, 1.5]
    first = reading.utterances[0]
    facts = asdict(first)
    assert soundfile.info(io.BytesIO(facts.pop("audio"))).format == "FLAC"
    assert len(bytes.fromhex(facts.pop("audio_digest"))) == 16
    assert facts == {
        "file_name": f"{STEM}/a1.flac",
        "language": "en",
        "speaker_id": "voxforge:anna",
        "source": "voxforge",
        "duration_s": 1.0,
        "archive": STEM,
        "utterance_id": "a1",
        "transcript": "GOOD MORNING",
        "transcript_source": None,
        "transcript_confidence": None,
        "gender": "female",
        "age_range": "adult",
        "dialect": "British English",
        "native_speaker": True,
        "licence": "GPL-3.0-or-later",
        "synthetic": False,
    }
    waveform, _ = load_audio(first.audio)
    np.testing.assert_array_equal(np.round(waveform * 32768), noise(1))


def test_missing_texts_leave_nothing_known(path):
    make_archive(path, recordings={"a1": noise(1)})
    (utterance,) = read(path).utterances
    unknown = ("transcript", "gender", "age_range", "dialect", "native_speaker")
    assert [getattr(utterance, field) for field in unknown] == [None] * 5
    survey = survey_archive(path)
    assert (survey.gender, survey.language, survey.problem) == (None, None, None)


@pytest.mark.parametrize("prompts_name", ["PROMPTS", "prompts", "prompts-original", "prompts.txt"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_transcripts_are_found_in_any_spelling_and_encoding(path, prompts_name, encoding):
    make_archive(
        path,
        recordings={"DE5-001": noise(1)},
        prompts={"de5-001": "MÄNNER FRÜHSTÜCKEN"},
        readme={"Gender": "Männlich"},
        prompts_name=prompts_name,
        readme_name="readme.txt",
        encoding=encoding,
    )
    (utterance,) = read(path, "de").utterances
    assert (utterance.transcript, utterance.gender) == ("MÄNNER FRÜHSTÜCKEN", "male")


@pytest.mark.parametrize("top_folder", ["", "another-20080101-name", "."])
def test_the_name_of_the_archive_counts_not_that_of_its_folder(path, top_folder):
    make_archive(path, recordings={"a1": noise(1)}, prompts={"a1": "WORDS"}, top_folder=top_folder)
    (utterance,) = read(path).utterances
    assert (utterance.archive, utterance.transcript) == (STEM, "WORDS")


def test_odd_layouts_are_understood(path):
    members = {
        f"{STEM}/deep/er/WAV/a1.WAV": audio_bytes(noise(1)),
        f"{STEM}/a1.wav": audio_bytes(noise(2)),
        f"{STEM}/flac/prompt.flac": audio_bytes(noise(3), suffix="flac"),
        f"{STEM}/wav/._a1.wav": b"what macOS adds",
        f"{STEM}/wav/notes.txt": b"nothing",
        f"{STEM}/PROMPTS": b"a1 WORDS\nprompt MORE\n",
    }
    utterances = read(write_tgz(path, members)).utterances
    assert [(u.utterance_id, u.transcript) for u in utterances] == [
        ("a1", "WORDS"),
        ("a1_2", None),
        ("prompt", "MORE"),
    ]
    assert len({u.file_name for u in utterances}) == 3
    assert survey_archive(path).n_recordings == 3


def test_recordings_that_cannot_be_used_are_counted_by_reason(path):
    make_archive(
        path,
        recordings={
            "good": noise(1),
            "zero": silence(),
            "short": noise(2, 0.4),
            "clipped": clipped(3),
            "nan": not_finite(4),
            "text": b"no audio",
            "empty": b"",
        },
    )
    reading = read(path)
    assert [u.utterance_id for u in reading.utterances] == ["good"]
    assert dict(reading.excluded.names) == {
        "silent (all zero)": [f"{STEM}/zero.wav"],
        "shorter than 0.5 s": [f"{STEM}/short.wav"],
        "clipped throughout": [f"{STEM}/clipped.wav"],
        "NaN or infinite samples": [f"{STEM}/nan.wav"],
        "undecodable": [f"{STEM}/text.wav", f"{STEM}/empty.wav"],
    }


def test_long_recordings_are_cut_and_keep_no_transcript(path):
    make_archive(path, recordings={"a1": noise(1, 2.5)}, prompts={"a1": "WORDS"})
    reading = read(path, max_duration_s=1.0)
    assert [(u.utterance_id, u.file_name, u.transcript) for u in reading.utterances] == [
        (f"a1-{n:04d}", f"{STEM}/a1-{n:04d}.flac", None) for n in range(3)
    ]
    assert reading.changes.names == {"longer than 1 s, cut into pieces": [f"{STEM}/a1.wav"]}


def test_what_is_left_of_a_cut_recording_keeps_no_transcript_either(path):
    half_silent = np.concatenate([noise(1), silence()])
    make_archive(path, recordings={"a1": half_silent}, prompts={"a1": "WORDS"})
    (utterance,) = read(path, max_duration_s=1.0).utterances
    assert (utterance.utterance_id, utterance.transcript) == ("a1-0000", None)


def test_other_rates_and_channels_are_converted_and_told(path):
    stereo = np.stack([noise(1, 1.0, 8000), noise(2, 1.0, 8000)], axis=1)
    make_archive(path, recordings={"a1": stereo}, sample_rate=8000)
    reading = read(path)
    assert reading.utterances[0].duration_s == pytest.approx(1, abs=0.01)
    assert set(reading.changes.counts) == {"mixed down from 2 channels", "resampled from 8,000 Hz"}


def test_a_speaker_gives_no_more_than_asked_for(path):
    recordings = {f"a{n}": noise(n, 2.0) for n in range(5)}
    make_archive(path, recordings=recordings)
    reading = read(path, max_duration_s_total=4.5)
    assert [u.utterance_id for u in reading.utterances] == ["a0", "a1"]
    assert reading.excluded.counts == {OVER_CAP: 3}
    assert len(read(path, max_duration_s_total=10).utterances) == 5
    assert read(path, max_duration_s_total=0).excluded.counts == {OVER_CAP: 5}


def test_of_a_cut_recording_the_pieces_that_fit_are_kept(path):
    make_archive(path, recordings={"a1": noise(1, 5.0), "a2": noise(2)})
    reading = read(path, max_duration_s_total=2.5, max_duration_s=1.0)
    assert [u.utterance_id for u in reading.utterances] == ["a1-0000", "a1-0001"]
    assert reading.excluded.counts == {OVER_CAP: 2}


@pytest.mark.parametrize("problem", sorted(FAULTS.keys() - {"no recordings inside"}))
def test_nothing_is_taken_from_a_corrupt_archive(good, problem):
    reading = read(corrupt(good, problem))
    assert reading.utterances == []
    assert dict(reading.excluded.names) == {f"corrupt archive: {problem}": [STEM]}


def test_a_plain_tar_under_the_name_of_a_tgz_is_read(path):
    make_archive(path, recordings={"a1": noise(1)})
    path.write_bytes(gzip.decompress(path.read_bytes()))
    assert survey_archive(path).problem is None
    assert len(read(path).utterances) == 1


def test_an_archive_without_recordings_gives_nothing(good):
    reading = read(corrupt(good, "no recordings inside"))
    assert (reading.utterances, reading.excluded.counts) == ([], {})


def test_members_that_are_not_safe_are_counted(path):
    write_tgz(path, {"../a1.wav": audio_bytes(noise(1)), "x/a2.wav": audio_bytes(noise(2))})
    reading = read(path)
    assert [u.utterance_id for u in reading.utterances] == ["a2"]
    assert dict(reading.excluded.names) == {"unsafe name in the archive": [f"{STEM}/a1.wav"]}


def test_a_missing_archive_is_the_disks_error(path):
    for function in (survey_archive, read):
        with pytest.raises(FileNotFoundError):
            function(path)


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8), gzipped=...)
def test_no_damage_breaks_the_reader(path, places: list, gzipped: bool):
    make_archive(path, recordings={"a1": noise(1, 0.5), "a2": noise(2, 0.5)}, readme=README_FIELDS)
    data = bytearray(path.read_bytes())
    if not gzipped:
        data = bytearray(gzip.decompress(data))
    for share, value in places:
        data[round(share * (len(data) - 1))] = value
    path.write_bytes(data)
    survey, reading = survey_archive(path), read(path)
    if survey.problem in (None, "no recordings inside"):
        assert len(reading.utterances) + reading.excluded.counts.total() >= survey.n_recordings
    else:
        assert dict(reading.excluded.counts) == {f"corrupt archive: {survey.problem}": 1}
