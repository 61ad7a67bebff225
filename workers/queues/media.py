"""The queue `media`: `arq workers.queues.media.WorkerSettings` serves it."""

from workers.queues.serving import settings_class

WorkerSettings = settings_class("media")
