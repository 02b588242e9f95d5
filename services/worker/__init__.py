"""Work that nobody waits for: Celery tasks, each three lines, on one event loop."""
