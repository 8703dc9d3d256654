"""The benchmark on the smallest recordings that there are; no figure is judged here."""

import json
import sys
import time

import numpy as np
import pytest
import soundfile
import torch

from langid.evaluation import bench, bench_ecapa


def test_speech_like_has_the_asked_length_over_several_blocks():
    blocks = list(bench.speech_like(130.5))
    assert sum(map(len, blocks)) == round(130.5 * 16_000)
    assert len(blocks) == 3
    assert 0.1 < np.abs(np.concatenate(blocks)).max() < 1.0


@pytest.mark.parametrize("suffix", [".wav", ".mp3"])
def test_write_recording_takes_the_format_from_the_name(tmp_path, suffix):
    info = soundfile.info(bench.write_recording(tmp_path / f"a{suffix}", 2.0))
    assert info.format == suffix[1:].upper()
    assert info.duration == pytest.approx(2.0, abs=0.2)


@pytest.mark.slow
def test_fresh_process_measures_time_and_memory_of_its_own(tmp_path):
    ballast = np.ones(125_000_000)  # 1 GB here must not count there
    run = bench.fresh_process(bench.write_recording(tmp_path / "a.wav", 1.0))
    assert 0 < run["inner_s"] < run["wall_s"]
    assert 50 < run["peak_memory_mb"] < ballast.nbytes / 1e6


def test_compare_alternates_and_takes_the_median_ratio(monkeypatch):
    calls = []
    clock = [0.0]

    def network(name, seconds):
        def run(windows):
            calls.append((name, len(windows)))
            clock[0] += seconds.pop(0)
            return windows

        return run

    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    # The first of each is the warm-up; then three pairs of two batches.
    ours = network("ours", [9.0, 1, 1, 1, 1, 1, 1])
    theirs = network("theirs", [9.0, 3, 3, 10, 10, 4, 4])
    batches = torch.zeros(3, 8).split(2)
    row = bench_ecapa.compare(ours, theirs, batches, n_pairs=3)
    assert [name for name, _ in calls[2::2]] == [
        "ours", "theirs", "theirs", "ours", "ours", "theirs",
    ]  # fmt: skip
    assert (row["n_windows"], row["n_pairs"]) == (3, 3)
    assert (row["langid_s"], row["ecapa_s"]) == (2.0, 8.0)
    assert (row["ratio"], row["min_ratio"], row["max_ratio"]) == (4.0, 3.0, 10.0)


def test_ecapa_is_the_network_of_the_voxlingua_recipe():
    pytest.importorskip("speechbrain", reason="speechbrain is installed for the benchmark only")
    log_probabilities = bench_ecapa.load_ecapa()(torch.randn(2, 16_000))
    assert log_probabilities.shape == (2, 107)
    assert log_probabilities.exp().sum(dim=1) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.slow
def test_without_speechbrain_the_rest_is_measured_and_the_reason_given(monkeypatch, capsys):
    for name in [name for name in sys.modules if name.split(".")[0] == "speechbrain"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "speechbrain", None)  # its import fails
    small = ["--seconds", "1", "--long-hours", "0.001", "--mp3-hours", "0.001", "--json"]
    assert bench.main(small) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ecapa"] is None
    assert "pip install speechbrain" in report["ecapa_note"]
    assert [row["duration_s"] for row in report["identify"]] == [1.0, 3.6]
    assert [row["format"] for row in report["memory"]] == ["wav", "mp3"]
    for row in report["identify"]:
        assert row["min_wall_s"] <= row["wall_s"] <= row["max_wall_s"]
        assert row["real_time_factor"] == pytest.approx(row["wall_s"] / row["duration_s"])
    assert report["machine"]["torch"] == torch.__version__
    text = bench.format_bench(report)
    assert "not measured: The comparison needs speechbrain" in text
    assert max(map(len, text.splitlines()[:-1])) <= 100


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--seconds", "0.1"], "recordings last at least 1 s"),
        (["--long-hours", "0.0001"], "recordings last at least 1 s"),
        (["--seconds", "4", "inf"], "inf is not a number of seconds"),
        (["--seconds", "nan"], "nan is not a number of seconds"),
        (["--long-hours", "-1"], "-1 is not a number of hours"),
        (["--mp3-hours", "inf"], "inf is not a number of hours"),
        (["--pairs", "0"], "0 is not a whole number from 1 upwards"),
    ],
)
def test_impossible_sizes_are_refused(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as stop:
        bench.main(arguments)
    assert stop.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.slow
def test_a_measured_process_that_dies_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(bench, "FRESH_PROCESS", "raise SystemExit('out of memory')")
    with pytest.raises(SystemExit) as stop:
        bench.main(["--seconds", "1", "--long-hours", "0", "--mp3-hours", "0", "--skip-ecapa"])
    assert stop.value.code == 2
    err = capsys.readouterr().err
    assert err.endswith("bench: a measured process ended before its answer: out of memory\n")
