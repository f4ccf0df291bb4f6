"""A time stamp authority (RFC 3161) on this machine: OpenSSL's, behind a small web server that can also fail."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.bot.pictures import certificates

OPENSSL = shutil.which("openssl")

_CENTURY = 36_500 * 86_400
_CONFIGURATION = """
[tsa]
default_tsa = one
[one]
serial = serial
default_policy = 1.2.3.4
digests = sha256, sha384, sha512
signer_digest = sha256
ess_cert_id_alg = sha256
"""


class Authority:
    """`failing` makes it answer with an error, `silent` with nothing until the test ends. `asked` counts requests."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/stamp"
        self.chain, self._key = certificates.write(folder, name="Stamps", stamps=True, seconds=_CENTURY)
        self.failing = self.silent = False
        self.asked = 0
        self.over = threading.Event()
        self._folder = folder
        (folder / "stamps.cnf").write_text(_CONFIGURATION)

    def answer(self, query: bytes) -> tuple[int, bytes]:
        """The HTTP status and the reply to a query, both in DER."""
        self.asked += 1
        if self.silent:
            self.over.wait(60)
        if self.failing or self.silent:
            return 503, b""
        (self._folder / "query").write_bytes(query)
        command = [str(OPENSSL), "ts", "-reply", "-config", "stamps.cnf", "-queryfile", "query"]
        keys = ["-signer", str(self.chain), "-inkey", str(self._key)]
        done = subprocess.run([*command, *keys], cwd=self._folder, capture_output=True, check=True)
        return 200, done.stdout


@contextmanager
def authority(folder: Path) -> Iterator[Authority]:
    """An authority that answers until the end of the block, with a root of its own in `folder`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, reply = here.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        here = Authority(folder, server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield here
        finally:
            here.over.set()
            server.shutdown()
            thread.join()
