"""A small local Hugging Face Hub for the real client: repositories of every type, commits,
branches, large files by Git LFS, downloads with ETag and Range.

Large files are answered with a redirect to another host name, as the Hub does, so that the
client's handling of the redirect and of its token is exercised too.
"""

import hashlib
import json
import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit

from helpers.hub_repo import DATE, LARGE_SUFFIXES, HubError, Repo
from helpers.local_server import LocalServer

USER, TOKEN = "someone", "hf_stand_in_token"
LARGE_BYTES = 10_000_000
CUT, LOST = 0, 1  # in place of an HTTP status
PREFIXES = {"model": "", "dataset": "datasets/", "space": "spaces/"}


class HubServer(LocalServer):
    """The Hub for whoever brings ``TOKEN``.

    ``fail(steps, n, status)`` refuses the next n requests of these steps, ``card_error`` is what
    the check of README.md complains about, ``requests`` records (method, path, token).
    """

    def __init__(self) -> None:
        super().__init__(Handler)
        self.large_files_url = f"http://localhost:{self.server_port}"
        self.repos: dict[tuple[str, str], Repo] = {}
        self.large: dict[str, bytes] = {}
        self.requests: list[tuple[str, str, str | None]] = []
        self.card_error = ""
        self.failures: list[tuple[str, int, dict[str, str]]] = []

    def fail_uploads(self, n: int, status: int = 503) -> None:
        """Refuse the next n uploads: large files and commits."""
        self.fail("upload commit", n, status)

    def fail(self, steps: str, n: int, status: int = 503, **headers: str) -> None:
        """Refuse the next n requests of the steps: "create", "check", "upload", "commit".

        ``CUT`` closes the connection in place of an answer, ``LOST`` does so after a commit.
        """
        self.failures = [(steps, status, headers)] * n

    def may_fail(self, step: str, after: bool = False) -> None:
        """Fail here if told to; ``after`` the step was taken only by losing the answer."""
        if self.failures and step in self.failures[-1][0].split():
            _, status, headers = self.failures[-1]
            if after == (status == LOST):
                self.failures.pop()
                raise HubError(status, "The Hub failed, as it was told to", headers=headers)

    def repo(self, kind: str, name: str, token: str | None) -> Repo:
        repo = self.repos.get((kind, name))
        if repo is None or (repo.private and token != TOKEN):
            # Strangers are not told which private repositories there are.
            raise HubError(404 if token else 401, "Repository not found", "RepoNotFound")
        return repo


