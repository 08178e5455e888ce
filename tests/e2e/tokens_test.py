# SPDX-License-Identifier: Apache-2.0
"""Two tokens that share the keys of one key store: what either can do is done
while the other is dead, hung, unplugged or drained.

The second is a copy of the first: whatever pairs tokens, they then have the same
wrapping key."""

import json
import os
import shutil
import signal
import subprocess
import threading
import unittest

from testlib.case import b64
from testlib.clients import call, send
from testlib.faults import Threads, children, gone, strike, wait_until
from testlib.installed import Installed
from testlib.server import BIN, STOP_SECONDS

SECOND = """
[[key_store.further_token]]
name = "second"
module = "/usr/lib/softhsm/libsofthsm2.so"
token = "pkcs11:token=claviger"
pin_file = "{pin}"
lock_dir = "{run}/claviger-hsm"
socket = "{run}/claviger-hsm/main-second.sock"
workers = 2
drain = false
"""


class TwoTokens(Installed):
    """An Installed whose key store has a further token, "second"."""

    def __init__(self):
        super().__init__()
        self.second = None
        self.copy = self.folder / "second"
        self.copy_conf = self.folder / "etc/second.conf"

    def pair(self):
        """Starts once, so that there is a wrapping key, and copies the token."""
        self.edit('# placement = "wrapped"', 'placement = "wrapped"')
        self.start()
        self.stop()
        shutil.copytree(self.tokens, self.copy)
        self.copy_conf.write_text(f"directories.tokendir = {self.copy}\n")
        with open(self.config, "a") as config:
            config.write(SECOND.format(pin=self.pin_file, run=self.run_folder))
        return self

    def start_second(self):
        with open(self.folder / "second.log", "ab") as log:
            self.second = subprocess.Popen(
                [BIN / "claviger-hsm", "--config", self.config, "--key-store",
                 "main", "--token", "second"],
                env={**os.environ, "SOFTHSM2_CONF": str(self.copy_conf)},
                stdin=subprocess.DEVNULL, stderr=log)
        wait_until((self.run_folder / "claviger-hsm/main-second.sock").exists,
                   "the second claviger-hsm listens")

    def stop_second(self):
        self.second.terminate()
        status = self.second.wait(STOP_SECONDS)
        self.second = None
        return status

    def kill(self):
        if self.second is not None:
            for pid in (self.second.pid, *children(self.second.pid)):
                strike(pid, signal.SIGCONT)
            self.second.kill()
            self.second.wait()
            self.second = None
        super().kill()

    def tokens_by_name(self):
        run = self.claviger("call", "--endpoint", f"unix:{self.socket}",
                            "Claviger.Status")
        return {token["Name"]: token
                for token in json.loads(run.stdout)["Tokens"]}

    def wait_for(self, state, name="second"):
        wait_until(lambda: self.tokens_by_name()[name]["State"] == state,
                   f"token {name} is {state}")


class Encryptions(Threads):
    """Threads that encrypt and decrypt, and remember what was acknowledged."""

    THREADS = 8

    def __init__(self, server, key):
        super().__init__()
        self.server = server
        self.key = key
        self.lock = threading.Lock()
        self.blobs = []
        self.failures = []

    def _run(self):
        while not self._stop.is_set():
            reply = call(self.server, "Encrypt", {
                "KeyId": self.key, "Plaintext": b64(b"kept")})
            with self.lock:
                if reply.status == 200:
                    self.blobs.append(reply.json["CiphertextBlob"])
                else:
                    self.failures.append(reply.text)

    def wait_for_more(self, count=100):
        target = len(self.blobs) + count
        wait_until(lambda: len(self.blobs) >= target, "it goes on")


