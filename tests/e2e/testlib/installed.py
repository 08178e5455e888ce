# SPDX-License-Identifier: Apache-2.0
"""A server made by `claviger init`: its folders, its two processes."""

import getpass
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from testlib.faults import wait_until
from testlib.server import BIN, START_SECONDS, STOP_SECONDS

PROGRAM = str(BIN / "claviger")
ACCOUNT = "123456789012"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def require_locked_memory():
    """Skips the test where a server that is no --dev server would refuse."""
    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    if os.geteuid() and limit != resource.RLIM_INFINITY and limit < 32 << 20:
        raise unittest.SkipTest(
            f"needs 32 MiB of locked memory, `ulimit -l` allows "
            f"{limit >> 10} KiB")


class Installed:
    """An Installed is a folder in which `claviger init` makes a server, and
    that server's claviger-hsm and clavigerd. Give it to the clients where they
    take a Server. close() stops the processes and removes the folder."""

    region = "us-east-1"

    def __init__(self):
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = pathlib.Path(
            tempfile.mkdtemp(prefix="claviger-init-", dir=base))
        self.config = self.folder / "etc/clavigerd.toml"
        self.state = self.folder / "state"
        self.tokens = self.folder / "hsm/tokens"
        self.softhsm_conf = self.folder / "etc/softhsm2.conf"
        self.pin_file = self.folder / "etc/pin"
        self.run_folder = self.folder / "run"
        self.credential_file = self.folder / "credential"
        self.log = self.folder / "clavigerd.log"
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.hsms = []  # One for each key store.
        self.daemon = None
        self.environment = {}  # What the credential file exports.

    @property
    def socket(self):
        return self.run_folder / "claviger/clavigerd.sock"

    def init_command(self, **other):
        """The command line; `other` replaces or (None) leaves out options, True is one without a value."""
        user = getpass.getuser()
        options = {
            "account": ACCOUNT, "config": self.config, "state": self.state,
            "token_dir": self.tokens, "softhsm_conf": self.softhsm_conf,
            "pin_file": self.pin_file, "run_dir": self.run_folder,
            "http": f"127.0.0.1:{self.port}", "user": user, "hsm_user": user,
            "credential_file": self.credential_file, **other}
        command = [PROGRAM, "init"]
        for name, value in options.items():
            if value is not None:
                command += ["--" + name.replace("_", "-"),
                            *([] if value is True else [str(value)])]
        return command

    def init(self, **other):
        return subprocess.run(
            self.init_command(**other), capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=START_SECONDS)

    def made(self):
        """init() that must succeed."""
        run = self.init()
        assert run.returncode == 0, run.stderr
        self.read_credential()
        return self

    def read_credential(self):
        for line in self.credential_file.read_text().splitlines():
            name, value = line.removeprefix("export ").split("=", 1)
            self.environment[name] = value.strip("'")
        self.environment["PATH"] = "/usr/bin:/bin"

    @property
    def access_key(self):
        return self.environment["AWS_ACCESS_KEY_ID"]

    @property
    def secret_key(self):
        return self.environment["AWS_SECRET_ACCESS_KEY"]

    def start(self):
        """Both daemons, as their units would start them."""
        require_locked_memory()
        for name in ("claviger", "claviger-hsm"):
            (self.run_folder / name).mkdir(parents=True, exist_ok=True)
        for name in self.key_stores():
            self.start_hsm(name)
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen(
                [BIN / "clavigerd", "--config", self.config],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                text=True)
        readable = select.select([self.daemon.stdout], [], [], START_SECONDS)
        line = self.daemon.stdout.readline() if readable[0] else ""
        if line != "clavigerd ready\n":
            self.kill()
            raise AssertionError(f"clavigerd said {line!r}\n{self.log_text()}")
        return self

    def key_stores(self):
        """The names in the configuration's [[key_store]] tables."""
        tables = self.config.read_text().split("[[key_store]]")[1:]
        return [re.search(r'^name = "(.*)"$', table, re.M)[1]
                for table in tables]

    def start_hsm(self, name):
        with open(self.folder / "claviger-hsm.log", "ab") as log:
            self.hsms.append(subprocess.Popen(
                [BIN / "claviger-hsm", "--config", self.config,
                 "--key-store", name],
                env={**os.environ, "SOFTHSM2_CONF": str(self.softhsm_conf)},
                stdin=subprocess.DEVNULL, stderr=log))
        wait_until((self.run_folder / f"claviger-hsm/{name}.sock").exists,
                   f"claviger-hsm listens for {name}")

    def log_text(self):
        return self.log.read_text(errors="replace")

    def reload(self):
        """Sends SIGHUP; returns what clavigerd has to say about it."""
        before = len(self.log_text())
        self.daemon.send_signal(signal.SIGHUP)
        return wait_until(
            lambda: next((line for line in
                          self.log_text()[before:].splitlines(True)
                          if "reloaded" in line and line.endswith("\n")), None),
            "clavigerd answers SIGHUP")

    def edit(self, old, new):
        """Replaces a piece of the configuration that must be there once."""
        text = self.config.read_text()
        assert text.count(old) == 1, f"{old!r} in {text}"
        self.config.write_text(text.replace(old, new))

    def stop(self):
        """Sends SIGTERM to all; returns their exit statuses."""
        statuses = []
        for process in (self.daemon, *self.hsms):
            process.terminate()
            statuses.append(process.wait(STOP_SECONDS))
        self.kill()
        return statuses

    def kill(self):
        for process in (self.daemon, *self.hsms):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        if self.daemon is not None:
            self.daemon.stdout.close()
        self.daemon, self.hsms = None, []

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def claviger(self, *words, **environment):
        """Runs the command line tool; returns the finished process."""
        return subprocess.run(
            [PROGRAM, *map(str, words)], capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=START_SECONDS,
            env={"PATH": "/usr/bin:/bin", **environment})

    def contents(self):
        """Everything in the folder: kinds, modes, bytes. Two that are equal:
        nothing was touched."""
        return {
            str(path.relative_to(self.folder)):
                (path.stat().st_mode,
                 path.read_bytes() if path.is_file() else None)
            for path in sorted(self.folder.rglob("*"))}
