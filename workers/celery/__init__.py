"""Celery's wire contracts over arq, so that Celery's tools work unchanged; no celery, no kombu."""
