"""Servers that nobody here wrote, each for the time of a test: json-server and nginx."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.mariadb import free_port
from tests.requiring import unavailable

JSON_SERVER = Path(__file__).parents[2] / ".peers" / "node_modules" / "json-server" / "lib" / "cli" / "bin.js"
NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
{user}
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
    types {{ application/x-ndjson ndjson; }}
    gzip on;
    gzip_types application/x-ndjson;
    server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


@contextmanager
def json_server(folder: Path, **collections: list[dict[str, Any]]) -> Iterator[str]:
    """npm's json-server 0.17.4 over these collections: its URL."""
    node = shutil.which("node")
    if node is None or not JSON_SERVER.exists():
        unavailable("json-server", "it is not installed: npm install --prefix .peers --no-save json-server@0.17.4")
    file, port = folder / "db.json", free_port()
    file.write_text(json.dumps(collections))
    command = [node, str(JSON_SERVER), "--quiet", "--host", "127.0.0.1", "--port", str(port), str(file)]
    with _running(command, f"http://127.0.0.1:{port}") as url:
        yield url


@contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """nginx that serves the folder's files, NDJSON compressed: its URL."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        unavailable("nginx", "it is not installed: it is in Debian's package nginx")
    port = free_port()
    user = "user root;" if getpass.getuser() == "root" else ""
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, user=user))
    with _running([program, "-e", "stderr", "-p", str(folder), "-c", str(config)], f"http://127.0.0.1:{port}") as url:
        yield url


@contextmanager
def _running(command: list[str], url: str) -> Iterator[str]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(process, url)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _await(process: subprocess.Popen[bytes], url: str) -> None:
    """Returns once it answers, whatever it says."""
    ends = time.monotonic() + 30
    while True:
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            if time.monotonic() > ends or process.poll() is not None:
                raise
            time.sleep(0.02)
        else:
            return
