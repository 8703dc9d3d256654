"""From a folder of recordings to weights, on a corpus of melodies."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.training import interrupted_at, short_run
from safetensors.torch import load_file

import train
from langid import LanguageIdentifier
from langid.checkpoint import read_config
from langid.config import ModelConfig
from langid.data.espeak import espeak_available
from langid.errors import DataError
from langid.evaluation.report import read_report
from langid.model import LanguageCNN
from langid.training.amounts import describe_sources
from langid.training.augment import AugmentConfig
from langid.training.batches import TrainingBatches
from langid.training.cache import load_training_data
from langid.training.clips import prepare_clips
from langid.training.sampling import Shares
from langid.training.trainer import Optimisation, Trainer

LANGUAGES = ("en", "fr")


@pytest.fixture(scope="module")
def config():
    return ModelConfig(
        labels=(*LANGUAGES, "other", "none"),
        stem_channels=4,
        width=16,
        n_encoder_blocks=1,
        n_head_blocks=1,
        phones=tuple("həloðɛɹmafɹɪn"),
    )


@pytest.fixture(scope="module")
def clips(dataset, config):
    return prepare_clips(load_training_data([str(dataset)], config, 0)["train"], config)


def batches(clips, config, **changes):
    settings = {
        "n_steps": 10,
        "batch_size": 8,
        "utterance_share": 0.0,
        "shares": Shares(),
        "augmentation": AugmentConfig(),
        "seed": 0,
        **changes,
    }
    return TrainingBatches(clips, config, **settings)


def test_classes_without_validation_are_lent_speakers(dataset, config):
    splits = load_training_data([str(dataset)], config, seed=0)
    train_speakers = set(splits["train"]["speaker_id"][:])
    validation_speakers = set(splits["validation"]["speaker_id"][:])
    assert not train_speakers & validation_speakers
    assert {"tones_a:en3", "tones_a:fr3", "tones_a:nl3"} < validation_speakers
    assert sum(":noise" in speaker for speaker in validation_speakers) == 1


def test_sources_are_described_for_the_card(clips, config):
    table = describe_sources(clips, config.frame_s)
    assert {row.source for row in table} == {"tones_a", "bells_b"}
    assert sum(row.n_clips for row in table) == 24  # 32, less 6 of dev and 2 that are lent
    assert all(row.licence == "CC0-1.0" and row.hours > 0 for row in table)


def test_missing_languages_and_datasets_give_a_sentence(dataset, config, tmp_path):
    with pytest.raises(DataError, match="no clip of de"):
        load_training_data([str(dataset)], replace(config, labels=("en", "de", "other", "none")), 0)
    with pytest.raises(DataError, match=r"prepare_data\.py"):
        load_training_data([str(tmp_path)], config, 0)


def test_what_is_no_language_is_said_in_a_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit):
        train.main(short_run(tmp_path, tmp_path / "run", "--languages", "en,klingonese"))
    assert "'klingonese' is not a known language: give an ISO 639 code" in capsys.readouterr().err


def test_features_are_those_of_the_model(clips, config):
    log_mel = clips.log_mel(0)
    assert log_mel.shape == (clips.n_frames[0], config.n_mels)
    assert clips.n_frames[0] == 1 + (2 * 16_000 - config.n_fft) // config.hop_length


def test_a_step_gives_the_same_batch_again_and_another_does_not(clips, config):
    source = batches(clips, config)
    first, again, other = source[3], source[3], source[4]
    assert torch.equal(first.log_mel, again.log_mel)
    assert torch.equal(first.labels, again.labels)
    assert first.log_mel.shape != other.log_mel.shape or not torch.equal(
        first.log_mel, other.log_mel
    )


def test_processes_draw_other_windows_of_the_same_length(clips, config):
    first, second = batches(clips, config), batches(clips, config, rank=1)
    lengths = set()
    for step in range(12):
        one, other = first[step].log_mel, second[step].log_mel
        assert one.shape[2] == other.shape[2] and not torch.equal(one, other)
        lengths.add(one.shape[2])
    assert len(lengths) > 2


def test_windows_are_drawn_in_balance(clips, config):
    sampler = batches(clips, config).sampler
    rng = np.random.default_rng(0)
    drawn = np.array([clips.labels[sampler.draw(rng)] for _ in range(4000)])
    shares = np.bincount(drawn, minlength=4) / len(drawn)
    expected = [0.32, 0.32, 0.28, 0.08]
    np.testing.assert_allclose(shares, expected, atol=0.03)


def test_companions_are_of_the_same_speaker(clips, config):
    sampler = batches(clips, config).sampler
    rng = np.random.default_rng(0)
    for index in range(len(clips)):
        companion = sampler.companion(index, rng)
        assert clips.speakers[companion] == clips.speakers[index]
        assert clips.labels[companion] == clips.labels[index]


@pytest.mark.skipif(not espeak_available(), reason="espeak-ng is not installed: no phones")
def test_utterances_carry_their_phones(clips, config):
    source = batches(clips, config, utterance_share=1.0)
    batch = next(b for b in (source[i] for i in range(10)) if b.phones is not None)
    assert len(batch.phones) == len(batch.labels) == len(batch.log_mel)
    assert all(p.min() >= 1 and p.max() <= len(config.phones) for p in batch.phones)


def test_resuming_is_exact(clips, config, tmp_path):
    def fresh():
        torch.manual_seed(0)
        return Trainer(
            LanguageCNN(config), Optimisation(4, 1e-2, 0.0, 0.3, seed=0), torch.device("cpu")
        )

    source = batches(clips, config)
    straight = fresh()
    for step in range(4):
        straight.train_step(source[step])

    interrupted = fresh()
    for step in range(2):
        interrupted.train_step(source[step])
    interrupted.save(tmp_path / "checkpoint.pt", best=0.5)
    resumed = fresh()
    assert resumed.restore(tmp_path / "checkpoint.pt") == {"best": 0.5}
    for step in range(resumed.step, 4):
        resumed.train_step(source[step])

    for name, tensor in straight.average.state_dict().items():
        assert torch.equal(tensor, resumed.average.state_dict()[name]), name


def test_training_learns_melodies(clips, config):
    torch.manual_seed(0)
    trainer = Trainer(
        LanguageCNN(config), Optimisation(60, 5e-3, 0.0, 0.0, seed=0), torch.device("cpu")
    )
    source = batches(clips, config, n_steps=60, batch_size=16)
    losses = [trainer.train_step(source[step]).language for step in range(60)]
    assert np.mean(losses[-10:]) < 0.75 * np.mean(losses[:10])


@pytest.mark.slow
def test_the_command_writes_a_usable_run_and_resumes(dataset, tmp_path, capsys):
    straight, torn = tmp_path / "straight", tmp_path / "torn"
    assert train.main(short_run(dataset, straight)) == 0

    with interrupted_at(3):
        assert train.main(short_run(dataset, torn)) == 130
    assert "--resume" in capsys.readouterr().out
    capsys.readouterr()
    unlike = [*short_run(dataset, torn, "--resume"), "--batch-size", "16", "--languages", "en"]
    assert train.main(unlike) == 2
    sentence = capsys.readouterr().err
    assert "--batch-size was 8 and is 16" in sentence and "--languages was en,fr" in sentence
    assert sentence.count("\n") == 1
    assert train.main(short_run(dataset, torn, "--resume")) == 0
    a, b = load_file(straight / "model.safetensors"), load_file(torn / "model.safetensors")
    assert all(torch.equal(a[name], b[name]) for name in a)

    assert {path.name for path in straight.iterdir()} >= {
        *("config.json", "model.safetensors", "metrics.json", "log.jsonl", "README.md"),
        *("learning_curves.png", "confusion.png", "checkpoint.pt"),
    }
    report = read_report(straight / "metrics.json")
    assert (report.n_clips, report.split, report.used_for_selection) == (8, "validation", True)
    assert report.training.settings["n_steps"] == 4
    assert {source.source for source in report.training.sources} == {"tones_a", "bells_b"}
    card = (straight / "README.md").read_text()
    assert "tones_a" in card and "CC0-1.0" in card and "pipeline_tag: audio-classification" in card
    lines = (straight / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [2, 4]

    identifier = LanguageIdentifier.from_pretrained(straight)
    assert identifier.labels == ("en", "fr", "other", "none")
    result = identifier.identify(np.zeros(32_000, np.float32), 16_000)
    assert sum(result.probabilities.values()) == pytest.approx(1)


@pytest.mark.slow
def test_fine_tuning_takes_over_what_fits(dataset, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    assert train.main(short_run(dataset, first)) == 0
    assert (
        train.main([*short_run(dataset, second, "--init", str(first)), "--languages", "nl,en"]) == 0
    )
    assert LanguageIdentifier.from_pretrained(second).languages == ("nl", "en")


def test_last_layer_keeps_the_rows_of_shared_labels(config):
    old = LanguageCNN(config)
    new = train.build_model(replace(config, labels=("nl", "fr", "other", "none")), old)
    assert torch.equal(new.classifier.weight[1], old.classifier.weight[1])
    assert not torch.equal(new.classifier.weight[0], old.classifier.weight[0])
    assert torch.equal(new.stem.down[0].weight, old.stem.down[0].weight)


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--encoder-blocks", "33", "33: input should be less than or equal to 32"),
        ("--encoder-blocks", "-1", "-1: input should be greater than or equal to 0"),
        ("--units", "9000", "9000: input should be less than or equal to 8192"),
        ("--units", "0", "--units must be at least 1"),
        ("--steps", "-1", "-1 is not a whole number from 0 upwards"),
        ("--batch-size", "0", "0 is not a whole number from 1 upwards"),
        ("--validate-every", "0", "0 is not a whole number from 1 upwards"),
        ("--num-proc", "0", "0 is not a whole number from 1 to 1024"),
        ("--workers", "-1", "-1 is not a whole number from 0 to 1024"),
        ("--threads", "-2", "-2 is not a whole number from 1 to 1024"),
        ("--threads", "1000000000000", "1000000000000 is not a whole number from 1 to 1024"),
        ("--seed", "-1", "-1 is not a whole number from 0 to 4294967295"),
        ("--seed", "18446744073709551616", "is not a whole number from 0 to 4294967295"),
        ("--weight-decay", "-1", "-1 is not a number from 0 upwards"),
        ("--learning-rate", "-1", "-1 is not a number above 0"),
        ("--learning-rate", "nan", "nan is not a number above 0"),
        ("--learning-rate", "inf", "inf is not a number above 0"),
        ("--phone-weight", "nan", "nan is not a number from 0 upwards"),
        ("--unit-weight", "-1", "-1 is not a number from 0 upwards"),
        ("--posterior-weight", "inf", "inf is not a number from 0 upwards"),
        ("--utterance-share", "1.5", "1.5 is not a share from 0 to 1"),
        ("--teacher-hours", "nan", "nan is not a number above 0"),
        ("--device", "abacus", "The device 'abacus' cannot be used: Expected one of cpu"),
        ("--device", "meta", "The device 'meta' cannot be used"),
        ("--device", "cuda:99", "The device 'cuda:99' cannot be used"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_before_any_data_is_read(
    tmp_path, capsys, option, value, sentence
):
    with pytest.raises(SystemExit) as stop:
        train.main(short_run(tmp_path / "nowhere", tmp_path / "run", option, value))
    assert stop.value.code == 2
    error = capsys.readouterr().err.splitlines()[-1]  # below the usage
    assert "error: " in error and sentence in error
    assert option in error or option == "--device"
    assert not (tmp_path / "run").exists()


def test_a_model_that_could_not_be_read_back_is_not_trained(dataset, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        train, "with_teacher_heads", lambda config, _: replace(config, n_units=9000)
    )
    assert train.main(short_run(dataset, tmp_path)) == 2
    assert "n_units is 9000: input should be less than" in capsys.readouterr().err
    assert not (tmp_path / "checkpoint.pt").exists()


@pytest.mark.slow
def test_an_encoder_may_have_no_blocks(dataset, tmp_path):
    assert train.main(short_run(dataset, tmp_path, "--encoder-blocks", "0")) == 0
    assert read_config(tmp_path).n_encoder_blocks == 0


def test_bad_input_is_one_sentence_and_exit_code_2(dataset, tmp_path, capsys):
    assert train.main(["--data", str(tmp_path), "--output", str(tmp_path / "x")]) == 2
    message = capsys.readouterr().err
    assert message.startswith("train.py: ") and message.count("\n") == 1
    file = tmp_path / "file"
    file.write_text("")
    for wrong in (
        [*short_run(dataset, tmp_path / "none"), "--resume"],
        short_run(dataset, file),
        [*short_run(dataset, tmp_path / "x"), "--steps", "0"],
        [
            *short_run(dataset, tmp_path / "x"),
            "--steps",
            "0",
            "--init",
            "a",
            "--encoder-blocks",
            "0",
        ],
        [*short_run(dataset, tmp_path / "x"), "--steps", "0", "--init", "a", "--teacher", "base"],
    ):
        with pytest.raises(SystemExit) as stop:
            train.main(wrong)
        assert stop.value.code == 2
