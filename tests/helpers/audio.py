"""Short clips in every format, encoded on the fly by libsndfile and FFmpeg, and their measures.

``encode(FORMATS["m4a"], tone(440))`` gives the bytes of a file.
"""

import io
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
from av.stream import Disposition

LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1"}


@dataclass(frozen=True)
class ClipFormat:
    """How to encode a clip: `subtype` is libsndfile's, `codec` FFmpeg's, `video` adds a track."""

    suffix: str
    container: str
    subtype: str | None = None
    codec: str | None = None
    sample_rate: int = 44_100
    video: str | None = None
    lossless: bool = False
    options: tuple[tuple[str, str], ...] = ()  # of the container


FORMATS = {
    "wav_u8": ClipFormat(".wav", "WAV", "PCM_U8"),
    "wav_16": ClipFormat(".wav", "WAV", "PCM_16", lossless=True),
    "wav_24": ClipFormat(".wav", "WAV", "PCM_24", lossless=True),
    "wav_32": ClipFormat(".wav", "WAV", "PCM_32", lossless=True),
    "wav_float": ClipFormat(".wav", "WAV", "FLOAT", lossless=True),
    "wav_double": ClipFormat(".wav", "WAV", "DOUBLE", lossless=True),
    "wav_ulaw": ClipFormat(".wav", "WAV", "ULAW", sample_rate=8_000),
    "wav_alaw": ClipFormat(".wav", "WAV", "ALAW", sample_rate=8_000),
    "wav_adpcm": ClipFormat(".wav", "WAV", "IMA_ADPCM"),
    "wav_extensible": ClipFormat(".wav", "WAVEX", "PCM_24", lossless=True),
    "wav_mp3": ClipFormat(".wav", "wav", codec="libmp3lame"),
    "rf64": ClipFormat(".wav", "RF64", "PCM_16", lossless=True),
    "w64": ClipFormat(".w64", "W64", "PCM_16", lossless=True),
    "aiff": ClipFormat(".aiff", "AIFF", "PCM_16", lossless=True),
    "au": ClipFormat(".au", "AU", "PCM_16", lossless=True),
    "caf": ClipFormat(".caf", "CAF", "PCM_16", lossless=True),
    "nist": ClipFormat(".sph", "NIST", "PCM_16", lossless=True),
    "voc": ClipFormat(".voc", "VOC", "PCM_16", lossless=True),
    "flac": ClipFormat(".flac", "FLAC", "PCM_16", lossless=True),
    "ogg_vorbis": ClipFormat(".ogg", "OGG", "VORBIS"),
    "ogg_opus": ClipFormat(".opus", "OGG", "OPUS", sample_rate=48_000),
    "ogg_flac": ClipFormat(".oga", "ogg", codec="flac", lossless=True),
    "mp3": ClipFormat(".mp3", "MP3", "MPEG_LAYER_III"),
    "mp3_lame": ClipFormat(".mp3", "mp3", codec="libmp3lame"),
    "m4a": ClipFormat(".m4a", "ipod", codec="aac"),
    "m4a_alac": ClipFormat(".m4a", "ipod", codec="alac", lossless=True),
    "m4a_faststart": ClipFormat(".m4a", "ipod", codec="aac", options=(("movflags", "faststart"),)),
    "aac": ClipFormat(".aac", "adts", codec="aac"),
    "webm_opus": ClipFormat(".webm", "webm", codec="libopus", sample_rate=48_000),
    "webm_live": ClipFormat(
        ".webm", "webm", codec="libopus", sample_rate=48_000, options=(("live", "1"),)
    ),
    "mkv": ClipFormat(".mkv", "matroska", codec="flac", video="mpeg4", lossless=True),
    "mp4_video": ClipFormat(".mp4", "mp4", codec="aac", sample_rate=48_000, video="mpeg4"),
    "mov_video": ClipFormat(".mov", "mov", codec="aac", video="mpeg4"),
    "avi_video": ClipFormat(".avi", "avi", codec="mp2", video="mpeg4"),
    "wma": ClipFormat(".wma", "asf", codec="wmav2"),
    "3gp_aac": ClipFormat(".3gp", "3gp", codec="aac", sample_rate=16_000),
    "3gp_amr": ClipFormat(".3gp", "3gp", codec="libopencore_amrnb", sample_rate=8_000),
    "amr": ClipFormat(".amr", "amr", codec="libopencore_amrnb", sample_rate=8_000),
    "ac3": ClipFormat(".ac3", "ac3", codec="ac3", sample_rate=48_000),
}


def missing_encoder(form: ClipFormat) -> str | None:
    """Why this installation cannot make such a clip, or None."""
    for codec in filter(None, (form.codec, form.video)):
        try:
            av.Codec(codec, "w")
        except av.FFmpegError:
            return f"this FFmpeg has no encoder {codec}"
    return None


def tone(
    frequency_hz: float = 1000.0,
    duration_s: float = 1.5,
    sample_rate: int = 44_100,
    n_channels: int = 1,
    amplitude: float = 0.25,
) -> np.ndarray:
    """A sine in every channel: float32 (samples, channels)."""
    time_s = np.arange(round(duration_s * sample_rate)) / sample_rate
    mono = amplitude * np.sin(2 * np.pi * frequency_hz * time_s)
    return np.tile(mono[:, None], (1, n_channels)).astype(np.float32)


