"""Run by the Python of a Celery environment: asks workers as `celery control` does, all at once.

Arguments: broker URL, JSON list of [method, arguments]. Prints a JSON list of the first answers.
"""

import json
import sys

from celery import Celery

url, commands = sys.argv[1:]
app = Celery(broker=url)
answers = []
for method, arguments in json.loads(commands):
    replies = app.control.broadcast(method, arguments=arguments, reply=True, timeout=5, limit=1)
    answers.append(next(iter(replies[0].values())) if replies else None)
sys.stdout.write(json.dumps(answers))
