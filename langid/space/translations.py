"""The layout's texts in all languages of the page, for Gradio to choose by the browser's."""

import json
import os
from collections.abc import Sequence
from html import escape
from pathlib import Path

import gradio as gr

from langid.checkpoint import EMBEDDED_NAME
from langid.identifier import LanguageIdentifier
from langid.languages import OTHER
from langid.page.batch import KINDS, MAX_FILES
from langid.page.figures import describe_figures, read_figures, summarise_figures
from langid.page.texts import ENGLISH, FOLDER, PAGE_LANGUAGES, Texts, texts_in
from langid.page.words import describe_weights

# Gradio 6 speaks the others, but no Italian: its own words that the page shows.
GRADIO_ITALIAN = FOLDER / "gradio_it.json"
# Sentences of the server that the page's script says in place of Gradio's.
SHARED = ("batch.too_large", "work.busy", "work.disk_full")


def translate_layout(identifier: LanguageIdentifier) -> gr.I18n:
    """All ``page.…`` texts; those with placeholders are filled with what holds for the model.

    ``i18n("page.label.fr")`` is a label's name.
    """
    figures = read_figures(identifier.source, identifier.revision)
    found: dict[str, dict] = {}
    for language in PAGE_LANGUAGES:
        texts = texts_in(language)
        rejection = "page.rejects_other" if OTHER in identifier.labels else "page.rejects_none"
        intro = texts(
            "page.intro",
            languages=texts.join(identifier.languages),
            rejection=texts(rejection),
        )
        weights = describe_weights(identifier.source, identifier.revision, texts)
        links = _links(identifier.source, identifier.revision, texts)
        found[language] = {
            **{key: text for key, text in texts.by_key.items() if key.startswith("page.")},
            **{f"page.label.{label}": texts.name(label) for label in identifier.labels},
            "page.many_drop": texts("page.many_drop", n=MAX_FILES),
            **{f"page.download_{kind}": texts("page.download", kind=kind) for kind in KINDS},
            "page.head": f"# {texts('page.title')}\n{intro}",
            "page.figures": f"## {texts('page.sure')}\n{summarise_figures(figures, texts)}",
            "page.table": describe_figures(figures, texts),
            "page.advice": texts("figures.advice"),
            "page.keeping": "\n\n".join(
                filter(None, [texts("page.keeping", weights=weights), links])
            ),
        }
    found["it"] |= json.loads(GRADIO_ITALIAN.read_text(encoding="utf-8"))
    return gr.I18n(**found)


def script_texts(layout: gr.I18n) -> str:
    """JavaScript that hands over the texts of the page's script, and those of ``layout``."""
    table = {
        language: {
            key: text
            for key, text in (texts_in(language).by_key | layout.translations[language]).items()
            if key.startswith(("script.", "page.")) or key in SHARED
        }
        for language in PAGE_LANGUAGES
    }
    return f"window.langidTexts = {json.dumps(table)};".replace("<", "\\u003c")


def language_html() -> str:
    """HTML for the very beginning of the page: its language, and Gradio's means to change it."""
    script = (FOLDER.parent / "language.js").read_text(encoding="utf-8")
    html = f"<script>{script.replace('LANGUAGES', json.dumps(PAGE_LANGUAGES))}</script>"
    # By a function that is there in time, it is changed before anything is drawn.
    assets = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
    for core in assets.glob("core-*.js"):
        module = f'import {{ changeLocale }} from "./assets/{core.name}";'
        html += f'<script type="module">{module} window.langidChangeLocale = changeLocale;</script>'
    return html


def preview_html(languages: Sequence[str]) -> str:
    """HTML of the preview that a chat program shows of a link to the page (Open Graph).

    In English: such a program does not say which language its people speak.
    """
    intro = ENGLISH("page.intro", languages=ENGLISH.join(languages), rejection="")
    preview = {"type": "website", "title": ENGLISH("page.title"), "description": intro.strip()}
    return "".join(
        f'<meta property="og:{name}" content="{escape(text)}" />' for name, text in preview.items()
    )


def _links(source: str, revision: str | None, texts: Texts) -> str:
    """Links to card, data, code and licence in Markdown, as far as there are any."""
    links = {}
    space = os.environ.get("SPACE_ID")  # where this runs as a Space: "USER/NAME"
    files = f"https://huggingface.co/spaces/{space}/blob/main"
    if source == EMBEDDED_NAME and space:
        links["links.model"] = f"{files}/langid/weights/README.md"
        links["links.data"] = f"{files}/README.md#data-and-licences"
    elif revision is not None:
        links["links.model"] = f"https://huggingface.co/{source}"
    if space:
        links["links.code"] = f"https://huggingface.co/spaces/{space}/tree/main"
        links["links.licence"] = f"{files}/LICENSE"
    return " · ".join(f"[{texts(key)}]({url})" for key, url in links.items())