def encode(form: ClipFormat, waveform: np.ndarray, sample_rate: int | None = None) -> bytes:
    """A waveform, float32 (samples, channels), as the bytes of a file."""
    sample_rate = sample_rate or form.sample_rate
    if form.subtype is not None:
        buffer = io.BytesIO()
        soundfile.write(buffer, waveform, sample_rate, format=form.container, subtype=form.subtype)
        return buffer.getvalue()
    with tempfile.TemporaryDirectory() as folder:  # "faststart" opens the file twice
        path = Path(folder, "clip")
        with av.open(
            str(path), "w", format=form.container, options=dict(form.options)
        ) as container:
            video = container.add_stream(form.video, rate=25) if form.video else None
            layout = LAYOUTS[waveform.shape[1]]
            audio = container.add_stream(form.codec, rate=sample_rate, layout=layout)
            if form.codec.startswith("wma"):
                audio.codec_context.bit_rate = 64_000  # it has no default
            if video is not None:
                mux_video(container, video, len(waveform) / sample_rate)
            mux_audio(container, audio, waveform)
        return path.read_bytes()


def clip(name: str, **tone_settings: float) -> bytes:
    """A tone in the named format."""
    form = FORMATS[name]
    sample_rate = tone_settings.pop("sample_rate", form.sample_rate)
    return encode(form, tone(sample_rate=sample_rate, **tone_settings), sample_rate)


def mux_audio(container, stream, waveform: np.ndarray, start_s: float = 0.0) -> None:
    """Encode and write a whole waveform (samples, channels), with time stamps from a start on."""
    layout, sample_rate = stream.layout.name, stream.rate
    # In one plane: PyAV does not stop at the eighth.
    frame = av.AudioFrame.from_ndarray(waveform.reshape(1, -1), format="flt", layout=layout)
    frame.sample_rate, frame.time_base, frame.pts = sample_rate, Fraction(1, sample_rate), 0
    resampler = av.AudioResampler(format=stream.format.name, layout=layout, rate=sample_rate)
    fifo = av.AudioFifo()
    for converted in [*resampler.resample(frame), *resampler.resample(None)]:
        fifo.write(converted)
    frame_size = stream.codec_context.frame_size or 1024
    packets = []
    while piece := fifo.read(frame_size) or fifo.read(0, partial=True):
        packets += stream.encode(piece)
    for packet in [*packets, *stream.encode()]:
        packet.pts += round(start_s / packet.time_base)
        packet.dts += round(start_s / packet.time_base)
        container.mux(packet)


def mux_video(container, stream, duration_s: float) -> None:
    """Encode and write a grey picture."""
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    for index in range(round(duration_s * 25)):
        frame = av.VideoFrame.from_ndarray(np.full((72, 64), 100, np.uint8), format="yuv420p")
        frame.pts = index
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def mux_tracks(
    tracks: list[tuple[float, np.ndarray]],
    container_format: str = "matroska",
    codec: str = "libopus",
    sample_rate: int = 48_000,
    video_s: float = 0.0,
    default: int | None = None,
) -> bytes:
    """A file of audio tracks, each a (start in seconds, waveform (samples, channels)), beside a
    picture of `video_s` seconds if that is not 0; `default` is the track that is marked."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container_format) as container:
        video = container.add_stream("mpeg4", rate=25) if video_s else None
        streams = [
            container.add_stream(codec, rate=sample_rate, layout=LAYOUTS[waveform.shape[1]])
            for _, waveform in tracks
        ]
        if default is not None:
            for index, stream in enumerate(streams):
                stream.disposition = Disposition.default if index == default else Disposition(0)
        if video is not None:
            mux_video(container, video, video_s)
        for stream, (start_s, waveform) in zip(streams, tracks, strict=True):
            mux_audio(container, stream, waveform, start_s)
    return buffer.getvalue()


def two_tracks(**settings) -> bytes:
    """1.5 s of 500 Hz and 2 s of 2000 Hz."""
    tracks = [(0.0, tone(500, 1.5, 48_000)), (0.0, tone(2000, 2.0, 48_000))]
    return mux_tracks(tracks, **settings)


def id3_tag(n_bytes: int) -> bytes:
    size = bytes(n_bytes >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + size + np.random.default_rng(0).bytes(n_bytes)


def silent_film(container_format: str = "mp4") -> bytes:
    """A video without an audio track."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container_format) as container:
        mux_video(container, container.add_stream("mpeg4", rate=25), 1.0)
    return buffer.getvalue()


def picture(codec: str) -> bytes:
    """A picture file: png, mjpeg (JPEG), gif or bmp."""
    context = av.CodecContext.create(codec, "w")
    pixel_format = context.codec.video_formats[0].name
    context.width, context.height, context.pix_fmt = 64, 48, pixel_format
    context.time_base = Fraction(1, 25)
    frame = av.VideoFrame(64, 48, "rgb24").reformat(format=pixel_format)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def dominant_hz(waveform: np.ndarray, sample_rate: int) -> float:
    """The frequency of the strongest component of a mono waveform, within 1/duration."""
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return float(np.fft.rfftfreq(len(waveform), 1 / sample_rate)[spectrum.argmax()])


def level_db(waveform: np.ndarray) -> float:
    """Power relative to a full-scale square wave: a sine of amplitude 1 has -3 dB."""
    return float(10 * np.log10(np.mean(np.square(waveform)) + 1e-12))
