"""A hub on a real socket: what huggingface_hub asks of the real one, and the faults that real networks have."""

import hashlib
import json
import re
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

_RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
_MODEL = re.compile(r"/api/models/([^/]+/[^/]+)/revision/([^/?]+)")
_STORED = re.compile(r"/storage/(\w+)")
_CHUNK = 1 << 16


@dataclass
class HubStandin:
    """The hub's content, its faults, and what was asked of it.

    Attributes:
        files: (repository, path in it) to the file that is served; those of 100 kB and more come from storage, which
            is another host to the client, as with the real hub.
        heads: repository to the commit that its branch is at.
        cut_after: bytes after which the next transfers break off, one per transfer.
        bytes_per_s: 0 for no limit.
        corrupt: paths whose bytes are not those that are stated.
        claimed: path to the size that is stated in place of its own.
        gated: repositories that want a token.
        ignores_range: sends whole files whatever is asked for.
        page: what answers to everything, as where one has to log in to the network first.
        sent: bytes of content by path.
        sending: the threads that send content at this moment; to a client that was killed until they notice.
        proxied: hosts that it was asked for as a proxy, which it then answers for.
        requests: method, path and headers (in lower case) of each.
    """

    files: dict[tuple[str, str], Path]
    heads: dict[str, str]
    cut_after: list[int] = field(default_factory=list)
    bytes_per_s: int = 0
    corrupt: set[str] = field(default_factory=set)
    claimed: dict[str, int] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    ignores_range: bool = False
    page: bytes = b""
    sent: Counter = field(default_factory=Counter)
    sending: set[int] = field(default_factory=set)
    proxied: list[str] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    port: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def storage(self) -> str:
        return f"http://localhost:{self.port}/storage"

    def stored(self) -> dict[str, tuple[str, Path]]:
        return {sha256(path): (file, path) for (_, file), path in self.files.items()}

    def total(self) -> int:
        return sum(self.sent.values())

    @contextmanager
    def running(self):
        server = _Server(("127.0.0.1", 0), _Handler)
        server.hub = self
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hub: HubStandin


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def git(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        hub = self.server.hub
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.path.startswith("http"):  # a proxy is told the whole address
            hub.proxied.append(urlsplit(self.path).netloc)
            self.path = urlsplit(self.path).path
        hub.requests.append((self.command, self.path, headers))
        try:
            if hub.page:
                self.body(hub.page)
            elif found := _MODEL.fullmatch(self.path):
                self.model(*found.groups())
            elif found := _RESOLVE.fullmatch(self.path):
                self.resolve(*found.groups())
            elif found := _STORED.fullmatch(self.path):
                self.content(*hub.stored()[found[1]])
            else:
                self.head(404)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def head(self, status, **headers):
        self.send_response(status)
        for name, value in {"Content_Length": 0, **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def model(self, repo, revision):
        hub = self.server.hub
        if repo not in hub.heads:
            self.head(404, X_Error_Code="RepoNotFound")
            return
        commit = hub.heads[repo] if revision == "main" else revision
        self.body(json.dumps({"id": repo, "sha": commit, "siblings": []}).encode())

    def body(self, content):
        self.head(
            200, Content_Length=len(content), Content_Type="text/html" if self.server.hub.page else "application/json"
        )
        if self.command == "GET":
            self.wfile.write(content)

    def resolve(self, repo, commit, file):
        hub = self.server.hub
        path = hub.files.get((repo, file))
        if repo in hub.gated and not self.headers.get("Authorization"):
            self.head(401, X_Error_Code="GatedRepo", X_Error_Message="restricted")
        elif path is None or commit != hub.heads[repo]:
            self.head(404, X_Error_Code="RevisionNotFound" if path else "EntryNotFound")
        elif path.stat().st_size < 100_000:
            self.content(file, path, X_Repo_Commit=commit, ETag=f'"{git(path)}"')
        else:
            size = hub.claimed.get(file, path.stat().st_size)
            digest = sha256(path)
            self.head(
                302,
                Location=f"{hub.storage}/{digest}",
                X_Repo_Commit=commit,
                X_Linked_Etag=f'"{digest}"',
                X_Linked_Size=size,
                ETag='"other"',
            )

    def content(self, file, path, **headers):
        hub = self.server.hub
        data = path.read_bytes()
        if file in hub.corrupt:
            data = data[:-1] + bytes([data[-1] ^ 1])
        begin = 0
        wanted = self.headers.get("Range")
        if wanted and not hub.ignores_range:
            begin = int(wanted.removeprefix("bytes=").rstrip("-"))
            headers["Content_Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        self.head(206 if begin else 200, Content_Length=len(data) - begin, **headers)
        if self.command == "GET":
            hub.sending.add(threading.get_ident())
            try:
                self.send(file, data[begin:])
            finally:
                hub.sending.discard(threading.get_ident())

    def send(self, file, data):
        hub = self.server.hub
        limit = hub.cut_after.pop(0) if hub.cut_after and len(data) > 100_000 else len(data)
        for start in range(0, limit, _CHUNK):
            chunk = data[start : min(start + _CHUNK, limit)]
            self.wfile.write(chunk)
            hub.sent[file] += len(chunk)
            if hub.bytes_per_s:
                time.sleep(len(chunk) / hub.bytes_per_s)
        self.close_connection = limit < len(data)
