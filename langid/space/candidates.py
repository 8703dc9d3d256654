"""The answers that a visitor may rule out, as boxes to tick off that the browser remembers."""

from collections.abc import Sequence

import gradio as gr


def candidates_box(text: gr.I18n, labels: Sequence[str], key: str) -> gr.CheckboxGroup:
    """Boxes for the labels, folded away; ``key`` is the element's id."""
    with gr.Accordion(text("page.candidates"), open=False, elem_id=key, elem_classes="candidates"):
        return gr.CheckboxGroup(
            [(text(f"page.label.{label}"), label) for label in labels],
            value=list(labels),
            label=text("page.candidates"),
            show_label=False,
            info=text("page.untick"),
        )


def kept_candidates(key: str, labels: Sequence[str]) -> str:
    """JavaScript for the labels that were ticked on the last visit."""
    return f"() => [window.langid.kept('{key}', {list(labels)})]"
