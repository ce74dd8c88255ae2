"""Two clones that share results by a remote: a folder, or a bucket of moto's server of S3 in this process."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from tests.support.repository import Repository

MAKE = ["make", "--silent", "--old-file", ".venv/bin/.installed"]  # with the environment of these tests
BUCKET = "team"


class Server:
    """A server of S3 with one bucket, and the environment by which its users find it."""

    def __init__(self) -> None:
        self.server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        self.server.start()
        self.address = "http://{}:{}".format(*self.server.get_host_and_port())
        self.keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
        self.environment = self.keys | {"AWS_ENDPOINT_URL": self.address}
        keys = {name.lower(): value for name, value in self.keys.items()}
        self.client: Any = boto3.client("s3", endpoint_url=self.address, region_name="us-east-1", **keys)
        self.client.create_bucket(Bucket=BUCKET)

    def refuse(self, prefix: str) -> None:
        """Let nobody write what starts so."""
        resource = f"arn:aws:s3:::{BUCKET}/{prefix}*"
        statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": resource}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))

    def allow(self) -> None:
        self.client.delete_bucket_policy(Bucket=BUCKET)


class Folder:
    """A remote in a folder."""

    environment: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, path: Path) -> None:
        self.url, self.path = str(path), path

    def names(self) -> list[str]:
        return [path.relative_to(self.path).as_posix() for path in sorted(self.path.rglob("*")) if path.is_file()]

    def damage(self, name: str) -> None:
        """Change a byte of a file, as a disk may: neither its rights nor its size."""
        path = self.path / name
        content, mode = path.read_bytes(), path.stat().st_mode
        path.unlink()
        path.write_bytes(changed(content))
        path.chmod(mode)

    def remove(self, name: str) -> None:
        (self.path / name).unlink()


class Bucket:
    """A remote in a server's bucket."""

    def __init__(self, server: Server, prefix: str) -> None:
        self.url, self.server, self.prefix = f"s3://{BUCKET}/{prefix}", server, f"{prefix}/"
        self.environment = server.environment

    def names(self) -> list[str]:
        found = self.server.client.list_objects_v2(Bucket=BUCKET, Prefix=self.prefix).get("Contents", [])
        return [each["Key"].removeprefix(self.prefix) for each in found]

    def damage(self, name: str) -> None:
        key = {"Bucket": BUCKET, "Key": self.prefix + name}
        content = self.server.client.get_object(**key)["Body"].read()
        self.server.client.put_object(**key, Body=changed(content))

    def remove(self, name: str) -> None:
        self.server.client.delete_object(Bucket=BUCKET, Key=self.prefix + name)


def changed(content: bytes) -> bytes:
    """Return the same with another byte in its middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def clone(project: Path, folder: Path) -> Path:
    """Clone what Git keeps of a project, as a stranger does."""
    subprocess.run(["git", "clone", "--quiet", project, folder], check=True)
    return folder


def make(folder: Path, target: str, remote: str = "", **environment: str) -> str:
    """Return what `make share` or `make fetch` says, or another target."""
    return Repository.run_in(folder, *MAKE, target, *([f"REMOTE={remote}"] if remote else []), **environment)


def fails(folder: Path, target: str, remote: str = "", **environment: str) -> str:
    """Return the error of a `make share` or `make fetch` that fails, one or two lines."""
    command = [*MAKE, target, *([f"REMOTE={remote}"] if remote else [])]
    variables = Repository.environment() | environment
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    assert done.returncode, done.stdout
    error = re.sub(r"^make(\[\d+\])?: \*\*\*.*\n", "", done.stderr, flags=re.MULTILINE)
    assert error.startswith("error: "), error
    assert len(error.splitlines()) <= 2, error
    return error


def weights(folder: Path) -> dict[str, bytes]:
    """Return all weights in a project, by their paths."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("models/*/*.safetensors")}
