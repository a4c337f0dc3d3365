"""A real S3 API on loopback (moto), and the environment that leads to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest
from moto.server import ThreadedMotoServer

_SIGNED = "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
_HEADERS = {"Authorization": _SIGNED, "Content-Type": "application/json"}
_PUBLIC = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}
        ],
    }
).encode()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3 API with one bucket, ``bucket``, in it, which anybody may read."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    _, port = moto.get_host_and_port()
    url = f"http://127.0.0.1:{port}"
    for place, body in (("bucket", b""), ("bucket?policy", _PUBLIC)):
        with urlopen(Request(f"{url}/{place}", body, method="PUT", headers=_HEADERS)):
            pass
    yield url
    moto.stop()


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """``s3://bucket``, with the environment that opens it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)
    for name, value in {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "very-secret", "REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    return "s3://bucket"
