"""Repositories as the local Hub of the tests keeps them: files, commits, branches, tags."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cached_property

LARGE_SUFFIXES = (".safetensors", ".parquet", ".arrow", ".png", ".pt", ".bin", ".wav", ".flac")
DATE = "2026-01-01T00:00:00.000Z"


class HubError(Exception):
    """A refusal: HTTP status, sentence, the code that the client turns into a class, headers."""

    def __init__(
        self, status: int, message: str, code: str = "", headers: dict[str, str] | None = None
    ):
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers or {}


@dataclass(frozen=True)
class Blob:
    content: bytes
    is_large: bool

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def git_oid(self) -> str:
        return hashlib.sha1(b"blob %d\0" % len(self.content) + self.content).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.is_large else self.git_oid


Files = dict[str, Blob]


class Repo:
    """Commits (id → files) and branches and tags (name → commit id) of one repository."""

    def __init__(self, kind: str, name: str, private: bool, sdk: str | None = None):
        self.kind, self.name, self.private, self.sdk = kind, name, private, sdk
        self.commits: dict[str, Files] = {}
        self.refs: dict[str, str] = {}
        rules = "".join(f"*{suffix} filter=lfs -text\n" for suffix in LARGE_SUFFIXES)
        self.commit("main", {".gitattributes": Blob(rules.encode(), False)})

    def commit(self, branch: str, files: Files) -> str:
        """Put ``files``, all there are from now on, on the branch: the new commit's id."""
        seed = f"{self.kind} {self.name} {len(self.commits)}"
        commit = hashlib.sha1(seed.encode()).hexdigest()
        self.commits[commit], self.refs[branch] = files, commit
        return commit

    def changed(self, commit: str, steps: list[dict], large: dict[str, bytes]) -> Files:
        """Files of a commit after the steps of another; large ones must be there, by SHA-256."""
        files = dict(self.commits[commit])
        for step in steps:
            key, value = step["key"], step["value"]
            path = value["path"]
            if key == "file":
                files[path] = Blob(base64.b64decode(value["content"]), False)
            elif key == "lfsFile" and value["oid"] not in large:
                raise HubError(400, "Your push was rejected: LFS pointer to a missing object")
            elif key == "lfsFile":
                files[path] = Blob(large[value["oid"]], True)
            elif key == "deletedFile" and path not in files:
                raise HubError(404, "A file with this name doesn't exist", "EntryNotFound")
            elif key == "deletedFile":
                del files[path]
            elif key == "deletedFolder":
                folder = path.rstrip("/") + "/"
                files = {path: blob for path, blob in files.items() if not path.startswith(folder)}
        return files

    def resolve(self, revision: str) -> str:
        commit = self.refs.get(revision, revision)
        if commit not in self.commits:
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return commit

    def entries(self, commit: str, folder: str = "", recursive: bool = True) -> list[dict]:
        """Files and folders under a folder, as the tree lists them."""
        start, found = f"{folder}/" if folder else "", {}
        for path, blob in sorted(self.commits[commit].items()):
            if not path.startswith(start):
                continue
            parts = path[len(start) :].split("/")
            for depth in range(1, len(parts) if recursive else min(2, len(parts))):
                inner = start + "/".join(parts[:depth])
                oid = hashlib.sha1(f"{commit} {inner}".encode()).hexdigest()
                found[inner] = {"type": "directory", "oid": oid, "size": 0, "path": inner}
            if recursive or len(parts) == 1:
                size = len(blob.content)
                found[path] = {"type": "file", "oid": blob.git_oid, "size": size, "path": path}
                if blob.is_large:
                    found[path]["lfs"] = {"oid": blob.sha256, "size": size, "pointerSize": 134}
        last = {"id": commit, "title": "A commit", "date": DATE}
        return [{**entry, "lastCommit": last} for entry in found.values()]
