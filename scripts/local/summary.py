"""What the person sees when everything is up."""

from collections.abc import Callable, Mapping

from scripts.local.environment import StandIns
from scripts.local.parts import Embedded

GREEN, CYAN, DIM = 92, 96, 2


def summary(env: Mapping[str, str], embedded: Embedded, played: StandIns, login: str, paint: Callable[[str, int], str]) -> list[str]:
    """`paint` colours a text on a terminal and leaves it alone elsewhere."""

    def at(port: str, path: str) -> str:
        return f"http://127.0.0.1:{env[port]}{path}"

    rows = [_chat(at("SANDBOX_PORT", "/"), played)]
    rows += [
        ("Admin", at("ADMIN_PORT", "/admin/"), f"login {login}"),
        ("API", at("API_PORT", "/api/docs"), "REST for integrations"),
        ("Health", at("API_PORT", "/api/v1/health"), ""),
        ("", at("ADMIN_PORT", "/admin/health"), ""),
        ("", at("BOT_PORT", "/health"), "the bot"),
        ("", at("WORKER_PORT", "/health"), "the worker"),
        ("Database", f"postgresql://vitte@127.0.0.1:{embedded.postgres.port}/vitte", f"password in {embedded.postgres.home / 'password'}"),
        ("Redis", f"redis://127.0.0.1:{embedded.redis.port}/0", f"password in {embedded.redis.home / 'password'}"),
        ("Files", embedded.s3.url(), "S3 stand-in, any key"),
    ]
    if played.telegram and not played.model:
        rows.append(("Model", env["LLM_STRONG"], ""))
    width = max(len(address) for _, address, _ in rows)
    lines = [
        f"  {title:<9} {paint(f'{address:<{width}}', CYAN)}  {paint(note, DIM) if note else ''}".rstrip() for title, address, note in rows
    ]
    return ["", *lines, "", *_hints(played)]


def _chat(address: str, played: StandIns) -> tuple[str, str, str]:
    if not played.telegram:
        return "Chat", "your bot in Telegram", "BOT_TOKEN of .env"
    return "Chat", address, "write to the bot here" + (", the model is scripted" if played.model else "")


def _hints(played: StandIns) -> list[str]:
    missing = [name for name, absent in (("BOT_TOKEN", played.telegram), ("OPENAI_API_KEY or LLM_STRONG", played.model)) if absent]
    hint = [f"  For the real thing set {' and '.join(missing)} in .env."] if missing else []
    return [*hint, "  Ctrl-C stops everything. State and logs are kept in .local/.", ""]
