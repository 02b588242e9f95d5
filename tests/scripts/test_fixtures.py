"""The ground that all other tests stand on."""

import socket
from urllib.parse import urlsplit

import asyncpg
import pytest


def plain(url: str) -> str:
    return url.replace("+asyncpg", "")


async def test_a_database_of_a_test_is_new_and_gone_afterwards(database_farm) -> None:
    name = database_farm.grow("template0")
    connection = await asyncpg.connect(plain(database_farm.server.url(name)))
    assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    await connection.close()

    database_farm.drop(name)

    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(plain(database_farm.server.url(name)))


async def test_vectors_can_be_stored(empty_database_url) -> None:
    connection = await asyncpg.connect(plain(empty_database_url))
    await connection.execute("CREATE EXTENSION vector")
    assert await connection.fetchval("SELECT '[1,2]'::vector::text") == "[1,2]"
    await connection.close()


async def test_a_wrong_password_does_not_open_the_database(postgres_server) -> None:
    address = urlsplit(postgres_server.url(scheme="postgresql"))
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(host=address.hostname, port=address.port, user=address.username, password="wrong", database="vitte")


def test_redis_wants_its_password_and_starts_empty(redis_url, redis_server) -> None:
    assert redis_server.ask(b"DBSIZE\r\n") == b":0\r\n"
    with socket.create_connection(("127.0.0.1", redis_server.port)) as line:
        line.sendall(b"DBSIZE\r\n")
        assert line.recv(64).startswith(b"-NOAUTH")


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org", "2001:db8::1"])
def test_no_test_leaves_this_machine(host) -> None:
    with pytest.raises(Exception, match="loopback only"):
        socket.create_connection((host, 9), timeout=1)
