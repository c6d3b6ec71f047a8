"""How Amazon's certificates are fetched: over verified TLS only, and never from a server that is silent or endless."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from agent_sre.adapters.sns_signature.certificates import MAX_BYTES, fetch_over_https
from agent_sre.domain.errors import PermanentError, TemporaryError

PATH = "/SimpleNotificationService-0123456789abcdef.pem"
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody trusts, with its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    file = tmp_path / "server.pem"
    file.write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + made.sign(private, SHA256()).public_bytes(Encoding.PEM)
    )
    return file


@asynccontextmanager
async def serving(answer: Answer, keys: Path | None) -> AsyncIterator[tuple[str, list[int]]]:
    """A server's host and port, and how often it was spoken to in full."""
    context = None
    if keys is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(keys)
    spoken: list[int] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        spoken.append(1)
        try:
            await answer(reader, writer)
        except (ConnectionError, ssl.SSLError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", spoken


def says(content: bytes, status: str = "200 OK") -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + content)
        await writer.drain()

    return answer


async def test_a_server_that_nobody_vouches_for_is_not_believed(keys: Path) -> None:
    async with serving(says(b"pem"), keys) as (host, spoken):
        with pytest.raises(TemporaryError, match="cannot be reached"):
            await fetch_over_https(host, PATH)
        assert spoken == [], "the handshake fails, so nothing is said"


async def test_plain_http_is_not_spoken() -> None:
    async def at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\npem")
        await writer.drain()

    async with serving(at_once, None) as (host, _):
        with pytest.raises(TemporaryError):
            await fetch_over_https(host, PATH)


async def test_a_trusted_server_is_read(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(keys))
    async with serving(says(b"pem"), keys) as (host, _):
        assert await fetch_over_https(host, PATH) == b"pem"


@pytest.mark.parametrize(
    ("content", "status", "problem"),
    [
        (b"x" * (MAX_BYTES + 1), "200 OK", "longer than"),
        (b"no", "404 Not Found", "404"),
        (b"", "301 Moved Permanently\r\nLocation: https://evil.example/", "not followed"),
    ],
)
async def test_an_answer_that_is_no_certificate_is_final(
    keys: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, status: str, problem: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(keys))
    async with serving(says(content, status), keys) as (host, _):
        with pytest.raises(PermanentError, match=problem):
            await fetch_over_https(host, PATH)
