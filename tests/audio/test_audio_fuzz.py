"""Whatever the bytes: samples, or an `AudioError` of one sentence, and a clean standard error."""

import io

import fuzz_audio
import numpy as np
import pytest
from helpers.audio import FORMATS, clip, missing_encoder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langid.audio import SAMPLE_RATE, load_audio
from langid.errors import AudioError

SUFFIXES = sorted({form.suffix for form in FORMATS.values()} | {"", ".txt", ".raw", ".png"})
CLIPS = {
    name: clip(name, duration_s=0.7)
    for name, form in FORMATS.items()
    if missing_encoder(form) is None
}
HEADS = sorted({data[:64] for data in CLIPS.values()})

fuzz = settings(
    deadline=None,
    derandomize=True,  # a decoder's crash would end the whole run: the same bytes every time
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def decode_or_explain(audio) -> None:
    try:
        waveform, warnings = load_audio(audio)
    except AudioError as error:
        sentences = [str(error)]
    else:
        assert waveform.dtype == np.float32 and waveform.ndim == 1
        assert np.isfinite(waveform).all() and len(waveform) >= 0.3 * SAMPLE_RATE
        sentences = warnings
    for sentence in sentences:
        assert sentence.endswith(".") and ". " not in sentence and "\n" not in sentence


@settings(fuzz, max_examples=150)
@given(data=st.binary(max_size=4_000), suffix=st.sampled_from(SUFFIXES))
def test_random_bytes_of_any_name_are_not_audio(data, suffix, tmp_path, capfd):
    path = tmp_path / f"clip{suffix}"
    path.write_bytes(data)
    with pytest.raises(AudioError):
        load_audio(path)
    assert capfd.readouterr() == ("", "")


@settings(fuzz, max_examples=150)
@given(head=st.sampled_from(HEADS), tail=st.binary(max_size=2_000), repeats=st.integers(1, 20))
def test_random_bytes_after_a_true_head(head, tail, repeats, capfd):
    decode_or_explain(head + tail * repeats)
    assert capfd.readouterr() == ("", "")


@settings(fuzz, max_examples=400)
@given(
    name=st.sampled_from(sorted(CLIPS)),
    cut=st.floats(0, 1),
    patches=st.lists(
        st.tuples(
            # half of them in the headers, where they do most
            st.one_of(st.floats(0, 0.02), st.floats(0, 1)),
            st.binary(min_size=1, max_size=8),
        ),
        max_size=6,
    ),
    inserted=st.binary(max_size=50),
)
def test_cut_and_damaged_recordings(name, cut, patches, inserted, capfd):
    data = bytearray(CLIPS[name])
    for place, new in patches:
        offset = int(place * len(data))
        data[offset : offset + len(new)] = new
    if inserted:
        middle = len(data) // 2
        data[middle:middle] = inserted
    decode_or_explain(io.BytesIO(bytes(data[: round(cut * len(data))])))
    assert capfd.readouterr() == ("", "")


@settings(fuzz, max_examples=100)
@given(
    dtype=st.sampled_from(["i1", "u1", "i2", "i4", "i8", "f2", "f4", "f8", "?", "c8"]),
    shape=st.lists(st.integers(0, 9_000), min_size=0, max_size=2)
    | st.tuples(st.integers(0, 9_000), st.integers(0, 40)),
    sample_rate=st.one_of(
        st.none(), st.integers(), st.floats(), st.sampled_from([8_000, 16_000, 44_100])
    ),
    seed=st.integers(0, 2**31),
)
def test_arrays_of_any_bits(dtype, shape, sample_rate, seed):
    if np.prod(shape, dtype=float) * np.dtype(dtype).itemsize > 2e6:
        shape = shape[:1]
    n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
    bits = np.random.default_rng(seed).bytes(n_bytes)
    array = np.frombuffer(bits, dtype=dtype).reshape(shape)
    try:
        waveform, _ = load_audio(array, sample_rate)
    except AudioError as error:
        assert str(error).endswith(".")
    else:
        assert np.isfinite(waveform).all()


def test_mutated_recordings_of_every_format():
    """The first of those that `tests/fuzz_audio.py` makes, in a process with 512 MB."""
    counts, failures = fuzz_audio.run(range(200))
    assert failures == []
    assert sum(counts.values()) == 200
    assert min(fuzz_audio.totals(counts).values()) > 10  # neither all whole nor all useless
