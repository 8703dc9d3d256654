"""A model answers what it was trained on, and nothing else."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from datasets import Dataset
from helpers.training import cache_in, write_corpus

import prepare_data
import train
from langid import LanguageIdentifier
from langid.checkpoint import read_config
from langid.config import LabelTraining, ModelConfig
from langid.errors import DataError
from langid.evaluation.evaluate import evaluate_folder
from langid.features import LogMel
from langid.model import LanguageCNN
from langid.training.amounts import with_amounts
from langid.training.augment import AugmentConfig, synthetic_non_speech
from langid.training.batches import TrainingBatches
from langid.training.cache import load_training_data
from langid.training.clips import prepare_clips, with_trained_labels
from langid.training.sampling import Shares
from langid.training.trainer import Optimisation, Trainer

TINY = ModelConfig(
    labels=("en", "fr", "nl", "other", "none"),
    stem_channels=4,
    width=16,
    n_encoder_blocks=1,
    n_head_blocks=1,
)
SPEECH_ONLY = ("en", "fr", "nl")


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with cache_in(tmp_path_factory.mktemp("cache")):
        yield


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Three languages: nobody is silent."""
    return write_corpus(tmp_path_factory.mktemp("recordings"), languages=SPEECH_ONLY)


@pytest.fixture(scope="module")
def dataset(recordings):
    output = recordings.parent / "dataset"
    assert prepare_data.main(["folder", str(recordings), "--output", str(output)]) == 0
    return output


def split(*rows):
    """Rows of (language, n_frames), with the columns that clips are made of."""
    languages, n_frames = zip(*rows, strict=True)
    n = len(rows)
    return Dataset.from_dict(
        {
            "log_mel": [b""] * n,
            "language": languages,
            "source": ["a"] * n,
            "speaker_id": ["b"] * n,
            "licence": [None] * n,
            "synthetic": [False] * n,
            "n_frames": n_frames,
            "phones": [[]] * n,
        }
    )


def trained(config, rows):
    config = with_trained_labels(config, rows)
    return with_amounts(config, prepare_clips(rows, config))


def test_labels_are_what_the_clips_teach():
    config = replace(TINY, labels=("en", "fr", "other", "none"))
    everything = split(("en", 36_000), ("en", 18_000), ("fr", 100), ("pl", 400), ("music", 200))
    assert trained(config, everything).training == (
        *(LabelTraining("en", 2, 0.15), LabelTraining("fr", 1, 0.0003)),
        *(LabelTraining("other", 1, 0.0011), LabelTraining("none", 1, 0.0006)),
    )
    # What cannot be decoded or is too short teaches nothing.
    without = trained(config, split(("en", 100), ("fr", 100), ("pl", 0), ("noise", 9)))
    assert without.labels == ("en", "fr", "none")
    assert without.training[-1] == LabelTraining("none", 0, 0.0)
    with pytest.raises(DataError, match=r"No clip of fr .* can be decoded"):
        with_trained_labels(config, split(("en", 100), ("fr", 0)))


def test_validation_leaves_out_what_has_no_label():
    clips = prepare_clips(
        split(("en", 100), ("pl", 100), ("noise", 100)), replace(TINY, labels=("en", "none"))
    )
    assert clips.languages == ["en", "noise"]
    assert clips.labels.tolist() == [0, 1]


@pytest.fixture(scope="module")
def batches(dataset):
    splits = load_training_data([str(dataset)], TINY, 0)
    config = with_trained_labels(TINY, splits["train"])
    clips = prepare_clips(splits["train"], config)
    return TrainingBatches(
        clips,
        config,
        n_steps=60,
        batch_size=16,
        utterance_share=0.0,
        shares=Shares(none=0.25),
        augmentation=AugmentConfig(),
        seed=0,
    )


def test_built_in_non_speech_has_its_share_where_no_clip_has_any(batches):
    assert batches.clips.labels.max() == 2  # en, fr, nl
    labels = torch.cat([batches[step].labels for step in range(40)])
    assert (labels == 3).float().mean() == pytest.approx(0.25, abs=0.05)
    assert torch.equal(batches[3].log_mel, batches[3].log_mel)


def test_built_in_non_speech_is_learnt(batches):
    torch.manual_seed(0)
    config = replace(TINY, labels=("en", "fr", "nl", "none"))
    trainer = Trainer(
        LanguageCNN(config), Optimisation(60, 5e-3, 0.0, 0.0, seed=0), torch.device("cpu")
    )
    for step in range(60):
        trainer.train_step(batches[step])
    model = trainer.averaged_model.eval()
    built_in = synthetic_non_speech((64, 64, 300), torch.Generator().manual_seed(9))
    silence = LogMel(config)(torch.zeros(1, 32_000))
    with torch.inference_mode():
        answers = model.forward_features(built_in)[0].argmax(dim=1)
        assert (answers == 3).float().mean() > 0.7  # the languages are tones as well here
        assert model.forward_features(silence)[0].argmax() == 3


@pytest.mark.slow
def test_what_was_not_trained_is_not_offered(dataset, recordings, tmp_path, capsys):
    """From weights that know another language and silence, on recordings that hold neither."""
    run = tmp_path / "run"
    arguments = ["--data", dataset, "--output", run, "--steps", 2, "--validate-every", 2]
    arguments += ["--languages", "en,fr,nl", "--init", "embedded", "--batch-size", 8]
    assert train.main(list(map(str, arguments))) == 0
    said = capsys.readouterr().out
    assert "cannot answer 'another language'" in said and "built-in silence" in said

    config = read_config(run)
    assert config.labels == ("en", "fr", "nl", "none")
    assert [entry.n_clips for entry in config.training] == [6, 6, 6, 0]
    identifier = LanguageIdentifier.from_pretrained(run)
    assert identifier.labels == config.labels
    answer = identifier.identify(np.zeros(32_000, np.float32), 16_000)
    assert list(answer.probabilities) == ["en", "fr", "nl", "none"]
    card = (run / "README.md").read_text()
    assert "Another language it takes for one of these" in card
    assert "| No speech | built-in silence, hiss, hum and tones |" in card
    assert json.loads((run / "metrics.json").read_text())["other_auroc"] is None

    # Recordings of other languages are wrong for such a model, and no error.
    (tmp_path / "pl").mkdir()
    (tmp_path / "pl" / "a.flac").write_bytes(next(recordings.glob("nl-*.flac")).read_bytes())
    other = evaluate_folder(identifier, tmp_path, progress=False)
    assert other.n_clips == 1 and other.other_languages["pl"].rejection_rate == 0
