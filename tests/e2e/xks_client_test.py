# SPDX-License-Identifier: Apache-2.0
"""The workers of external key stores: clavigerd starts with them and not
without, whatever their proxies do, and their program ends as it should."""

import json
import os
import signal
import stat
import subprocess
import unittest
import urllib.request

from testlib import Server, boto3_client
from testlib.clients import SECONDS
from testlib.faults import children, wait_until
from testlib.installed import Installed, free_port, require_locked_memory
from testlib.server import BIN, STOP_SECONDS


def nobody():
    """Where no proxy is."""
    return f"xks.example.com:443:127.0.0.1:{free_port()}"


def tables(server, **settings):
    """A file with the table about proxies that are asked."""
    path = server.folder / "xks.toml"
    path.write_text("[xks_client]\n" + "".join(
        f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    return str(path)


class Development(unittest.TestCase):

    def test_starts_with_proxies_that_are_down_and_leaves_nothing(self):
        with Server() as server:
            self.assertEqual(server.stop(), 0)
            server.options = ("--dev-xks", tables(
                server, connect_to=[nobody(),
                                    nobody().replace("xks", "other", 1)]))
            server.start()
            kms = boto3_client(server)
            key = kms.create_key()["KeyMetadata"]["KeyId"]
            kms.encrypt(KeyId=key, Plaintext=b"x")
            socket = server.dev / "xks.sock"
            self.assertTrue(stat.S_ISSOCK(os.stat(socket).st_mode))
            self.assertEqual(len(children(server.process.pid)), 2)
            # A second start finds its place free, and again has two.
            self.assertEqual(server.stop(), 0, server.log_text())
            self.assertFalse(socket.exists())
            server.start()
            self.assertEqual(len(children(server.process.pid)), 2)

    def test_has_no_such_workers_unless_asked(self):
        with Server() as server:
            self.assertFalse((server.dev / "xks.sock").exists())
            self.assertEqual(len(children(server.process.pid)), 1)

    def test_refuses_options_that_cannot_be(self):
        for options, reason in (
                ({"connect_to": ["xks.example.com:443:localhost:1"]},
                 "HOST:443:ADDRESS:PORT"),
                ({"ca_file": "/nowhere/ca.pem"}, "/nowhere/ca.pem"),
                ({"client_key": "/k"}, "client_certificate"),
                ({"allow_networks": ["10.0.0.0/8"]}, "connect_to")):
            with self.subTest(options):
                server = Server()
                server.options = ("--dev-xks", tables(server, **options))
                server.log.touch()  # close() looks into it.
                self.addCleanup(server.close)
                run = subprocess.run(
                    server.command(), capture_output=True, text=True,
                    stdin=subprocess.DEVNULL, timeout=SECONDS)
                self.assertNotEqual(run.returncode, 0)
                self.assertIn(reason, run.stderr + run.stdout)


class Configured(unittest.TestCase):

    def setUp(self):
        require_locked_memory()
        self.server = Installed()
        self.addCleanup(self.server.close)
        self.server.made()
        self.socket = self.server.run_folder / "xks.sock"
        with open(self.server.config, "a", encoding="utf-8") as config:
            config.write(f'\n[xks_client]\nsocket = "{self.socket}"\n'
                         f'workers = 2\nconnect_to = ["{nobody()}"]\n')

    def program(self, **options):
        return subprocess.Popen(
            [BIN / "claviger-hsm", "--config", self.server.config, "--xks"],
            stdin=subprocess.DEVNULL, **options)

    def ready_workers(self):
        with urllib.request.urlopen(self.server.endpoint + "/metrics",
                                    timeout=SECONDS) as metrics:
            [line] = [line for line in metrics.read().decode().splitlines()
                      if line.startswith("claviger_xks_ready_workers ")]
        return int(float(line.split()[1]))

    def test_clavigerd_starts_with_the_workers_and_not_without(self):
        with self.assertRaisesRegex(AssertionError, "xks.sock"):
            self.server.start()
        self.server.kill()
        workers = self.program(stderr=subprocess.DEVNULL)
        self.addCleanup(workers.wait)
        self.addCleanup(workers.kill)
        wait_until(self.socket.exists, "the workers' supervisor listens")
        self.server.start()
        self.assertEqual(len(children(workers.pid)), 2)
        kms = boto3_client(self.server)
        self.assertEqual(kms.list_keys()["Keys"], [])
        self.assertEqual(self.ready_workers(), 2)
        # The workers may go and come back; the token's are others.
        workers.send_signal(signal.SIGTERM)
        self.assertEqual(workers.wait(STOP_SECONDS), 0)
        self.assertFalse(self.socket.exists())
        wait_until(lambda: self.ready_workers() == 0, "the workers are missed")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.encrypt(KeyId=key, Plaintext=b"x")
        self.assertEqual(self.server.stop(), [0, 0])

    def test_is_refused_without_its_table(self):
        self.server.edit("[xks_client]\n", "[other]\n")
        run = subprocess.run(
            [BIN / "claviger-hsm", "--config", self.server.config, "--xks"],
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
            timeout=SECONDS)
        self.assertEqual(run.returncode, 1)
        self.assertIn("unknown key 'other'", run.stderr)
        text = self.server.config.read_text()
        self.server.config.write_text(text[:text.index("[other]")])
        run = subprocess.run(
            [BIN / "claviger-hsm", "--config", self.server.config, "--xks"],
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
            timeout=SECONDS)
        self.assertEqual(run.returncode, 1)
        self.assertIn("[xks_client]", run.stderr)


if __name__ == "__main__":
    unittest.main()
