# SPDX-License-Identifier: Apache-2.0
"""What the tests of faults have in common: servers on a real disk, their
processes, a load on them, and what must hold after every fault."""

import http.client
import itertools
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from testlib.case import b64
from testlib.clients import call, send
from testlib.server import BIN, Server

# Nothing asserts how long something takes: this ends a test that hangs.
PATIENCE_SECONDS = 120
POLL_SECONDS = 0.02


def wait_until(condition, what):
    """Returns the first true value of condition()."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"waited in vain until {what}")


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in task.read_text().split()]
    return found


def supervisor_of(server):
    [pid] = children(server.process.pid)
    return pid


def workers_of(server):
    """The workers that have opened their token, by their process ids."""
    return children(supervisor_of(server))


def family(server):
    """The server, its supervisor, its workers."""
    below = children(server.process.pid)
    return [server.process.pid, *below,
            *itertools.chain.from_iterable(map(children, below))]


def strike(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def gone(pid):
    """Whether this process has ended; a zombie has."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return state.rsplit(")", 1)[1].split()[0] == "Z"


def audit_records(server):
    """Everything in the server's audit log, in order."""
    for path in sorted((server.dev / "audit").iterdir()):
        for line in path.read_bytes().rstrip(b"\0").splitlines():
            if line.startswith(b"{") and line.endswith(b"}"):
                yield json.loads(line)


class FaultCase(unittest.TestCase):
    """Tests that hurt servers of their own."""

    def new_server(self, *options):
        """A server that is not started, with its state on a real disk."""
        folder = tempfile.mkdtemp(prefix="claviger-faults-", dir="/var/tmp")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        server = Server(*options, folder=folder)
        self.addCleanup(self.end, server)
        return server

    @staticmethod
    def end(server):
        if server.process is None:
            return
        pids = family(server) if server.process.poll() is None else []
        for pid in pids:
            strike(pid, signal.SIGCONT)
        server.kill()
        wait_until(lambda: all(map(gone, pids)), "the workers have ended")

    def kill_all(self, server):
        """kill -9 of clavigerd, the supervisor and the workers at once."""
        pids = family(server)
        for pid in pids:
            strike(pid)
        server.kill()
        wait_until(lambda: all(map(gone, pids)), "all processes have ended")

    def ask(self, server, operation, **request):
        """A call that must succeed; returns the reply's JSON."""
        reply = call(server, operation, request)
        self.assertEqual(reply.status, 200, reply.text)
        return reply.json

    def new_key(self, server):
        """A key and a ciphertext of "kept" under it."""
        key = self.ask(server, "CreateKey")["KeyMetadata"]["KeyId"]
        blob = self.ask(server, "Encrypt", KeyId=key, Plaintext=b64(b"kept"))
        return key, blob["CiphertextBlob"]

    def check_kept(self, server, keys):
        for key, blob in keys:
            reply = self.ask(server, "Decrypt", CiphertextBlob=blob)
            self.assertEqual(reply["Plaintext"], b64(b"kept"))
            self.assertTrue(reply["KeyId"].endswith(key))

    def check_audit(self, server):
        run = subprocess.run(
            [BIN / "claviger", "audit", "verify", server.dev / "audit"],
            capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def check_created_once(self, server, keys):
        """Every key stands in exactly one successful CreateKey record."""
        created = [record["resources"][0]["ARN"].rpartition("/")[2]
                   for record in audit_records(server)
                   if record.get("eventName") == "CreateKey"
                   and "errorCode" not in record]
        for key in keys:
            self.assertEqual(created.count(key), 1, key)
        self.assertEqual(len(created), len(set(created)))

    def check_nothing_unknown(self, server):
        """No start found keys that only the token or only the store knows."""
        for words in ("are not on the token", "are not in the store"):
            self.assertNotIn(words, server.log_text())

    def limit(self, server, size):
        """The largest offset at which clavigerd may write a file."""
        _, hard = resource.prlimit(server.process.pid,
                                   resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE,
                         (size, hard))

    def start_refused(self, server):
        """What a server that must not start says."""
        run = subprocess.run(server.command(), capture_output=True, text=True,
                             stdin=subprocess.DEVNULL,
                             timeout=PATIENCE_SECONDS)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertNotIn("clavigerd ready", run.stdout)
        return run.stderr

    def ready(self, server):
        return send(server, "GET", "/readyz").status == 200

    def wait_ready(self, server):
        wait_until(lambda: self.ready(server), "/readyz says 200")

    def token_objects(self, server):
        """The names of all files in the token's folder."""
        return {str(path.relative_to(server.dev / "tokens"))
                for path in (server.dev / "tokens").rglob("*.object")}


class Threads:
    """Threads that do _run() until `_stop` is set, at the end of the context."""

    THREADS = 3

    def __init__(self):
        self._numbers = itertools.count()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run)
                         for _ in range(self.THREADS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()


class Load(Threads):
    """Threads that make keys and aliases, encrypt and rotate, and remember what
    was acknowledged. Failed calls are counted and tried again."""

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.kept = []  # (key, ciphertext of "kept")
        self.created = []  # All acknowledged keys.
        self.aliases = {}  # Name: key.
        self.rotated = []  # Keys whose one rotation was acknowledged.
        self.failures = 0
        self.wrong = []  # Replies that no fault excuses.

    @property
    def acknowledged(self):
        return len(self.created) + len(self.kept) + len(self.aliases)

    def _run(self):
        while not self._stop.is_set():
            try:
                self._round()
            except (OSError, http.client.HTTPException):
                self.failures += 1
                self._stop.wait(POLL_SECONDS)

    def _round(self):
        made = self._call("CreateKey")
        if made is None:
            return
        key = made["KeyMetadata"]["KeyId"]
        self.created.append(key)
        name = f"alias/load-{next(self._numbers)}"
        if self._call("CreateAlias", AliasName=name,
                      TargetKeyId=key) is not None:
            self.aliases[name] = key
        sealed = self._call("Encrypt", KeyId=key, Plaintext=b64(b"kept"))
        if sealed is not None:
            self.kept.append((key, sealed["CiphertextBlob"]))
        if self._call("RotateKeyOnDemand", KeyId=key) is None:
            return
        self.rotated.append(key)
        sealed = self._call("Encrypt", KeyId=key, Plaintext=b64(b"kept"))
        if sealed is not None:
            self.kept.append((key, sealed["CiphertextBlob"]))

    def _call(self, operation, **request):
        """The reply, or None if the server could not serve."""
        reply = call(self.server, operation, request)
        if reply.status == 200:
            return reply.json or {}
        if reply.status != 500:
            self.wrong.append(f"{operation}: {reply.status} {reply.text}")
        self.failures += 1
        self._stop.wait(POLL_SECONDS)
        return None
