"""What kube-apiserver and etcd are started with: the binaries, their ports, keys and arguments. Starts nothing that stays."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from syncsource.localplane import statefiles
from syncsource.localplane.certificates import Certificates, ensure_certificates
from syncsource.localplane.ports import bound

VARIABLE = "KUBEBUILDER_ASSETS"
"""The environment variable that names the folder of the binaries, as for envtest."""

_ISSUER = "https://kubernetes.default.svc.cluster.local"


class AssetsUnusable(Exception):
    """The binaries are missing or can't be run, or ended at once; the message says which, why, and the way out."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """Two programs that are there and may be executed."""

    etcd: Path
    apiserver: Path


@dataclass(frozen=True, slots=True)
class Files:
    """Ports on 127.0.0.1, and what is kept below the state folder from one start to the next."""

    folder: Path
    port: int
    etcd_port: int
    peer_port: int
    server: Certificates
    etcd: Certificates
    node: Certificates
    """What kube-apiserver shows to the node, and the node to it, to read logs."""
    signing_key: Path
    tokens: Path
    token: str

    @property
    def url(self) -> str:
        """Where kube-apiserver answers."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def etcd_url(self) -> str:
        """Where etcd answers, to whom has its certificate."""
        return f"https://127.0.0.1:{self.etcd_port}"


def binaries(folder: Path) -> Binaries:
    """The programs of a folder that is laid out as envtest's. Raises AssetsUnusable."""
    found = Binaries(folder / "etcd", folder / "kube-apiserver")
    for program in (found.etcd, found.apiserver):
        wrong = "is missing" if not program.is_file() else "" if os.access(program, os.X_OK) else "is not executable"
        if wrong:
            raise AssetsUnusable(
                f"{VARIABLE} is {folder}, but {program} {wrong}; name a folder with kube-apiserver and etcd in it, "
                f"or unset {VARIABLE} for the embedded control plane"
            )
    return found


def make_files(folder: Path, port: int) -> Files:
    """What is there already stays. Raises OSError where ``port`` is taken; 0: that of last time if it is free, else any."""
    state = folder / "assets"
    etcd, node = state / "etcd", node_certificates(folder)
    for made in (state, etcd, node):
        statefiles.open_folder(made)
    now, token = dt.datetime.now(dt.UTC), statefiles.ensure_token(folder)
    tokens = state / "tokens.csv"
    statefiles.write_private(tokens, f'{token},admin,admin,"system:masters"\n'.encode())
    ports = _ports(folder, port)
    return Files(
        state,
        *ports,
        server=ensure_certificates(state, now),
        etcd=ensure_certificates(etcd, now, for_clients=True),
        node=ensure_certificates(node, now, for_clients=True),
        signing_key=_signing_key(state / "service-accounts.key"),
        tokens=tokens,
        token=token,
    )


def node_certificates(folder: Path) -> Path:
    """The folder of the certificates by which logs are read from the node, below the state folder."""
    return folder / "assets" / "node"


def etcd_arguments(files: Files) -> tuple[str, ...]:
    """Only who has its certificate may speak to it, as client or as peer."""
    peer = f"https://127.0.0.1:{files.peer_port}"
    flags = {
        "data-dir": str(files.folder / "etcd" / "data"),
        "listen-client-urls": files.etcd_url,
        "advertise-client-urls": files.etcd_url,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
    }
    for kind in ("", "peer-"):
        flags |= {
            f"{kind}cert-file": str(files.etcd.certificate),
            f"{kind}key-file": str(files.etcd.key),
            f"{kind}trusted-ca-file": str(files.etcd.authority),
            f"{kind}client-cert-auth": "true",
        }
    return _arguments(flags)


def apiserver_arguments(program: Path, files: Files) -> tuple[str, ...]:
    """As envtest starts it: alone, without the controllers that would make default service accounts. Raises AssetsUnusable."""
    key = str(files.signing_key)
    flags = {
        "etcd-servers": files.etcd_url,
        "etcd-cafile": str(files.etcd.authority),
        "etcd-certfile": str(files.etcd.certificate),
        "etcd-keyfile": str(files.etcd.key),
        "bind-address": "127.0.0.1",
        "advertise-address": "127.0.0.1",
        "secure-port": str(files.port),
        "cert-dir": str(files.folder),
        "tls-cert-file": str(files.server.certificate),
        "tls-private-key-file": str(files.server.key),
        "kubelet-certificate-authority": str(files.node.authority),
        "kubelet-client-certificate": str(files.node.certificate),
        "kubelet-client-key": str(files.node.key),
        "kubelet-preferred-address-types": "InternalIP",
        "token-auth-file": str(files.tokens),
        "authorization-mode": "RBAC",
        "service-account-issuer": _ISSUER,
        "service-account-key-file": key,
        "service-account-signing-key-file": key,
        "service-cluster-ip-range": "10.0.0.0/24",
        "disable-admission-plugins": "ServiceAccount",
    }
    came_or_went = {"insecure-port": "0", "endpoint-reconciler-type": "none", "allow-privileged": "true"}
    known = _known_flags(program)
    return _arguments(flags | {name: value for name, value in came_or_went.items() if name in known})


def _arguments(flags: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"--{name}={value}" for name, value in flags.items())


def _known_flags(program: Path) -> set[str]:
    """The flags that its ``--help`` lists."""
    try:
        said = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AssetsUnusable(f"{program} can't be run: {error}; it must be one for this system and processor") from None
    return set(re.findall(r"^\s+--([a-z0-9-]+)", said.stdout + said.stderr, re.M))


def _signing_key(path: Path) -> Path:
    """The key of service accounts' tokens, made at the first start."""
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        statefiles.write_private(path, key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain))
    return path


def _ports(folder: Path, port: int) -> tuple[int, int, int]:
    """That of kube-apiserver, and etcd's two: those of last time where they are free."""
    remembered = folder / "assets" / "ports.json"
    wishes = json.loads(remembered.read_text()) if remembered.exists() else [0, 0]
    with contextlib.ExitStack() as held:
        asked = ((port, statefiles.last_port(folder)), *((0, wish) for wish in wishes))
        sockets = [held.enter_context(bound(*one)) for one in asked]
        api, etcd, peer = (one.getsockname()[1] for one in sockets)
    statefiles.write_private(remembered, json.dumps([etcd, peer]).encode())
    return api, etcd, peer
