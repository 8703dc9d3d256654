"""train.py --trunk-data: speech that teaches what a teacher hears in it, and no label."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from helpers.dataset import finish, utterance
from helpers.hub import local_hub
from helpers.hub_server import USER
from helpers.teacher import MelodyTeacher
from helpers.training import cache_in, interrupted_at, short_run
from safetensors.torch import load_file

import train
from langid.config import ModelConfig
from langid.data.espeak import espeak_available
from langid.data.prepare import DATASET
from langid.data.store import dataset_features, to_row
from langid.errors import DataError
from langid.evaluation.report import read_report
from langid.hub.publish import push_folder
from langid.training import probe, teacher_options
from langid.training.amounts import with_amounts
from langid.training.augment import AugmentConfig
from langid.training.batches import TrainingBatches
from langid.training.cache import load_training_data
from langid.training.clips import NO_LABEL, prepare_clips, with_trained_labels
from langid.training.sampling import TRUNK_SHARES, ClipSampler, without_excess
from langid.training.soft_targets import with_soft_targets
from langid.training.teacher_options import (
    contradicted,
    with_teacher_heads,
    without_own_languages,
)
from langid.training.teacher_targets import TeacherTargets
from langid.training.units import NO_UNIT

CONFIG = ModelConfig(labels=("en", "fr", "other", "none"))
NAMES = ["en", "noise", "pl"]
# Speakers and what they speak; None where nobody knows.
TRUNK = [("anna", "en"), ("bob", "en"), ("carl", "pl"), ("dora", None), ("door", "noise")]
N_SPOKEN = 8  # two clips each, without noise
NUMBERS = iter(range(1000, 2000))  # no recording twice


def write_trunk(folder: Path, train=TRUNK, validation=(), source="libri") -> Path:
    """A dataset of two clips of noise a speaker, which the melodies' teacher takes for Dutch."""
    (folder / "data").mkdir(parents=True)
    for split, speakers in (("train", train), ("validation", validation)):
        rows = []
        for speaker, language in (pair for pair in speakers for _ in range(2)):
            facts = {"source": source, "transcript": "hello there my friend"}
            row = to_row(utterance(speaker, language or "en", next(NUMBERS), **facts), NAMES)
            rows.append(row if language else {**row, "language": -1})
        if rows:
            table = pa.Table.from_pylist(rows, dataset_features(NAMES).arrow_schema)
            pq.write_table(table, folder / "data" / f"{split}-00000-of-00001.parquet")
    return finish(folder)


@pytest.fixture(scope="module")
def trunk(tmp_path_factory):
    return write_trunk(tmp_path_factory.mktemp("trunk") / "libri")


@pytest.fixture(autouse=True)
def own_cache_and_teacher(tmp_path, monkeypatch):
    monkeypatch.setattr(teacher_options, "WhisperTeacher", lambda model, n: MelodyTeacher())
    with cache_in(tmp_path / "cache"):
        yield


def load(folder, *trunk, config=CONFIG, targets=None, **options):
    """Splits, with the melodies' teacher."""
    targets = targets or TeacherTargets(MelodyTeacher(), 8)
    names = [str(name) for name in trunk]
    return load_training_data(
        [str(folder)], config, 0, targets=targets, trunk_names=names, **options
    )


def of_trunk(clips):
    return np.array([source == "libri" for source in clips.sources])


def arguments(folder, output, *more):
    return short_run(folder, output, "--teacher", "melodies", "--units", "8", *more)


def test_such_clips_have_units_and_posteriors_and_no_label(folder, trunk):
    clips = prepare_clips(load(folder, trunk)["train"], CONFIG)
    own = np.flatnonzero(of_trunk(clips))
    assert [clips.languages[i] for i in own] == ["en"] * 4 + ["pl"] * 2 + [None] * 2
    assert (clips.labels[own] == NO_LABEL).all() and (clips.labels != NO_LABEL).sum() == 24
    for i in own:
        assert (clips.units(i) != NO_UNIT).all() and len(clips.units(i)) == len(clips.log_mel(i))
    assert not np.isnan(clips.posteriors.astype(np.float32)).any()


@pytest.mark.skipif(not espeak_available(), reason="espeak-ng is not installed: no phones")
def test_transcripts_of_such_clips_are_not_learnt(folder, trunk):
    clips = prepare_clips(load(folder, trunk)["train"], CONFIG)
    has_phones = np.array([len(phones) > 0 for phones in clips.phones])
    assert has_phones.any() and not has_phones[of_trunk(clips)].any()


