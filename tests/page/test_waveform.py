"""The drawn waveform: peaks in bounded memory."""

import numpy as np
import pytest

from langid.page.waveform import MAX_PEAKS, PeakMeter, waveform_svg

RATE = 16_000


def test_peaks_stand_where_the_sound_is():
    meter = PeakMeter()
    for level in (0.0, 0.5, 0.0, -0.25):
        meter.add(np.full(RATE, level, dtype=np.float32))
    bars = meter.bars(8)
    assert bars.tolist() == pytest.approx([0, 0, 1, 1, 0, 0, 0.5, 0.5])


@pytest.mark.parametrize("n_block", [7, 1000, RATE, 3 * RATE + 1])
def test_hours_take_no_more_memory_than_minutes_and_lose_no_peak(n_block):
    meter = PeakMeter()
    samples = np.zeros(300 * RATE, dtype=np.float32)
    places = [0.1, 0.35, 0.6, 0.9]
    for place in places:
        samples[round(place * len(samples)) + 5] = 0.8
    if n_block < 1000:
        samples = samples[: 2 * RATE]
        places, samples[round(0.35 * len(samples))] = [0.35], 0.8
    for start in range(0, len(samples), n_block):
        meter.add(samples[start : start + n_block])
        assert len(meter._peaks) == 2 * MAX_PEAKS
    bars = meter.bars(100)
    loud = np.flatnonzero(bars > 0.5) / len(bars)
    assert loud == pytest.approx(places, abs=0.02)


def test_nothing_has_no_bars_and_silence_low_ones():
    assert len(PeakMeter().bars()) == 0
    meter = PeakMeter()
    meter.add(np.zeros(RATE, dtype=np.float32))
    assert meter.bars().max() == 0
    assert "M0.5" in waveform_svg(meter.bars()) and "nan" not in waveform_svg(meter.bars())


def test_a_drawing_of_a_part_leaves_the_rest_of_the_width_empty():
    assert 'viewBox="0 0 40 100"' in waveform_svg(np.ones(10), share=0.25)
