"""Times as people read them."""


def clock(time_s: float, precise: bool = False) -> str:
    """``"0:07"``, ``"12:30"``, ``"1:02:30"``; ``precise``: ``"1:02:30.4"``, always with hours."""
    tenths = round(time_s * 10) if precise else 10 * round(time_s)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    if precise:
        return f"{hours}:{minutes:02}:{tenths / 10:04.1f}"
    return f"{hours}:{minutes:02}:{tenths // 10:02}" if hours else f"{minutes}:{tenths // 10:02}"