class TokensTest(unittest.TestCase):

    def setUp(self):
        self.server = TwoTokens()
        self.addCleanup(self.server.close)
        self.server.made()
        self.server.pair()
        self.server.start_second()
        self.server.start()
        self.server.wait_for("serving")
        self.key = self.ask("CreateKey")["KeyMetadata"]["KeyId"]

    def ask(self, operation, **request):
        reply = call(self.server, operation, request)
        self.assertEqual(reply.status, 200, reply.text)
        return reply.json

    def check(self, blobs):
        for blob in blobs:
            self.assertEqual(
                self.ask("Decrypt", CiphertextBlob=blob)["Plaintext"],
                b64(b"kept"))

    def encrypt_during(self, fault, after=lambda: None):
        """What was lost by `fault`, under load; `after` belongs to it."""
        with Encryptions(self.server, self.key) as load:
            load.wait_for_more()
            fault()
            load.wait_for_more()
            after()
            load.wait_for_more()
        self.check(load.blobs)
        return load.failures

    def test_both_tokens_do_the_work(self):
        before = {name: self.calls(name) for name in ("home", "second")}
        self.assertEqual(self.encrypt_during(lambda: None), [])
        for name, count in before.items():
            self.assertGreater(self.calls(name), count + 50, name)

    def calls(self, token):
        page = send(self.server, "GET", "/metrics").text
        label = f'claviger_hsm_token_calls{{key_store="main",token="{token}"}} '
        [line] = [line for line in page.splitlines() if line.startswith(label)]
        return float(line.removeprefix(label))

    def test_the_second_token_dies_under_load(self):
        def die():
            pids = children(self.server.second.pid)
            strike(self.server.second.pid)
            self.server.second.wait()
            wait_until(lambda: all(map(gone, pids)), "its workers have ended")

        def come_back():
            self.server.start_second()
            self.server.wait_for("serving")

        failures = self.encrypt_during(die, come_back)
        self.assertEqual(failures, [], "they are done again by the other")

    def test_the_home_token_dies_under_load(self):
        def die():
            home = self.server.hsms[0]
            pids = children(home.pid)
            strike(home.pid)
            home.wait()
            wait_until(lambda: all(map(gone, pids)), "its workers have ended")

        failures = self.encrypt_during(die)
        self.assertEqual(failures, [])
        # New wrapped keys are made all the same.
        self.ask("CreateKey")
        self.assertEqual(self.server.tokens_by_name()["home"]["State"], "down")

    def test_a_worker_dies_under_load(self):
        def die():
            strike(children(self.server.second.pid)[0])

        self.assertEqual(self.encrypt_during(die), [])

    def test_the_second_token_hangs_under_load(self):
        def hang():
            for pid in (self.server.second.pid,
                        *children(self.server.second.pid)):
                strike(pid, signal.SIGSTOP)

        def noticed():
            # The slow worker may take minutes before it is given up.
            wait_until(lambda: self.server.tokens_by_name()["second"][
                "ReadyWorkers"] <= 1, "it is noticed")

        failures = self.encrypt_during(hang, noticed)
        self.assertLessEqual(len(failures), Encryptions.THREADS)
        self.assertIn("token second: worker", self.server.log_text())

    def test_a_drained_token_may_be_stopped_and_taken_out(self):
        self.server.edit("drain = false", "drain = true")

        def drain():
            self.assertIn("configuration reloaded", self.server.reload())
            self.server.wait_for("drained")
            self.assertEqual(self.server.stop_second(), 0)

        self.assertEqual(self.encrypt_during(drain), [])
        text = self.server.config.read_text()
        self.server.config.write_text(text[:text.index(SECOND[:20])])
        self.assertIn("configuration reloaded", self.server.reload())
        wait_until(lambda: "second" not in self.server.tokens_by_name(),
                   "it was taken out")
        self.assertIn("token second was taken out", self.server.log_text())

    def test_a_token_of_another_key_store_is_kept_out(self):
        self.server.stop_second()
        self.server.stop()
        shutil.rmtree(self.server.copy)
        other = Installed()
        self.addCleanup(other.close)
        other.made()
        shutil.copytree(other.tokens, self.server.copy)
        text = self.server.config.read_text()
        start = text.index("[[key_store.further_token]]")
        self.server.config.write_text(text[:start] + text[start:].replace(
            str(self.server.pin_file), str(other.pin_file)))
        self.server.start_second()
        self.server.start()
        self.server.wait_for("kept out")
        wait_until(lambda: "docs/pairing.md" in
                   self.server.tokens_by_name()["second"]["Reason"],
                   "it says how to mend it")
        blob = self.ask("Encrypt", KeyId=self.key, Plaintext=b64(b"kept"))
        self.check([blob["CiphertextBlob"]])
        said = self.server.claviger(
            "status", "--endpoint", f"unix:{self.server.socket}").stdout
        self.assertIn("token second", said)
        self.assertIn("kept out: it does not have the wrapping key", said)


if __name__ == "__main__":
    unittest.main()
