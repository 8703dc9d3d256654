"""What is said to people whose data cannot be used."""


class DataError(ValueError):
    """The data cannot be prepared; the message is one sentence that says what to do."""
