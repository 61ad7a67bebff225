"""Our own check for Schemathesis: a launch of the right shape is not refused for its shape."""

import schemathesis


@schemathesis.check
def refused_only_for_what_no_schema_says(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    generated = case.meta
    if generated is None or not generated.generation.mode.is_positive:
        return
    if case.operation.label.endswith("/load-test") and response.status_code == 400:
        assert response.json()["error"] == "invalid_spec", response.text
