"""Windows that go on as another window, and windows that are left as they are."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.training import short_run

import train
from langid.config import ModelConfig
from langid.training.augment import AugmentConfig
from langid.training.batches import TrainingBatches
from langid.training.clips import NO_LABEL, prepare_clips
from langid.training.cutmix import choose_cuts, cutmix
from langid.training.sampling import Shares

NONE = 3
UNCHANGED = AugmentConfig(
    noise_probability=0.0,
    reverberation_probability=0.0,
    channel_probability=0.0,
    band_limit_probability=0.0,
    codec_probability=0.0,
    gate_probability=0.0,
    mixed_statistics_probability=0.0,
    contrast=(1.0, 1.0),
    n_time_masks=0,
    n_band_masks=0,
)


def test_a_window_without_a_language_is_neither_cut_nor_goes_on_another():
    labels = np.array([0, 1, NONE, 2, NO_LABEL, 2, 0, 1] * 50)
    cuts = choose_cuts(labels, NONE, 397, 1.0, np.random.default_rng(0)).reshape(50, 8)
    assert (cuts[:, [0, 5, 6, 7]] > 0).all()  # the last is followed by the first
    assert not cuts[:, [1, 2, 3, 4]].any()
    cuts = cuts[cuts > 0]
    assert (cuts % 4 == 0).all()
    assert 115 <= cuts.min() < 125 and 270 < cuts.max() <= 278
    some = choose_cuts(np.zeros(1000, int), NONE, 397, 0.3, np.random.default_rng(0))
    assert (some > 0).mean() == pytest.approx(0.3, abs=0.05)


def test_both_parts_count_by_their_frames_and_are_equally_loud():
    log_mel = torch.stack([torch.full((2, 40), float(i)) for i in range(3)])
    units = np.repeat(np.arange(3), 10).reshape(3, 10)
    mixed, mixed_units, targets = cutmix(log_mel, units, np.eye(3), np.array([12, 0, 20]))
    assert (mixed[0] == 0).all() and (mixed[1] == 1).all() and (mixed[2] == 2).all()
    assert mixed_units[0].tolist() == [0] * 3 + [1] * 7
    assert mixed_units[2].tolist() == [2] * 5 + [0] * 5  # the first follows the last
    np.testing.assert_allclose(targets, [[0.3, 0.7, 0], [0, 1, 0], [0.5, 0, 0.5]])
    rising = torch.arange(40.0).expand(2, 40) + torch.tensor([0.0, 100.0])[:, None, None]
    mixed, _, _ = cutmix(rising, units[:2], np.eye(3)[:2], np.array([20, 0]))
    assert mixed[0, 0, 20:].tolist() == list(range(20))
    assert units[0].tolist() == [0] * 10 and rising[0, 0, 20] == 20  # nothing is changed in place


@pytest.fixture(scope="module")
def config():
    return ModelConfig(labels=("en", "fr", "other", "none"))


@pytest.fixture(scope="module")
def clips(dataset, config):
    splits = train.load_training_data([str(dataset)], config, 0)
    return prepare_clips(splits["train"], config)


def batches(clips, config, augmentation):
    return TrainingBatches(
        clips,
        config,
        n_steps=4,
        batch_size=32,
        utterance_share=0.0,
        shares=Shares(),
        augmentation=augmentation,
        seed=0,
    )


def test_a_part_of_the_windows_is_served_exactly_as_it_was_recorded(clips, config):
    """Interpolation smooths: a network that sees nothing else is lost without."""

    recorded = np.concatenate([clips.log_mel(i)[:, 20] for i in range(len(clips))])

    def exact_share(probability):
        made = batches(clips, config, replace(UNCHANGED, warp_probability=probability))
        windows = torch.cat([made[step].log_mel[:, 20, :100] for step in range(4)]).numpy()
        known = np.isin(windows.round(3), recorded.astype(np.float32).round(3))
        return (known.mean(axis=1) > 0.9).mean()

    assert exact_share(0.0) > 0.9
    assert exact_share(1.0) < 0.1
    assert 0.1 < exact_share(0.5) < 0.5  # in both axes


def test_windows_with_labels_alone_are_mixed_as_well(clips, config):
    made = batches(clips, config, replace(UNCHANGED, cutmix_probability=0.9))
    batch = made[0]
    mixed = ~batch.soft[:, 0].isnan()
    assert mixed.float().mean() > 0.5
    assert not mixed[batch.labels == NONE].any()
    np.testing.assert_allclose(batch.soft[mixed].sum(dim=1), 1, rtol=1e-5)
    assert (batch.soft[mixed].gather(1, batch.labels[mixed][:, None]) >= 0.29).all()
    assert torch.equal(batch.log_mel, made[0].log_mel)
    assert batches(clips, config, UNCHANGED)[0].soft is None


def test_a_run_with_both_options(dataset, tmp_path, capsys):
    output = tmp_path / "run"
    assert train.main(short_run(dataset, output, "--cutmix", "0.5", "--dropout", "0.1")) == 0
    card = (output / "README.md").read_text()
    assert "| cutmix | `0.5` |" in card and "| dropout | `0.1` |" in card
    with pytest.raises(SystemExit) as stopped:
        train.main(short_run(dataset, tmp_path / "other", "--cutmix", "1.5"))
    assert stopped.value.code == 2
    assert "1.5 is not a share from 0 to below 1" in capsys.readouterr().err