def test_labels_and_hours_do_not_count_them(folder, trunk):
    without, with_trunk = load(folder), load(folder, trunk)
    expected, found = (
        with_amounts(with_trained_labels(CONFIG, rows), prepare_clips(rows, CONFIG))
        for rows in (without["train"], with_trunk["train"])
    )
    assert found == expected and len(found.training) == 4
    assert len(with_trunk["train"]) == len(without["train"]) + N_SPOKEN
    assert with_trunk["validation"]["speaker_id"][:] == without["validation"]["speaker_id"][:]
    with pytest.raises(DataError, match="The train split has no clip of pl"):
        load(folder, trunk, config=replace(CONFIG, labels=("en", "pl", "other", "none")))


def test_units_are_fitted_without_them(folder, trunk, tmp_path):
    digests = []
    for name, more in (("a", []), ("b", [trunk])):
        targets = TeacherTargets(MelodyTeacher(), 8)
        with cache_in(tmp_path / name):
            load(folder, *more, targets=targets)
        digests.append(targets.units.digest)
    assert digests[0] == digests[1]


def test_the_first_data_are_not_heard_again(folder, trunk):
    targets = TeacherTargets(MelodyTeacher(), 8)
    load(folder, targets=targets)
    n_before = targets.teacher.n_calls
    load(folder, trunk, targets=targets)
    assert targets.teacher.n_calls == n_before + len(TRUNK) * 2


def test_beyond_the_teachers_hours_they_are_left_out(folder, trunk):
    limited = TeacherTargets(MelodyTeacher(), 8, max_hours=5.2 / 3600)  # clips of 1 s
    assert of_trunk(prepare_clips(load(folder, trunk, targets=limited)["train"], CONFIG)).sum() <= 5


def test_copies_are_made_of_them_too(folder, trunk):
    clips = prepare_clips(load(folder, trunk, n_copies=1)["train"], CONFIG)
    assert clips.n_versions == 2
    for i in np.flatnonzero(of_trunk(clips)):
        assert clips.log_mel(i, 1).shape == clips.log_mel(i).shape
        assert not np.array_equal(clips.log_mel(i, 1), clips.log_mel(i))


def test_batches_hold_them_without_a_label(folder, trunk):
    clips = prepare_clips(load(folder, trunk)["train"], CONFIG)
    clips = without_excess(clips, CONFIG.labels, 0)
    batches = TrainingBatches(
        clips,
        CONFIG,
        n_steps=20,
        batch_size=16,
        utterance_share=0.5,
        shares=TRUNK_SHARES,
        augmentation=AugmentConfig(),
        seed=0,
    )
    unlabelled = []
    for step in range(20):
        batch = batches[step]
        mine = batch.labels == NO_LABEL
        assert (batch.units[mine] != NO_UNIT).any(dim=1).all()
        # What is heard in them is Dutch, and labels are not asked.
        assert not batch.posteriors[mine].isnan().any()
        unlabelled += mine.tolist()
    assert 0.15 < np.mean(unlabelled) < 0.35
    p = ClipSampler(clips, CONFIG.labels, TRUNK_SHARES).probabilities()
    assert p[of_trunk(clips)].sum() == pytest.approx(0.25)


