"""The tool ``identify_language`` as language models see it: its arguments and its result."""

from collections.abc import Sequence
from typing import Annotated

from mcp import types
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, computed_field

from langid.languages import describe_rejection, language_name, languages_of
from langid.page.words import join_names

NAME = "identify_language"
# By this, clients that offer to upload a file know which argument takes its address.
FILE_FORMAT = "Gradio File Input - a http or https url to a file"

Rounded = Annotated[float, AfterValidator(lambda number: round(number, 4))]


class Arguments(BaseModel):
    """What a client gives."""

    model_config = ConfigDict(extra="forbid")

    audio: str = Field(
        description="The recording, any audio or video file of 0.3 s to 4 h: its public http(s) "
        "address, a base64 data: URI (4 MiB at most), or the address that an upload to this "
        "server gave. Not a path.",
        json_schema_extra={"format": FILE_FORMAT},
    )
    candidates: list[str] | None = Field(
        None, description="The only answers that are possible; by default all of them."
    )
    audio_track: int | None = Field(
        None,
        ge=1,
        description="Which audio track of a file with several, from 1 on; by default the one that "
        "a player takes.",
    )


class _Named(BaseModel):
    language: str = Field(
        description='ISO 639 code; "other" is another language, "none" no speech.'
    )

    @computed_field(description="English name of the language.")
    @property
    def name(self) -> str:
        return language_name(self.language)


class SegmentResult(_Named):
    """A stretch of the recording in one language."""

    start_s: Rounded
    end_s: Rounded
    confidence: Rounded


class ShareResult(_Named):
    """How much of the speech is in a language."""

    share: Rounded = Field(description="Of the seconds of all languages listed, 0 to 1.")
    seconds: Rounded


class Result(_Named):
    """What the tool answers: an `Identification` without its windows."""

    confidence: Rounded = Field(description="Probability of the language, 0 to 1.")
    probabilities: dict[str, Rounded] = Field(description="Of every answer by code; they sum to 1.")
    languages: list[ShareResult] = Field(
        description="Those that hold stretches of their own, longest first; none without speech."
    )
    segments: list[SegmentResult] = Field(description="In the order of time.")
    duration_s: Rounded = Field(description="Length of the recording in seconds.")
    warnings: list[str] = Field(description="Why the answer may be wrong, as sentences.")


def describe_tool(labels: Sequence[str]) -> types.Tool:
    """The tool of a model with these labels."""
    known = ", ".join(f"{label} ({language_name(label)})" for label in labels)
    parameters = Arguments.model_json_schema()
    parameters["properties"]["candidates"]["description"] += f" Codes or names: {known}."
    return types.Tool(
        name=NAME,
        title="Identify the spoken language",
        description="Say which language is spoken in a recording: "
        f"{join_names(languages_of(labels), 'or')}. {describe_rejection(labels)} The answer has "
        "the language of the whole with its confidence, the probability of every answer, and the "
        "segments where the language changes. A file on the user's computer must be uploaded "
        "first: with the tool upload_file_to_gradio if there is one, whose answer is the address.",
        inputSchema=parameters,
        outputSchema=Result.model_json_schema(mode="serialization"),
        annotations=types.ToolAnnotations(
            readOnlyHint=True, idempotentHint=True, openWorldHint=True
        ),
    )
