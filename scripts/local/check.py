"""`make check`: the tools side by side, one line of verdict for each, and in full what a failing one said."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "infrastructure" / "compose").glob("*.yml"))
TOOLS = {
    "types": ("mypy",),
    "import contracts": ("lint-imports", "--no-logo"),
    "style": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "Dockerfiles": ("hadolint", "services/Dockerfile", "Dockerfile.migrations"),
    "compose files": ("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml", *OVERLAYS),
}


def checked(name: str) -> tuple[str, int, float, str]:
    started = time.monotonic()
    tool, *arguments = TOOLS[name]
    ran = subprocess.run([str(BIN / tool), *arguments], capture_output=True, text=True, check=False)
    return name, ran.returncode, time.monotonic() - started, ran.stdout + ran.stderr


def main() -> int:
    failed = []
    with ThreadPoolExecutor(max_workers=3) as pool:  # the slowest first; two cores carry three
        for name, code, seconds, said in pool.map(checked, TOOLS):
            print(f"{name:<17} {'ok' if code == 0 else 'FAILED'}  {seconds:.1f} s", flush=True)
            if code != 0:
                failed.append(said.rstrip())
    for said in failed:
        print(f"\n{said}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
