"""Every endpoint: its method, its address, the permission it needs, a body it takes."""

from typing import NamedTuple

TASKS = "/api/v1/tasks/"
NO_RUN = "lt_20261123T094501_ffffff"


class Door(NamedTuple):
    method: str
    path: str
    permission: str
    body: dict[str, object] | None = None

    @property
    def address(self) -> str:
        return self.path.partition("?")[0]

    @property
    def names_a_run(self) -> bool:
        return NO_RUN in self.path


DOORS = [
    Door("post", f"{TASKS}load-test", "launch", {"task_type": "noop", "num_tasks": 1}),
    Door("post", f"{TASKS}examples/load-test-small", "launch", {}),
    Door("post", f"{TASKS}examples/load-test-medium", "launch", {}),
    Door("post", f"{TASKS}examples/load-test-large", "launch", {}),
    Door("get", f"{TASKS}load-test-result/{NO_RUN}", "view"),
    Door("get", f"{TASKS}load-test-types", "view"),
    Door("get", f"{TASKS}load-tests", "view"),
    Door("get", f"{TASKS}load-test/{NO_RUN}/tasks", "view"),
    Door("get", f"{TASKS}load-test/compare?runs={NO_RUN},lt_x", "view"),
    Door("get", f"{TASKS}load-test/explain", "view"),
    Door("get", f"{TASKS}queues", "view"),
    Door("get", f"{TASKS}baselines", "view"),
    Door("post", f"{TASKS}load-test/{NO_RUN}/cancel", "cancel", {}),
    Door("post", f"{TASKS}load-test/{NO_RUN}/baseline", "pin", {}),
    Door("delete", f"{TASKS}load-test/{NO_RUN}/baseline", "pin"),
]
