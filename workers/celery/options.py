"""What of Celery's protocols does a worker speak? Read from the environment, checked by name."""

import re
from dataclasses import dataclass, field

from workers.celery.redaction import HIDDEN_KEYS, Redaction
from workers.errors import InvalidSetting
from workers.settings import environment

EVENTS = "LOADLAB_CELERY_EVENTS"
CONTROL = "LOADLAB_CELERY_CONTROL"
RESULTS = "LOADLAB_CELERY_RESULTS"
SAMPLE = "LOADLAB_CELERY_EVENTS_SAMPLE"
RESULTS_TTL = "LOADLAB_CELERY_RESULTS_TTL"
REDACT = "LOADLAB_CELERY_REDACT"
KEY_PREFIX = "LOADLAB_CELERY_KEY_PREFIX"
FANOUT_PREFIX = "LOADLAB_CELERY_FANOUT_PREFIX"

DAY_S = 86_400

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`sample` is the share of tasks that events tell of; `results_ttl_s` is Celery's expiry."""

    events: bool = False
    control: bool = False
    results: bool = False
    sample: float = 1.0
    results_ttl_s: int = DAY_S
    key_prefix: str = ""
    fanout_prefix: str = "/{db}."
    redaction: Redaction = field(default_factory=Redaction)

    @property
    def any(self) -> bool:
        """Whether the worker is to do anything at all for Celery's tools."""
        return self.events or self.control or self.results


def options_from_environment(
    *, events: bool | None = None, control: bool | None = None, results: bool | None = None
) -> Options:
    """The options; what is given wins over its variable, which wins over off."""
    return Options(
        events=_flag(EVENTS, default=False) if events is None else events,
        control=_flag(CONTROL, default=False) if control is None else control,
        results=_flag(RESULTS, default=False) if results is None else results,
        sample=_share(SAMPLE),
        results_ttl_s=_whole_seconds(RESULTS_TTL),
        key_prefix=environment(KEY_PREFIX),
        fanout_prefix=environment(FANOUT_PREFIX) or "/{db}.",
        redaction=_redaction(REDACT),
    )


def is_set(name: str) -> bool:
    """Whether the environment says anything about this variable."""
    return bool(environment(name))


def _flag(name: str, *, default: bool) -> bool:
    text = environment(name).lower()
    if not text:
        return default
    if text not in _YES | _NO:
        raise InvalidSetting(f"{name} is {text!r}; 1 and 0 are allowed.")
    return text in _YES


def _share(name: str) -> float:
    text = environment(name)
    try:
        share = float(text or 1)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise InvalidSetting(f"{name} is {text!r}; a share above 0 and up to 1 is allowed.")
    return share


def _whole_seconds(name: str) -> int:
    text = environment(name)
    if not text:
        return DAY_S
    if not text.isdecimal() or not 1 <= int(text) <= 30 * DAY_S:
        raise InvalidSetting(
            f"{name} is {text!r}; whole seconds from 1 to {30 * DAY_S} are allowed."
        )
    return int(text)


def _redaction(name: str) -> Redaction:
    pattern = environment(name)
    try:
        # why both: a pattern of one's own must not uncover passwords
        return Redaction(f"{HIDDEN_KEYS}|{pattern}" if pattern else HIDDEN_KEYS)
    except re.error as error:
        raise InvalidSetting(
            f"{name} is {pattern!r}; a regular expression over key names is allowed ({error})."
        ) from error
