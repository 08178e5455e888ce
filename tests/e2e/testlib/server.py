# SPDX-License-Identifier: Apache-2.0
"""One clavigerd --dev and its temporary folder."""

import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

BIN = pathlib.Path(os.environ.get("CLAVIGER_BIN_DIR", "build/dev/bin")).resolve()

# A start makes a token, a store and keys. Nothing asserts how long that takes;
# this only ends a test whose server hangs.
START_SECONDS = 120
STOP_SECONDS = 60

READY = re.compile(
    r"^clavigerd ready (http://(?:127\.0\.0\.1|\[::1\]):\d+) env=(.+)$")


class Server:
    """A Server is a clavigerd --dev process, and what its env file exports.

    Use it as a context manager, or call start() and close(). stop() and start()
    restart it on the same folder; close() also removes the folder, unless the
    caller gave it.
    """

    listen = "127.0.0.1:0"

    def __init__(self, *options, folder=None):
        self.options = options
        self.own_folder = folder is None
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = pathlib.Path(
            folder or tempfile.mkdtemp(prefix="claviger-e2e-", dir=base))
        self.dev = self.folder / "dev"
        self.log = self.folder / "clavigerd.log"
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def command(self):
        return [str(BIN / "clavigerd"), "--dev", "--dev-dir", str(self.dev),
                "--listen", self.listen, *self.options]

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=log, text=True)
        line = self._first_line()
        ready = READY.match(line)
        if not ready:
            self.kill()
            raise RuntimeError(f"clavigerd said {line!r}\n{self.log_text()}")
        self.endpoint, self.env_file = ready.groups()
        self.environment = self._exports()
        return self

    def _first_line(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if select.select([self.process.stdout], [], [], 1)[0]:
                return self.process.stdout.readline().rstrip("\n")
            if self.process.poll() is not None:
                break
        return ""

    def _exports(self):
        """What sourcing DIR/env in an empty shell exports."""
        shown = subprocess.run(
            ["/bin/sh", "-c", '. "$1" && env -0', "sh", self.env_file],
            env={"PATH": "/usr/bin:/bin"}, check=True,
            capture_output=True, text=True).stdout
        return dict(item.split("=", 1) for item in shown.split("\0") if item)

    @property
    def access_key(self):
        return self.environment["AWS_ACCESS_KEY_ID"]

    @property
    def secret_key(self):
        return self.environment["AWS_SECRET_ACCESS_KEY"]

    @property
    def region(self):
        return self.environment["AWS_REGION"]

    def log_text(self):
        return self.log.read_text(errors="replace")

    def stop(self):
        """Sends SIGTERM and returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            self.kill()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def close(self):
        status = None
        try:
            if self.process and self.process.poll() is None:
                status = self.stop()
        finally:
            if self.own_folder:
                log = self.log_text()
                shutil.rmtree(self.folder, ignore_errors=True)
        if status not in (None, 0):
            raise RuntimeError(f"clavigerd ended with {status}\n{log}")
