"""Whose signatures count, for what, and until when (``policies/trust.yaml`` of the base branch)."""

from __future__ import annotations

from dataclasses import dataclass

ROLES = ("build", "verify", "bench", "gate", "deploy")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """:param key: as OpenSSH writes public keys: ``ssh-ed25519 AAAA…``, without a comment.

    :param roles: of :data:`ROLES`: what the holder may sign.
    :param not_after: ISO 8601, UTC; signatures made later do not count; None: no end.
    """

    name: str
    key: str
    roles: tuple[str, ...]
    not_after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """So many different keys have to sign what *role* signs."""

    role: str
    keys: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """:param thresholds: roles that are not here need one key.

    :param revoked: digests (``sha256:…``) of envelopes, objects and evidence that count no longer, whoever signed them.
    """

    keys: tuple[TrustedKey, ...]
    thresholds: tuple[Threshold, ...] = ()
    revoked: tuple[str, ...] = ()

    def threshold(self, role: str) -> int:
        """How many keys have to sign."""
        return max((one.keys for one in self.thresholds if one.role == role), default=1)

    def holders(self, role: str) -> tuple[TrustedKey, ...]:
        """Keys that may sign for a role."""
        return tuple(one for one in self.keys if role in one.roles)
