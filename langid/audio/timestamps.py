"""Where decoded frames stand in time: containers say it, and what they leave out is silence.

A muted microphone, discontinuous transmission (DTX), a track that starts later than the picture
and an edit list all leave gaps, which players show as silence. Small differences are rounding:
WebM counts milliseconds. The thresholds are those of FFmpeg: 0.1 s is where its resampler fills a
gap (``min_hard_comp``), and from 10 s on its program takes a jump for a new clock in containers
that may change it (``dts_delta_threshold``).
"""

from langid.errors import AudioError, Message

GAP_S = 0.1  # or two and a half frames, if that is longer
CLOCK_CHANGE_S = 10.0
MAX_SILENCE_S = 4 * 3600.0  # in all gaps of a recording: a long meeting, not a day


class Timeline:
    """Counts what has been decoded against the time stamps.

    Parameters
    ----------
    name : str
        How messages call the recording.
    origin_s : float or None
        The time stamp that a player shows as 0:00; the first frame may come later. None: that of
        the first frame.
    changes_clock : bool
        Whether a jump of more than 10 s is a new clock and no gap.

    Attributes
    ----------
    position_s : float
        Seconds given out so far, silence included.
    start_s : float
        Position of the first frame.
    end_stamp_s : float
        Where the latest frame ends, by its time stamp or else by those before.
    silence_s : float
        Seconds of silence that filled gaps.
    """

    def __init__(self, name: str, origin_s: float | None, changes_clock: bool) -> None:
        self._name = name
        self._zero_s = origin_s  # the stamp at which the position was 0, by the latest clock
        self._changes_clock = changes_clock
        self.position_s = 0.0
        self.start_s = 0.0
        self.end_stamp_s = 0.0
        self.silence_s = 0.0

    def place(self, stamp_s: float | None, duration_s: float) -> float:
        """Add a frame; → the seconds of silence that belong before it, mostly 0.

        Raises
        ------
        AudioError
            If gaps sum up to more than four hours.
        """
        gap_s = 0.0
        if self._zero_s is None:
            self._zero_s = stamp_s or 0.0
        if stamp_s is not None:
            late_s = stamp_s - self._zero_s - self.position_s
            tolerance_s = max(GAP_S, 2.5 * duration_s)
            if late_s < -tolerance_s or (self._changes_clock and late_s > CLOCK_CHANGE_S):
                self._zero_s += late_s  # a new clock, or stamps that are wrong
            elif late_s > tolerance_s:
                gap_s = late_s
        self.silence_s += gap_s
        if self.silence_s > MAX_SILENCE_S:
            raise AudioError(
                Message(
                    "{name} has a gap of {gap} in its time stamps at {position}: cut it there into "
                    "recordings of their own.",
                    name=self._name,
                    gap=_hours(gap_s),
                    position=_hours(self.position_s),
                )
            )
        if self.position_s == 0:
            self.start_s = gap_s
        self.position_s += gap_s + duration_s
        self.end_stamp_s = self._zero_s + self.position_s
        return gap_s


def _hours(duration_s: float) -> str:
    """``3725.0`` → ``"1:02:05"``."""
    minutes, seconds = divmod(round(duration_s), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