class Handler(BaseHTTPRequestHandler):
    """Requests → answers; each route takes what its pattern names."""

    protocol_version = "HTTP/1.1"
    server: HubServer

    def log_message(self, *_: object) -> None: ...

    def _dispatch(self) -> None:
        body = self._read_body()
        url = urlsplit(self.path)
        self.query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        bearer = self.headers.get("Authorization")
        self.token = bearer.removeprefix("Bearer ") if bearer else None
        method = "GET" if self.command == "HEAD" else self.command
        try:
            with self.server.lock:
                self.server.requests.append((self.command, unquote(url.path), self.token))
                if self.token not in (None, TOKEN):
                    raise HubError(401, "Invalid credentials in Authorization header")
                for verb, pattern, route in ROUTES:
                    if verb == method and (match := re.fullmatch(pattern, url.path)):
                        parts = match.groupdict(default="")
                        return route(self, body, **{k: unquote(v) for k, v in parts.items()})
                raise HubError(404, f"No such page: {url.path}")
        except HubError as error:
            if error.status in (CUT, LOST):
                self.close_connection = True
                return
            headers = {"X-Error-Message": str(error), "X-Error-Code": error.code}
            self._json({"error": str(error)}, error.status, {**headers, **error.headers})

    do_GET = do_HEAD = do_POST = do_PUT = _dispatch

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _json(self, value: object, status: int = 200, headers: dict[str, str] | None = None):
        headers = {"Content-Type": "application/json", **(headers or {})}
        self._send(status, json.dumps(value).encode(), headers)

    def _require_token(self) -> None:
        if self.token is None:
            raise HubError(401, "Invalid username or password.")

    def _writable(self, kind: str, name: str) -> Repo:
        self._require_token()
        return self.server.repo(kind, name, self.token)

    def create(self, body: bytes) -> None:
        self._require_token()
        self.server.may_fail("create")
        wanted = {"type": "model", **json.loads(body)}
        kind = wanted["type"]
        if (kind == "space") != ("sdk" in wanted):
            raise HubError(400, "A Space has an sdk, and nothing else has one")
        name = f"{wanted.get('organization') or USER}/{wanted['name']}"
        answer = {"url": f"{self.server.url}/{PREFIXES[kind]}{name}", "name": name}
        if (kind, name) in self.server.repos:
            return self._json({**answer, "error": "You already created this repo"}, 409)
        is_private = wanted.get("visibility") == "private"
        self.server.repos[kind, name] = Repo(kind, name, is_private, wanted.get("sdk"))
        self._json(answer)

    def branch(self, body: bytes, kind: str, name: str, revision: str) -> None:
        repo = self._writable(kind, name)
        if revision in repo.refs:
            raise HubError(409, f"Reference already exists: {revision}")
        repo.refs[revision] = repo.resolve(json.loads(body or b"{}").get("startingPoint", "main"))
        self._json({})

    def tag(self, body: bytes, kind: str, name: str, revision: str) -> None:
        repo = self._writable(kind, name)
        repo.refs[json.loads(body)["tag"]] = repo.resolve(revision)
        self._json({})

    def check_card(self, body: bytes) -> None:
        self.server.may_fail("check")
        if self.server.card_error:
            return self._json({"errors": [{"message": self.server.card_error}]}, 400)
        self._json({"errors": [], "warnings": []})

    def preupload(self, body: bytes, kind: str, name: str, revision: str) -> None:
        repo = self._writable(kind, name)
        there, answers = repo.commits[repo.resolve(revision)], []
        for file in json.loads(body)["files"]:
            path, blob = file["path"], there.get(file["path"])
            is_large = path.endswith(LARGE_SUFFIXES) or file["size"] >= LARGE_BYTES
            mode = "lfs" if is_large else "regular"
            oid = blob.etag if blob and blob.is_large == is_large else None
            answers.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        self._json({"files": answers})

    def lfs_batch(self, body: bytes, kind: str, name: str) -> None:
        self._writable(kind or "model", name)
        objects = json.loads(body)["objects"]
        for wanted in objects:
            if wanted["oid"] not in self.server.large:
                href = f"{self.server.large_files_url}/lfs/{wanted['oid']}"
                wanted["actions"] = {"upload": {"href": href}}
        self._json({"transfer": "basic", "objects": objects})

    def lfs_put(self, body: bytes, oid: str) -> None:
        self.server.may_fail("upload")
        if hashlib.sha256(body).hexdigest() != oid:
            raise HubError(400, "The content is not what its id says")
        self.server.large[oid] = body
        self._send(200, b"", {})

    def lfs_get(self, body: bytes, oid: str) -> None:
        self._send_range(self.server.large[oid], {"ETag": f'"{oid}"'})

    def commit(self, body: bytes, kind: str, name: str, revision: str) -> None:
        repo = self._writable(kind, name)
        self.server.may_fail("commit")
        parent = repo.resolve(revision)
        steps = [json.loads(line) for line in body.splitlines()]
        if steps[0]["value"].get("parentCommit", parent) != parent:
            raise HubError(412, "A commit has happened since. Please refresh and try again.")
        files = repo.changed(parent, steps[1:], self.server.large)
        oid = repo.commit(revision, files)
        self.server.may_fail("commit", after=True)
        url = f"{self.server.url}/{PREFIXES[kind]}{name}/commit/{oid}"
        self._json({"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": ""})

    def info(self, body: bytes, kind: str, name: str, revision: str) -> None:
        repo = self.server.repo(kind, name, self.token)
        commit = repo.resolve(revision or "main")
        files = [{"rfilename": path} for path in repo.commits[commit]]
        names = {"_id": name, "id": name, "author": name.split("/")[0], "sha": commit}
        state = {"private": repo.private, "gated": False, "tags": [], "downloads": 0, "likes": 0}
        self._json({**names, **state, "lastModified": DATE, "siblings": files})

    def tree(self, body: bytes, kind: str, name: str, revision: str, path: str) -> None:
        repo = self.server.repo(kind, name, self.token)
        recursive = self.query.get("recursive", "").lower() == "true"
        entries = repo.entries(repo.resolve(revision), path, recursive)
        if path and not entries:
            raise HubError(404, f"{path} does not exist on {revision}", "EntryNotFound")
        self._json(entries)

    def paths(self, body: bytes, kind: str, name: str, revision: str) -> None:
        repo = self.server.repo(kind, name, self.token)
        wanted = parse_qs(body.decode()).get("paths", [])
        commit = repo.resolve(revision)
        self._json([entry for entry in repo.entries(commit) if entry["path"] in wanted])

    def resolve(self, body: bytes, prefix: str, name: str, revision: str, path: str) -> None:
        kind = next(kind for kind, start in PREFIXES.items() if start == prefix)
        repo = self.server.repo(kind, name, self.token)
        commit = repo.resolve(revision)
        headers = {"X-Repo-Commit": commit}
        blob = repo.commits[commit].get(path)
        if blob is None:
            headers |= {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
            return self._send(404, b"Entry not found", headers)
        headers["ETag"] = f'"{blob.etag}"'
        if not blob.is_large:
            return self._send_range(blob.content, headers)
        headers |= {"X-Linked-Etag": headers["ETag"], "X-Linked-Size": str(len(blob.content))}
        headers["Location"] = f"{self.server.large_files_url}/lfs/{blob.sha256}"
        self._send(302, b"", headers)

    def _send_range(self, content: bytes, headers: dict[str, str]) -> None:
        headers, size = {**headers, "Accept-Ranges": "bytes"}, len(content)
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if match is None:
            return self._send(200, content, headers)
        start, stop = int(match[1]), min(size, int(match[2] or size) + 1)
        if start >= stop:
            return self._send(416, b"", {**headers, "Content-Range": f"bytes */{size}"})
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        self._send(206, content[start:stop], headers)


_API = r"/api/(?P<kind>model|dataset|space)s/(?P<name>[^/]+/[^/]+)"
_REVISION = r"(?P<revision>[^/]+)"
_PAGE = r"/(?P<prefix>(?:datasets/|spaces/)?)(?P<name>[^/]+/[^/]+)"
_GIT = r"/(?:(?P<kind>dataset|space)s/)?(?P<name>[^/]+/[^/]+)\.git"

ROUTES: tuple[tuple[str, str, Callable[..., None]], ...] = (
    ("POST", "/api/repos/create", Handler.create),
    ("POST", "/api/validate-yaml", Handler.check_card),
    ("POST", f"{_API}/branch/{_REVISION}", Handler.branch),
    ("POST", f"{_API}/tag/{_REVISION}", Handler.tag),
    ("POST", f"{_API}/preupload/{_REVISION}", Handler.preupload),
    ("POST", f"{_API}/commit/{_REVISION}", Handler.commit),
    ("POST", f"{_API}/paths-info/{_REVISION}", Handler.paths),
    ("GET", f"{_API}(?:/revision/{_REVISION})?", Handler.info),
    ("GET", rf"{_API}/tree/{_REVISION}(?:/(?P<path>.+))?", Handler.tree),
    ("POST", rf"{_GIT}/info/lfs/objects/batch", Handler.lfs_batch),
    ("PUT", "/lfs/(?P<oid>[0-9a-f]{64})", Handler.lfs_put),
    ("GET", "/lfs/(?P<oid>[0-9a-f]{64})", Handler.lfs_get),
    ("GET", rf"{_PAGE}/resolve/{_REVISION}/(?P<path>.+)", Handler.resolve),
)
