"""A stand-in for the outside world: Telegram's Bot API, the people who use it and a model provider, in one process. See docs/sandbox.md."""
