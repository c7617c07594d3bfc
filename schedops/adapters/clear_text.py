"""Secrets do not travel in the clear."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from schedops.errors import InputError


def require_private_way(url: str, *, what: str, hint: str) -> None:
    """A secret may be sent there: by TLS, or without leaving this machine.

    :param what: the secret, as it is called, such as ``the token``.
    :raises InputError: ``secret-in-the-clear``.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return
    try:
        here = ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        here = False
    if not here:
        raise InputError("secret-in-the-clear", f"{what} would be sent in the clear", where=url, hint=hint)
