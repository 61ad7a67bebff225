"""The queue `load_test`: `arq workers.queues.load_test.WorkerSettings` serves it."""

from workers.queues.serving import settings_class

WorkerSettings = settings_class("load_test")
