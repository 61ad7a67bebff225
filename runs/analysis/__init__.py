"""What a load test means: values in, values out; no Django, no arq, no clock, no logging."""
