"""What decoding finds out about a recording besides its samples."""

from dataclasses import dataclass, field

from langid.errors import Message


@dataclass
class StreamInfo:
    """Filled while a recording is decoded; complete when it ends.

    Attributes
    ----------
    warnings : list of Message
        What is to be said to people, one sentence each.
    is_incomplete : bool
        Whether samples of the recording are missing: it is damaged or cut off.
    n_audio_tracks : int
        Audio tracks of its container.
    audio_track : int
        The one that is decoded, counted from 1.
    format : str or None
        ``"Opus"`` for Ogg with Opus, else what `langid.audio.formats` calls the container.
    recorded_rate_hz : float or None
        What the recording was encoded from, where a codec decodes at a rate of its own (Opus).
    """

    warnings: list[Message] = field(default_factory=list)
    is_incomplete: bool = False
    n_audio_tracks: int = 1
    audio_track: int = 1
    format: str | None = None
    recorded_rate_hz: float | None = None

    def warn(self, sentence: Message) -> None:
        """Say something once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def warn_incomplete(self, sentence: Message) -> None:
        """Say that, and why, samples are missing."""
        self.is_incomplete = True
        self.warn(sentence)
