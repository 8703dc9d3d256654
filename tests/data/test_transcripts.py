"""The transcripts that a dataset lacks, with a small recogniser in Whisper's place."""

import math
from functools import partial

import pyarrow.parquet as pq
import pytest
from helpers.dataset import finish, load, utterance, write_dataset, write_shards, write_short_card
from helpers.transcriber import FirstSample, open_first_sample

from langid.data import transcripts
from langid.data.builder import Recipe, build_dataset
from langid.data.card import make_dataset_card
from langid.data.card_texts import TRANSCRIBED
from langid.data.counts import count_dataset
from langid.data.merge import merge_jobs, read_row_group
from langid.data.store import shard_paths
from langid.data.transcripts import Transcript, read_and_transcribe, transcript_jobs
from langid.data.utterance import ReasonCounts
from langid.errors import DataError

NEW = ("transcript_source", "transcript_confidence")


@pytest.fixture
def folder(tmp_path):
    return write_dataset(tmp_path / "dataset")


def fill(folder, output, transcriber=None, min_confidence=0.0, kept=None, n_processes=1):
    """``folder`` transcribed; what happened to its clips."""
    heard = transcriber or FirstSample()
    jobs, languages = transcript_jobs("it", folder, heard)
    read = partial(
        read_and_transcribe,
        open_transcriber=(lambda: heard) if n_processes == 1 else open_first_sample,
        kept=kept or output.parent / "kept" / "transcripts.sqlite",
        min_confidence=min_confidence,
    )
    recipe = Recipe(jobs, languages, {"min_confidence": min_confidence})
    return build_dataset(
        recipe,
        read,
        output,
        write_short_card,
        excluded=ReasonCounts(),
        n_processes=n_processes,
        unit="h",
    ).changes.counts


def rows_of(folder):
    return {row["audio"]["path"]: row for rows in load(folder).values() for row in rows}


def without_new_columns(folder):
    """As an earlier version wrote it."""
    for split in ("train", "validation", "test"):
        for path in shard_paths(folder, split):
            pq.write_table(pq.read_table(path).drop_columns(list(NEW)), path)
    return folder


def test_what_lacks_a_transcript_gets_one_and_the_rest_stays_as_it_was(folder, tmp_path):
    counts = fill(without_new_columns(folder), tmp_path / "out")
    assert counts == {"transcribed by whisper-of-tests": 4}
    before, after = rows_of(folder), rows_of(tmp_path / "out")
    assert list(before) == list(after)  # in the same order, in the same splits
    for name, row in after.items():
        given = before[name]["transcript"]
        source, confidence = (row.pop(column) for column in NEW)
        if given:
            assert (source, confidence) == (None, None)
        else:
            language = ("de", "fr")[row["language"]]
            assert row["transcript"].split()[0] == language
            assert source == "whisper-of-tests" and 0.5 <= confidence <= 1
        assert {**row, "transcript": given} == before[name]


def test_noise_and_languages_that_the_recogniser_does_not_know_stay_without(tmp_path):
    clips = [utterance("anna", "fr", 1), utterance("bob", "la", 2), utterance("hall", "noise", 3)]
    clips.append(utterance("eve", "fr", 4, transcript="  "))  # no text, either
    write_shards(tmp_path / "in", "train", [clips], ["fr", "la", "noise"])
    heard = FirstSample()
    fill(finish(tmp_path / "in"), tmp_path / "out", heard)
    rows = rows_of(tmp_path / "out")
    assert heard.n_calls == 2
    assert [bool(row["transcript_source"]) for row in rows.values()] == [True, False, False, True]
    assert rows["bob-2.flac"]["transcript"] is None


@pytest.mark.parametrize(
    "transcript, fault",
    [
        (Transcript("Bonjour.", math.log(0.8), 0.9), None),
        (Transcript("", 0.0, 0.0), "no words"),
        (Transcript(" ... ♪ ", 0.0, 0.5), "no words"),
        (Transcript("la la la la", math.log(0.9), 2.5), "repeats itself"),
        (Transcript("Bonjour.", math.log(0.59), 0.9), "too uncertain"),
    ],
)
def test_what_is_not_to_be_believed(transcript, fault):
    found = transcript.fault(0.6)
    assert found is None if fault is None else fault in found
    # Whisper's own limit holds whatever is asked for.
    assert "uncertain" in Transcript("Bonjour.", -1.01, 0.9).fault(0.0)


def test_doubtful_texts_are_left_out_and_counted_and_cost_nothing_the_second_time(folder, tmp_path):
    heard = FirstSample()
    fill(folder, tmp_path / "all", heard)
    confidences = sorted(filter(None, (r[NEW[1]] for r in rows_of(tmp_path / "all").values())))
    assert len(confidences) == heard.n_calls == 4
    between = (confidences[0] + confidences[1]) / 2
    counts = fill(folder, tmp_path / "sure", heard, min_confidence=between)
    assert heard.n_calls == 4
    assert counts == {
        "transcribed by whisper-of-tests": 3,
        "left without transcript: too uncertain": 1,
    }
    kept = [row for row in rows_of(tmp_path / "sure").values() if row["transcript_source"]]
    assert min(row["transcript_confidence"] for row in kept) > between