def test_they_change_nothing_among_labelled_clips(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("langid.training.sampling.MAX_COMMON_SPEAKERS", 2)
    # Of the corpus's own family, which the languages have in common.
    speakers = [(f"new{i}", "en") for i in range(9)]
    more = write_trunk(tmp_path / "more", speakers, source="voxforge")
    labels, p = [], []
    for names in ([], [more]):
        clips = prepare_clips(load(folder, *names)["train"], CONFIG)
        clips = without_excess(clips, CONFIG.labels, 0)
        labels.append(clips.labels[:24])
        p.append(ClipSampler(clips, CONFIG.labels, TRUNK_SHARES).probabilities()[:24])
    assert np.array_equal(*labels) and (labels[0] == NO_LABEL).sum() == 4
    labelled = labels[0] != NO_LABEL
    np.testing.assert_allclose(p[0][labelled], p[1][labelled])


def test_no_class_for_the_language_is_needed_and_none_that_it_is_not_in_is_learnt(folder, trunk):
    targets = TeacherTargets(MelodyTeacher(wrong="fr"), 8)
    config = replace(CONFIG, labels=("en", "fr", "none"))
    clips = prepare_clips(load(folder, trunk, config=config, targets=targets)["train"], config)
    told = without_own_languages(clips, with_teacher_heads(config, targets))
    assert set(told.languages) == {"en", "fr", "noise", "pl", None}
    for language, posteriors in zip(told.languages, told.posteriors, strict=True):
        # Polish is neither English nor French, whatever the teacher takes it for.
        assert np.argmax(posteriors) == (2 if language == "pl" else 1)


def test_the_teacher_contradicts_no_label_of_theirs(folder, trunk):
    targets = TeacherTargets(MelodyTeacher(wrong="fr"), 8)
    config = replace(CONFIG, labels=("none", "other", "fr", "en"))  # no label is not the last one
    clips = prepare_clips(load(folder, trunk, config=config, targets=targets)["train"], config)
    doubtful = contradicted(clips, config.labels, targets.teacher.languages)
    assert {clips.sources[i] for i in doubtful} == {"voxforge"}


def test_probes_neither_hear_them_nor_say_anything_of_them(folder, trunk, monkeypatch):
    monkeypatch.setattr(probe, "N_BATCHES", 3)
    targets = TeacherTargets(MelodyTeacher(), 8, with_states=True)
    clips = prepare_clips(load(folder, trunk, targets=targets)["train"], CONFIG)
    mine = of_trunk(clips)
    assert [row["states"] for row in clips.state_rows.select(np.flatnonzero(mine))] == [None] * 8
    soft = with_soft_targets(clips, CONFIG, 2, 0, torch.device("cpu")).soft
    assert [len(rows) > 0 for rows in soft] == (~mine).tolist()


def test_a_speaker_in_validation_is_refused(folder, tmp_path):
    # The corpus holds its speaker 3 for validation; with the same name somebody speaks here.
    one = write_trunk(tmp_path / "one", [("en3", "en")], source="voxforge")
    with pytest.raises(DataError, match=r"Speakers stand in two splits \(1, .*'voxforge:en3'"):
        load(folder, one)


def test_their_validation_split_is_ignored(folder, tmp_path):
    held = [("en0", "en"), ("en3", "en")]  # one trains, the other validates
    one = write_trunk(tmp_path / "one", TRUNK, held, source="voxforge")
    splits = load(folder, one)
    assert len(splits["train"]) == len(load(folder)["train"]) + N_SPOKEN
    assert len(splits["validation"]) == len(load(folder)["validation"])


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the Hub's client
def test_streamed_from_the_hub_they_are_the_same(folder, trunk, tmp_path, monkeypatch):
    expected = load(folder, trunk)["train"][:]
    one = write_trunk(tmp_path / "one", [("en3", "en")], source="voxforge")
    for path in (trunk, one):
        (path / "README.md").write_text("---\nlicense: cc0-1.0\n---\n# Noise\n")
    with local_hub(tmp_path, monkeypatch):
        push_folder(trunk, f"{USER}/libri", what=DATASET)
        push_folder(one, f"{USER}/one", what=DATASET)
        assert load(folder, f"{USER}/libri", streaming=True)["train"][:] == expected
        with pytest.raises(DataError, match="'voxforge:en3' in train and in validation"):
            load(folder, f"{USER}/one", streaming=True)


def test_without_a_teacher_they_are_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        train.main(short_run(tmp_path, tmp_path / "run", "--trunk-data", "libri"))
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert "--trunk-data teach what a teacher hears in them: give one with --teacher." in message


@pytest.mark.slow
def test_a_run_with_them_resumes_exactly_and_its_card_names_them(
    folder, trunk, tmp_path, monkeypatch, capsys
):
    more = ("--trunk-data", str(trunk), "--copies", "1")
    describe, shares = train.describe, []

    def describe_and_note(clips, validation, batches, model):
        shares.append(batches.sampler.probabilities()[of_trunk(clips)].sum())
        describe(clips, validation, batches, model)

    monkeypatch.setattr(train, "describe", describe_and_note)
    straight, torn = tmp_path / "straight", tmp_path / "torn"
    assert train.main(arguments(folder, straight, *more)) == 0
    assert f"unlabelled {N_SPOKEN}" in capsys.readouterr().out
    assert shares == [pytest.approx(0.25)]

    last = json.loads((straight / "log.jsonl").read_text().splitlines()[-1])
    assert last["unit_loss"] > 0 and last["posterior_loss"] > 0
    training = read_report(straight / "metrics.json").training
    assert training.settings["trunk_data"] == ["libri"]
    assert {(x.source, x.sounds_only) for x in training.sources} == {
        ("voxforge", False),
        ("libri", True),
    }
    card = (straight / "README.md").read_text()
    assert "| libri (sounds only) |" in card and 'only", of which it learnt no label.' in card

    with interrupted_at(3):
        assert train.main(arguments(folder, torn, *more)) == 130
    assert train.main([*arguments(folder, torn), "--copies", "1", "--resume"]) == 2
    assert f"--trunk-data was {trunk} and is None" in capsys.readouterr().err
    assert train.main([*arguments(folder, torn, *more), "--resume"]) == 0
    a, b = load_file(straight / "model.safetensors"), load_file(torn / "model.safetensors")
    assert all(torch.equal(a[name], b[name]) for name in a)
