"""The checks that need a process's settings and a way to what it stands on: run in its container, or with the demo's environment."""
