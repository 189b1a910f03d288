"""Where a study may be sent: a job server runs whatever it is sent, for whoever reaches it (CVE-2023-48022)."""

from __future__ import annotations

import os
import socket
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from harness.errors import HarnessError


def token_given() -> str:
    """What the user's environment says of a token: ``explicit``, ``default file``, or nothing.

    The token itself is read by Ray alone.
    """
    if os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH"):
        return "explicit"
    return "default file" if (Path.home() / ".ray" / "auth_token").is_file() else ""


def check_address(address: str, token: str) -> None:
    """Refuse an address on the open network without a token, or where the token could be read on its way.

    Raises:
        HarnessError: with what is wrong and the safe way.
    """
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise HarnessError(f"--address {address}: the job server's address looks like http://127.0.0.1:8265.")
    if _is_private(parts.hostname):
        return
    tunnel = "Bring it here with an SSH tunnel (ssh -L 8265:127.0.0.1:8265 HEAD) and use http://127.0.0.1:8265."
    if token != "explicit":  # noqa: S105 - says where a token is, not what it is
        raise HarnessError(
            f"--address {address} is on the open network and no token is given: whoever reaches a job server without "
            f"one runs what they like on it. Set RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH. {tunnel}"
        )
    if parts.scheme != "https":
        raise HarnessError(f"--address {address} would send your token over the open network in clear text. {tunnel}")


def _is_private(host: str) -> bool:
    """Whether every address of a host is of this machine or of a private network.

    Raises:
        HarnessError: if there is no such host.
    """
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise HarnessError(f"--address: there is no host '{host}' ({error}).") from error
    addresses = [ip_address(str(one).split("%")[0]) for one in found]
    return all(one.is_loopback or one.is_private or one.is_link_local for one in addresses)


def check_joinable(address: str) -> None:
    """See that a run can join a cluster at an address of this kind.

    Raises:
        HarnessError: for Ray's client, whose end would be the run's.
    """
    if "://" in address:
        raise HarnessError(
            f"--address {address}: a run belongs on a machine of the cluster, where no lost connection can end it. "
            "Send it there with dferbench submit STUDY --address http://HOST:8265, or run it there with --address auto."
        )
