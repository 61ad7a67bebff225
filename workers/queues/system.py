"""The queue `system`, with its own scheduled tasks: `arq workers.queues.system.WorkerSettings`."""

from workers.queues.serving import settings_class
from workers.tasks.system import cron_jobs, functions

WorkerSettings = settings_class("system", functions=functions(), cron_jobs=cron_jobs())
