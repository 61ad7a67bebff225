"""The tables of load tests: workloads, runs, tasks, what was seen of the fleet, daemons."""

import django.db.models.deletion
import django.db.models.expressions
import runs.states
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Daemon',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('owner', models.CharField(max_length=200, unique=True)),
                ('role', models.CharField(choices=[('dispatcher', 'Dispatcher'), ('collector', 'Collector')], max_length=10)),
                ('host', models.CharField(max_length=200)),
                ('pid', models.PositiveIntegerField()),
                ('started_at', models.DateTimeField(auto_now_add=True)),
                ('beat_at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='LoadTestConfiguration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(blank=True, max_length=200)),
                ('content_hash', models.CharField(editable=False, max_length=64, unique=True)),
                ('task_type', models.CharField(max_length=100)),
                ('parameters', models.JSONField(blank=True, default=dict)),
                ('num_tasks', models.PositiveIntegerField()),
                ('batch_size', models.PositiveIntegerField(default=10)),
                ('delay_ms', models.FloatField(default=0.0)),
                ('rate_per_s', models.FloatField(blank=True, null=True)),
                ('duration_s', models.FloatField(blank=True, null=True)),
                ('arrival', models.CharField(choices=[('batches', 'batches'), ('constant', 'constant'), ('poisson', 'poisson')], default='batches', max_length=8)),
                ('seed', models.BigIntegerField(default=0)),
                ('target', models.CharField(default='default', max_length=100)),
                ('target_queue', models.CharField(default='load_test', max_length=100)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name': 'configuration',
            },
        ),
        migrations.CreateModel(
            name='LoadTestRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('test_id', models.CharField(editable=False, max_length=40, unique=True)),
                ('group_id', models.CharField(blank=True, db_index=True, max_length=40)),
                ('label', models.CharField(blank=True, max_length=200)),
                ('status', models.CharField(choices=[('pending', 'pending'), ('dispatching', 'dispatching'), ('running', 'running'), ('completed', 'completed'), ('failed', 'failed'), ('cancelled', 'cancelled'), ('timed_out', 'timed_out')], default='pending', max_length=11)),
                ('target', models.CharField(default='default', max_length=100)),
                ('target_queue', models.CharField(max_length=100)),
                ('timeout_s', models.FloatField(default=600.0)),
                ('baseline_choice', models.CharField(default='auto', max_length=300)),
                ('thresholds', models.JSONField(blank=True, default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('deadline_at', models.DateTimeField(blank=True, null=True)),
                ('cancel_requested_at', models.DateTimeField(blank=True, null=True)),
                ('planned_count', models.PositiveIntegerField()),
                ('sent_count', models.PositiveIntegerField(default=0)),
                ('completed_count', models.PositiveIntegerField(default=0)),
                ('failed_count', models.PositiveIntegerField(default=0)),
                ('cancelled_count', models.PositiveIntegerField(default=0)),
                ('lost_count', models.PositiveIntegerField(default=0)),
                ('retry_count', models.PositiveIntegerField(default=0)),
                ('dispatcher', models.CharField(blank=True, max_length=200)),
                ('dispatcher_until', models.DateTimeField(blank=True, null=True)),
                ('collector', models.CharField(blank=True, max_length=200)),
                ('collector_until', models.DateTimeField(blank=True, null=True)),
                ('fleet', models.JSONField(blank=True, default=list)),
                ('observed', models.JSONField(blank=True, default=dict)),
                ('environment', models.JSONField(blank=True, default=dict)),
                ('environment_key', models.CharField(blank=True, max_length=64)),
                ('notes', models.JSONField(blank=True, default=list)),
                ('report', models.JSONField(blank=True, null=True)),
                ('figures', models.JSONField(blank=True, default=dict)),
                ('headline', models.TextField(blank=True)),
                ('verdict', models.CharField(blank=True, max_length=12)),
                ('regime', models.CharField(blank=True, max_length=10)),
                ('configuration', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='runs.loadtestconfiguration')),
                ('requested_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'load test',
                'ordering': ('-pk',),
                'permissions': (('launch_loadtestrun', 'Can launch a load test'), ('cancel_loadtestrun', 'Can cancel a load test'), ('pin_loadtestrun', 'Can pin a load test as baseline')),
            },
        ),
        migrations.AddField(
            model_name='loadtestconfiguration',
            name='pinned_run',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='runs.loadtestrun'),
        ),
        migrations.CreateModel(
            name='FleetSample',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('queued', models.PositiveIntegerField(null=True)),
                ('running', models.PositiveIntegerField(null=True)),
                ('foreign_jobs', models.PositiveIntegerField(default=0)),
                ('workers', models.PositiveIntegerField(default=0)),
                ('worker_cpu_percent', models.FloatField(null=True)),
                ('worker_rss_mb', models.FloatField(null=True)),
                ('redis_cpu_percent', models.FloatField(null=True)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='samples', to='runs.loadtestrun')),
            ],
        ),
        migrations.CreateModel(
            name='TaskMetric',
            fields=[
                ('task_id', models.CharField(db_collation='C', max_length=64, primary_key=True, serialize=False)),
                ('sequence', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('completed', 'completed'), ('failed', 'failed'), ('cancelled', 'cancelled'), ('lost', 'lost')], max_length=9)),
                ('intended_at', models.DateTimeField(null=True)),
                ('enqueued_at', models.DateTimeField(null=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('retries', models.PositiveSmallIntegerField(default=0)),
                ('worker', models.CharField(blank=True, max_length=200)),
                ('metrics', models.JSONField(null=True)),
                ('error_type', models.CharField(blank=True, max_length=200)),
                ('error_message', models.CharField(blank=True, max_length=2000)),
                ('traceback', models.TextField(blank=True)),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='runs.loadtestrun')),
            ],
            options={
                'verbose_name': 'task',
            },
        ),
        migrations.AddIndex(
            model_name='loadtestrun',
            index=models.Index(fields=['status', '-id'], name='run_by_status'),
        ),
        migrations.AddIndex(
            model_name='loadtestrun',
            index=models.Index(fields=['target_queue', '-id'], name='run_by_queue'),
        ),
        migrations.AddIndex(
            model_name='loadtestrun',
            index=models.Index(fields=['verdict', '-id'], name='run_by_verdict'),
        ),
        migrations.AddIndex(
            model_name='loadtestrun',
            index=models.Index(fields=['label', '-id'], name='run_by_label', opclasses=['varchar_pattern_ops', 'int8_ops']),
        ),
        migrations.AddIndex(
            model_name='loadtestrun',
            index=models.Index(fields=['created_at'], name='run_by_time'),
        ),
        migrations.AddIndex(
            model_name='loadtestrun',
            index=models.Index(fields=['configuration', 'environment_key', '-id'], name='run_comparable'),
        ),
        migrations.AddConstraint(
            model_name='loadtestrun',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['pending', 'dispatching', 'running', 'completed', 'failed', 'cancelled', 'timed_out'])), name='run_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='loadtestrun',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', [runs.states.RunStatus['DISPATCHING'], runs.states.RunStatus['RUNNING']])), fields=('target', 'target_queue'), name='one_run_at_a_time_on_a_queue'),
        ),
        migrations.AddConstraint(
            model_name='loadtestrun',
            constraint=models.CheckConstraint(condition=models.Q(('sent_count__lte', models.F('planned_count'))), name='sent_is_at_most_planned'),
        ),
        migrations.AddConstraint(
            model_name='loadtestrun',
            constraint=models.CheckConstraint(condition=models.Q(('sent_count__gte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('completed_count'), '+', models.F('failed_count')), '+', models.F('cancelled_count')), '+', models.F('lost_count')))), name='accounted_is_at_most_sent'),
        ),
        migrations.AddConstraint(
            model_name='loadtestconfiguration',
            constraint=models.CheckConstraint(condition=models.Q(('num_tasks__gte', 1), ('batch_size__gte', 1), ('delay_ms__gte', 0)), name='workload_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='loadtestconfiguration',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('arrival', 'batches'), ('duration_s__isnull', True), ('rate_per_s__isnull', True)), models.Q(models.Q(('arrival', 'batches'), _negated=True), ('rate_per_s__gt', 0), ('duration_s__gt', 0)), _connector='OR'), name='rate_and_arrival_agree'),
        ),
        migrations.AddConstraint(
            model_name='fleetsample',
            constraint=models.UniqueConstraint(fields=('run', 'at'), name='one_sample_per_instant'),
        ),
        migrations.AddIndex(
            model_name='taskmetric',
            index=models.Index(models.F('run'), models.OrderBy(django.db.models.expressions.CombinedExpression(models.F('finished_at'), '-', models.F('started_at')), descending=True), name='task_slowest'),
        ),
        migrations.AddIndex(
            model_name='taskmetric',
            index=models.Index(condition=models.Q(('state', 'completed'), _negated=True), fields=['run', 'state', 'sequence'], name='task_not_completed'),
        ),
        migrations.AddIndex(
            model_name='taskmetric',
            index=models.Index(fields=['-finished_at'], name='task_by_finish'),
        ),
        migrations.AddConstraint(
            model_name='taskmetric',
            constraint=models.UniqueConstraint(fields=('run', 'sequence'), name='one_row_per_task'),
        ),
        migrations.AddConstraint(
            model_name='taskmetric',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['completed', 'failed', 'cancelled', 'lost'])), name='task_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='taskmetric',
            constraint=models.CheckConstraint(condition=models.Q(('finished_at__gte', models.F('started_at'))), name='finishes_after_start'),
        ),
        migrations.AddConstraint(
            model_name='taskmetric',
            constraint=models.CheckConstraint(condition=models.Q(('sequence__gte', 1)), name='sequence_counts_from_one'),
        ),
    ]
