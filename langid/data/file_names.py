"""Names of files, whose bytes need not be text."""

import os


def text_of_name(name: str) -> str:
    """A name that the disk gave, as text that can be encoded.

    Bytes that are not UTF-8 are taken for Latin-1, as older programs wrote it. The file itself
    opens by the name as it was.
    """
    data = os.fsencode(name)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
