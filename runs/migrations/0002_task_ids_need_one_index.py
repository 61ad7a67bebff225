"""Task ids compare by byte (collation C), so the primary key's own index serves prefixes too; the second
one that Django adds for them would cost every collected task for nothing."""

from django.db import migrations

DROP = """
DO $$ DECLARE name text; BEGIN
    SELECT indexname INTO name FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename = 'runs_taskmetric'
      AND indexname LIKE '%\\_task\\_id\\_%\\_like';
    IF name IS NOT NULL THEN EXECUTE format('DROP INDEX %I', name); END IF;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("runs", "0001_initial")]

    operations = [migrations.RunSQL(DROP, migrations.RunSQL.noop)]