def test_an_interruption_costs_the_clip_in_work(folder, tmp_path):
    heard = FirstSample()
    heard.stop_after = 3
    with pytest.raises(KeyboardInterrupt):
        fill(folder, tmp_path / "out", heard)
    heard.stop_after = None
    fill(folder, tmp_path / "out", heard)
    assert heard.n_calls == 4
    assert all(row["transcript"] for row in rows_of(tmp_path / "out").values())


def test_another_recogniser_is_asked_again(folder, tmp_path):
    fill(folder, tmp_path / "one", kept=tmp_path / "kept.sqlite")
    other = FirstSample()
    other.fingerprint = "another"
    fill(folder, tmp_path / "two", other, kept=tmp_path / "kept.sqlite")
    assert other.n_calls == 4


def test_two_processes_give_the_same_as_one(folder, tmp_path):
    fill(folder, tmp_path / "one")
    fill(folder, tmp_path / "two", kept=tmp_path / "kept.sqlite", n_processes=2)
    assert rows_of(tmp_path / "one") == rows_of(tmp_path / "two")


def test_jobs_are_short_and_count_the_hours_that_are_to_be_transcribed(tmp_path):
    clips = [utterance("anna", "fr", n, duration_s=4.0) for n in range(7)]
    clips[3] = utterance("anna", "fr", 3, duration_s=100.0, transcript="Salut.")
    write_shards(tmp_path / "in", "train", [clips])
    jobs, languages = transcript_jobs("it", finish(tmp_path / "in"), FirstSample())
    assert languages == ["de", "fr", "it"]
    assert [(j.item.first_row, j.item.n_rows) for j in jobs] == [(0, 3), (3, 4)]
    assert [j.amount * 3600 for j in jobs] == pytest.approx([12, 12])
    names = [u.file_name for j in jobs for u in read_row_group(j).utterances]
    assert names == [f"anna-{n}.flac" for n in range(7)]


def test_clips_that_do_not_decode_stay_without(tmp_path, monkeypatch):
    odd = utterance("anna", "fr", 1)
    write_shards(tmp_path / "in", "train", [[odd.__class__(**{**vars(odd), "audio": b"none"})]])
    counts = fill(finish(tmp_path / "in"), tmp_path / "out")
    assert counts == {"left without transcript: undecodable": 1}


def test_a_file_of_kept_transcripts_that_is_none_is_one_sentence(folder, tmp_path):
    (tmp_path / "kept.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(DataError, match=r"kept\.sqlite.*cannot be used"):
        fill(folder, tmp_path / "out", kept=tmp_path / "kept.sqlite")


def test_the_card_says_how_many_transcripts_are_a_machines(folder, tmp_path):
    def note(folder):
        counts = count_dataset(folder)
        card = make_dataset_card(counts, TRANSCRIBED, ReasonCounts(), ReasonCounts(), "USER/NAME")
        return card.text.split("## Gender")[0]

    fill(folder, tmp_path / "out")
    assert "Of 6 transcripts, 4 were written by a machine" in note(tmp_path / "out")
    assert "4 by whisper-of-tests" in note(tmp_path / "out")
    assert "machine" not in note(folder) and "machine" not in note(without_new_columns(folder))


def test_a_merge_with_a_dataset_of_an_earlier_version_keeps_what_is_known(folder, tmp_path):
    fill(folder, tmp_path / "new")
    write_shards(tmp_path / "old", "train", [[utterance("zoe", "fr", 9, transcript="Oui.")]])
    old = without_new_columns(finish(tmp_path / "old"))
    jobs, languages = merge_jobs({"new": tmp_path / "new", "old": old})
    recipe = Recipe(jobs, languages, {})
    build_dataset(
        recipe, read_row_group, tmp_path / "all", write_short_card, excluded=ReasonCounts()
    )
    rows, new = rows_of(tmp_path / "all"), rows_of(tmp_path / "new")
    assert len(rows) == 7 and rows["zoe-9.flac"]["transcript_source"] is None
    assert all(rows[name][column] == new[name][column] for name in new for column in NEW)


def test_stretches_of_rows_without_speech_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(transcripts, "MAX_ROWS", 2)
    clips = [utterance("hall", "noise", n) for n in range(5)]
    write_shards(tmp_path / "in", "train", [clips], ["noise"])
    jobs, _ = transcript_jobs("it", finish(tmp_path / "in"), FirstSample())
    assert [j.item.n_rows for j in jobs] == [2, 2, 1] and not any(j.amount for j in jobs)
