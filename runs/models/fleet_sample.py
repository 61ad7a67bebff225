"""What was seen of the fleet and of Redis, once a second while a run was under way."""

from django.db import models


class FleetSample(models.Model):
    """One look at queue, workers and Redis; the timeline of the report is drawn from these."""

    run = models.ForeignKey("runs.LoadTestRun", on_delete=models.CASCADE, related_name="samples")
    at = models.DateTimeField()
    queued = models.PositiveIntegerField(null=True)
    running = models.PositiveIntegerField(null=True)
    foreign_jobs = models.PositiveIntegerField(default=0)
    workers = models.PositiveIntegerField(default=0)
    worker_cpu_percent = models.FloatField(null=True)
    worker_rss_mb = models.FloatField(null=True)
    redis_cpu_percent = models.FloatField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["run", "at"], name="one_sample_per_instant"),
        )

    def __str__(self) -> str:
        return f"{self.run_id} at {self.at:%H:%M:%S}"
