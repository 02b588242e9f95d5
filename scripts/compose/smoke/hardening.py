"""What an intruder in one of the containers could do, tried from inside."""

import json
import time

from scripts.compose.engine import docker
from scripts.compose.smoke.report import Report, expect
from scripts.compose.smoke.stage import OURS, VERSION, Stage

LARGEST_IMAGE = 300_000_000
SECONDS_TO_REBUILD = 15
ROOT_AT_FIRST = {"s3"}
INTRUDER = """
import json, os, socket
found = {"uid": os.getuid(), "gid": os.getgid()}
for place in ("/intruder", "/app/intruder", "/venv/intruder", "/etc/intruder"):
    try:
        open(place, "w").close()
        found["wrote"] = place
    except OSError as error:
        found.setdefault("refused", []).append(error.errno)
try:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    found["raw"] = True
except PermissionError:
    found["raw"] = False
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
found["caps"] = {name: int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")}
found["locked"] = status["NoNewPrivs"].strip()
print(json.dumps(found))
"""
TOOLS = "for t in pip pip3 uv gcc cc make git curl wget; do command -v $t; done; find / -xdev -path '*/services/sandbox' 2>/dev/null; true"
DOORS = (("postgres", 5432), ("redis", 6379), ("cache", 6379), ("s3", 8333))
NO_WAY_IN = {6, 7, 28}
"""curl: no such name, refused, no answer."""


def from_inside(stage: Stage) -> str:
    for service in OURS:
        found = json.loads(stage.python(service, INTRUDER))
        expect(found["uid"] == found["gid"] == 10001, f"{service}: {found}")
        expect("wrote" not in found and found["raw"] is False, f"{service}: {found}")
        expect(set(found["caps"].values()) == {0} and found["locked"] == "1", f"{service}: {found}")
    return ", ".join(OURS)


def as_configured(stage: Stage) -> str:
    """Limits, locks and log rotation of every container, third parties too."""
    for service in set(stage.services()):
        for container in stage.inspect(service):
            host = container["HostConfig"]
            wrong = {
                "caps": host["CapDrop"] != ["ALL"],
                "privileges": host["SecurityOpt"] != ["no-new-privileges:true"] or host["Privileged"],
                "limits": not (host["Memory"] and host["NanoCpus"] and host["PidsLimit"]),
                "init": not host["Init"],
                "log": host["LogConfig"]["Config"].get("max-size") is None,
                "root": service not in ROOT_AT_FIRST and not host["ReadonlyRootfs"],
                "socket": any("docker.sock" in bind for bind in host["Binds"] or []),
            }
            expect(not any(wrong.values()), f"{service}: {[name for name, is_wrong in wrong.items() if is_wrong]}")
    return f"{len(set(stage.services()))} services"


def nobody_is_root(stage: Stage) -> None:
    for row in stage.compose.containers():
        if row["State"] == "running" and row["Service"] not in ROOT_AT_FIRST:
            told = docker("top", row["Name"], "-eo", "uid,comm").stdout.split("\n")[1:]
            roots = [line for line in told if line.split()[:1] == ["0"]]
            expect(not roots, f"{row['Service']}: {roots}")


def nginx_sees_no_data(stage: Stage) -> str:
    """Neither by name nor by address."""
    for service, port in DOORS:
        networks = stage.inspect(service)[0]["NetworkSettings"]["Networks"].values()
        for host in (service, *(network["IPAddress"] for network in networks)):
            code = stage.inside("nginx", "curl", "-s", "-m", "2", "-o", "/dev/null", f"http://{host}:{port}/").returncode
            expect(code in NO_WAY_IN, f"{service}: nginx reaches {host}:{port} (curl {code})")
    return ", ".join(f"{service}:{port}" for service, port in DOORS)


REDIS = """
import os, redis
url = os.environ["REDIS_URL"]
def tried(client, *command):
    try:
        return str(client.execute_command(*command))
    except redis.exceptions.RedisError as error:
        return type(error).__name__
ours, nobody = redis.Redis.from_url(url), redis.Redis(host="redis")
print(tried(ours, "SET", "vitte:smoke", "1", "EX", "5"), tried(ours, "FLUSHALL"), tried(ours, "KEYS", "*"))
print(tried(ours, "CONFIG", "GET", "*"), tried(ours, "GET", "somebody-elses"), tried(nobody, "PING"))
"""
ACL_ANSWERS = "True NoPermissionError NoPermissionError NoPermissionError NoPermissionError AuthenticationError"


def redis_users(stage: Stage) -> None:
    for service in ("bot", "api", "worker", "admin"):
        expect((told := stage.python(service, REDIS).split()) == ACL_ANSWERS.split(), f"{service}: {told}")


def database_roles(stage: Stage) -> None:
    """The services read and write rows, and change no table; the exporter sees no row."""
    can = "select has_table_privilege('{role}', 'users', 'select'), has_schema_privilege('{role}', 'public', 'create')"
    expect(stage.sql(can.format(role="vitte_app")) == "t|f", "vitte_app")
    expect(stage.sql(can.format(role="vitte_monitor")) == "f|f", "vitte_monitor")
    supers = stage.sql("select string_agg(rolname, ',') from pg_roles where rolsuper and rolcanlogin")
    expect(supers == "postgres", f"superusers: {supers}")


def images(stage: Stage) -> str:
    sizes = {}
    for name in ("bot", "api", "worker", "admin", "migrations", "sandbox"):
        sizes[name] = int(docker("image", "inspect", "-f", "{{.Size}}", f"vitte-{name}:{VERSION}").stdout)
    expect(max(sizes.values()) < LARGEST_IMAGE, sizes)
    for service in ("bot", "api", "worker", "admin"):
        found = stage.inside(service, "sh", "-c", TOOLS).stdout.split()
        expect(not found, f"{service} has {found}")
    return ", ".join(f"{name} {size // 1_000_000} MB" for name, size in sizes.items())


def _image_id(name: str) -> str:
    return docker("image", "inspect", "-f", "{{.Id}}", f"vitte-{name}:{VERSION}").stdout


def rebuilt_quickly(stage: Stage) -> str:
    """Only code changed: the layers with packages stay."""
    changed = stage.root / "services" / "bot" / "commands.py"
    changed.write_text(changed.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    before, began = _image_id("bot"), time.monotonic()
    ran = stage.compose.run("build", "--quiet", "bot")
    took = time.monotonic() - began
    expect(ran.returncode == 0 and took < SECONDS_TO_REBUILD, f"{took:.1f} s {ran.stderr[-200:]}")
    expect(_image_id("bot") != before, "the image is the same as before")
    return f"{took:.1f} s"


def check_hardening(report: Report, stage: Stage) -> None:
    report.check("ours: not root, nothing writable, no raw sockets, no capabilities", lambda: from_inside(stage))
    report.check("every container: limits, no new privileges, read-only, rotated logs", lambda: as_configured(stage))
    report.check("no process runs as root", lambda: nobody_is_root(stage))
    report.check("nginx reaches no data store", lambda: nginx_sees_no_data(stage))
    report.check("Redis: a user per service, NOPERM for the rest", lambda: redis_users(stage))
    report.check("PostgreSQL: a role per duty", lambda: database_roles(stage))
    report.check("images: under 300 MB, no build tools, no sandbox", lambda: images(stage))
    report.check("a change of code alone is built in seconds", lambda: rebuilt_quickly(stage))
