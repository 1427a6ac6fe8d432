"""What a push would ask, written out: each request with its headers and body as they are, but for the token."""

from collections.abc import Iterator, Sequence

from provisioner.mdm import PushApi
from provisioner.push.calls import Call, Item
from provisioner.push.https import MASK, headers_of, server_url


def rehearse(items: Sequence[Item], server: str, api: PushApi) -> Iterator[bytes]:
    """The requests of a push, one after the other, and between them what decides. Raises InvalidInput for the server.

    A request is its method and URL, its headers, an empty line and its body.
    """
    base = server_url(server)
    for item in items:
        yield f"# {item.name}\n".encode()
        for step in item.rehearsal:
            yield _written(step, base, api) if isinstance(step, Call) else f"# {step}\n".encode()


def _written(call: Call, base: str, api: PushApi) -> bytes:
    headers = headers_of(call, f"{api.scheme} {MASK}")
    lines = [f"{call.method} {base}{call.path}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\n".join((*lines, "", "")).encode() + call.body + (b"\n\n" if call.body else b"")
