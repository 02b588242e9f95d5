"""The model provider of the sandbox: OpenAI's endpoints, played by a scripted character."""

from services.sandbox.model.routes import add_routes, reset, set_usual_mistakes

__all__ = ["add_routes", "reset", "set_usual_mistakes"]
