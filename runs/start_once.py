"""Use case: a launch that may be sent again; however often it comes with one key, it is one."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from runs.errors import KeyReused
from runs.models import IdempotencyKey, LoadTestRun
from runs.spec import Spec
from runs.start import start_runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """The runs of a launch, and whether it was carried out now or before."""

    runs: list[LoadTestRun]
    replayed: bool = False


def start_once(*, spec: Spec, requested_by: Any, key: str, sent: str) -> Launched:
    """Start what `spec` asks for, or give back what this key has started within 24 hours.

    `sent` is what the caller sent, in one canonical form: another launch under the same key is
    KeyReused. What could not be started leaves its key free.
    """
    fingerprint = hashlib.sha256(sent.encode()).hexdigest()
    owner = "anonymous" if requested_by is None else f"user:{requested_by.pk}"
    with transaction.atomic():
        known, is_new = IdempotencyKey.objects.claim(owner=owner, key=key, fingerprint=fingerprint)
        if is_new:
            runs = start_runs(spec=spec, requested_by=requested_by)
            known.remember([run.test_id for run in runs])
            return Launched(runs=runs)
    if known.fingerprint != fingerprint:
        raise KeyReused(
            f"The key {key!r} was sent with another launch, which started "
            f"{', '.join(known.test_ids[:3])}: take a new key for each launch."
        )
    return Launched(runs=_again(known), replayed=True)


def _again(known: IdempotencyKey) -> list[LoadTestRun]:
    found = LoadTestRun.objects.select_related("configuration").in_bulk(
        known.test_ids, field_name="test_id"
    )
    if len(found) < len(known.test_ids):
        raise KeyReused(
            f"The key {known.key!r} has started {known.test_ids[0]}, which was pruned since: "
            "take a new key."
        )
    return [found[test_id] for test_id in known.test_ids]
