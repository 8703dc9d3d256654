"""Times and durations in words."""


def clock(time_s: float, precise: bool = False) -> str:
    """``"0:07"``, ``"12:30"``, ``"1:02:30"``; ``precise``: ``"1:02:30.4"``, always with hours."""
    tenths = round(time_s * 10) if precise else 10 * round(time_s)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    if precise:
        return f"{hours}:{minutes:02}:{tenths / 10:04.1f}"
    return f"{hours}:{minutes:02}:{tenths // 10:02}" if hours else f"{minutes}:{tenths // 10:02}"


def describe_duration(seconds: float) -> str:
    """``"8.2 s"``, ``"3 min 20 s"``, ``"3 h 2 min"``."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    if round(seconds) < 3600:
        return f"{round(seconds) // 60} min {round(seconds) % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min"
