"""Candidates as people name them → labels of a model."""

from collections.abc import Iterable, Sequence

from langid.languages import language_name

NO_CANDIDATE = "No candidate is chosen: give at least one language to choose among."


def choose_labels(
    candidates: Iterable[str] | None, labels: Sequence[str]
) -> tuple[str, ...] | None:
    """Labels named by code or English name, in any case, in the labels' order.

    None stands for all labels, and comes back when that is what the candidates amount to.

    Raises
    ------
    ValueError
        If there is no candidate, or one that the model has no label for.
    """
    if candidates is None:
        return None
    label_of = {text.lower(): label for label in labels for text in (label, language_name(label))}
    wanted = [str(text).strip().lower() for text in candidates]
    if not wanted:
        raise ValueError(NO_CANDIDATE)
    for text in wanted:
        if text not in label_of:
            known = ", ".join(f"{label} ({language_name(label)})" for label in labels)
            raise ValueError(f"The model cannot answer {text!r}: choose among {known}.")
    kept = {label_of[text] for text in wanted}
    return None if len(kept) == len(labels) else tuple(x for x in labels if x in kept)
