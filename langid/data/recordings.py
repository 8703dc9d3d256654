"""Jobs → what is stored of them. Runs in the decoding processes, which import only this."""

from langid.errors import DataError
from dataclasses import replace
from pathlib import Path, PurePath

from langid.data.clips import Clip, ClipLimits, UnusableClip, encode_clip
from langid.data.utterance import Job, Reading, Utterance
from langid.data.voxforge.archive import read_archive
from langid.data.voxforge.archives import Archive


def recording_jobs(clips: list[Clip]) -> list[Job]:
    jobs = []
    for clip in clips:
        stat = clip.path.stat()
        facts = replace(clip, path=Path(clip.file_name))
        jobs.append(
            Job(clip.file_name, clip.split, stat.st_size, clip, f"{stat.st_mtime_ns} {facts}")
        )
    return jobs


def read_recording(job: Job, limits: ClipLimits) -> Reading:
    """The utterances of a ``Clip``: one, or several pieces of a recording that was too long."""
    clip: Clip = job.item
    reading = Reading()
    try:
        pieces, changes = encode_clip(clip.path, limits)
    except UnusableClip as reason:
        reading.drops.add(str(reason), clip.file_name)
        return reading
    for change in changes:
        reading.changes.add(change, clip.file_name)
    recording_id = PurePath(clip.file_name).with_suffix("").as_posix()
    for number, piece in enumerate(pieces):
        utterance_id = piece.utterance_id(recording_id, number)
        reading.utterances.append(
            Utterance(
                audio=piece.data,
                file_name=utterance_id + piece.suffix,
                language=clip.language,
                speaker_id=clip.speaker_id,
                source=clip.source,
                duration_s=piece.duration_s,
                audio_digest=piece.digest,
                utterance_id=utterance_id,
                transcript=clip.transcript if piece.is_whole else None,
                licence=clip.licence,
                synthetic=clip.synthetic,
            )
        )
    return reading


def read_voxforge(job: Job, limits: ClipLimits, max_speaker_s: float) -> Reading:
    """The utterances of an ``Archive``, no more of them than one speaker may give."""
    archive: Archive = job.item
    try:
        return read_archive(
            archive.path, archive.language, limits=limits, max_duration_s_total=max_speaker_s
        )
    except OSError as error:  # it could be read a moment ago, when it was surveyed
        raise DataError(
            f"{archive.path} cannot be read ({error.strerror or error}): mend that, or delete it, "
            "and run the same command again, which goes on from here."
        ) from error
