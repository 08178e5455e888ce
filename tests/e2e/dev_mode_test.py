# SPDX-License-Identifier: Apache-2.0
"""clavigerd --dev: what it prints, exports, keeps and refuses."""

import json
import os
import pathlib
import signal
import stat
import subprocess
import tempfile
import time
import unittest

from testlib import (BIN, Server, ServerCase, aws_environment, boto3_client,
                     call, loopback)
from testlib.server import STOP_SECONDS


class Environment(ServerCase):

    def test_exports_what_clients_need_and_nothing_that_captures_others(self):
        exported = {name for name in self.server.environment
                    if name.startswith(("AWS_", "CLAVIGER_"))}
        self.assertEqual(exported, {
            "AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL_STS",
            "AWS_ENDPOINT_URL_IAM", "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION",
            "CLAVIGER_ENDPOINT", "CLAVIGER_SOCKET"})
        for name in exported:
            if "ENDPOINT" in name:
                self.assertEqual(self.server.environment[name],
                                 loopback(self.server.endpoint))

    def test_takes_away_what_would_override_it(self):
        shown = subprocess.run(
            ["/bin/sh", "-c", '. "$1" && env', "sh", self.server.env_file],
            env={"PATH": "/usr/bin:/bin", "AWS_SESSION_TOKEN": "x",
                 "AWS_PROFILE": "y"}, check=True, capture_output=True,
            text=True).stdout
        self.assertNotIn("AWS_SESSION_TOKEN", shown)
        self.assertNotIn("AWS_PROFILE", shown)

    def test_secrets_are_for_the_owner_alone(self):
        for path in (self.server.env_file, self.server.dev / "pin"):
            mode = stat.S_IMODE(os.stat(path).st_mode)
            self.assertEqual(mode & 0o077, 0, f"{path}: {mode:o}")
        self.assertEqual(stat.S_IMODE(os.stat(self.server.dev).st_mode), 0o700)

    def test_claviger_aws_is_on_the_path_and_goes_to_us(self):
        run = subprocess.run(
            ["claviger-aws", "kms", "create-key", "--output", "json"],
            env=aws_environment(self.server), check=True, capture_output=True,
            text=True, timeout=120)
        key = json.loads(run.stdout)["KeyMetadata"]
        self.assertEqual(key["Arn"], self.key_arn(key["KeyId"]))

    def test_the_unix_socket_is_there(self):
        path = self.server.environment["CLAVIGER_SOCKET"]
        self.assertTrue(stat.S_ISSOCK(os.stat(path).st_mode))

    def test_every_process_forbids_core_dumps(self):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/limits")
        [core] = [line for line in status.read_text().splitlines()
                  if line.startswith("Max core file size")]
        self.assertEqual(core.split()[4:6], ["0", "0"])


def descendants(pid):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1]
                         .split()[1])
        except (OSError, IndexError, ValueError):
            continue
        if parent == pid:
            found += [int(entry.name), *descendants(int(entry.name))]
    return found


class Restart(unittest.TestCase):

    def test_sigterm_ends_it_and_a_second_start_finds_everything(self):
        with Server() as server:
            kms = boto3_client(server)
            key = kms.create_key(Description="kept")["KeyMetadata"]
            kms.create_alias(AliasName="alias/kept", TargetKeyId=key["KeyId"])
            blob = kms.encrypt(KeyId=key["KeyId"],
                               Plaintext=b"kept")["CiphertextBlob"]
            credentials = server.access_key, server.secret_key
            self.assertEqual(server.stop(), 0, server.log_text())

            server.start()
            self.assertEqual((server.access_key, server.secret_key),
                             credentials)
            kms = boto3_client(server)
            self.assertEqual(
                kms.decrypt(CiphertextBlob=blob)["Plaintext"], b"kept")
            self.assertEqual(kms.describe_key(KeyId="alias/kept")
                             ["KeyMetadata"], key)

    def test_nothing_acknowledged_is_lost_by_a_kill(self):
        with Server() as server:
            kms = boto3_client(server)
            kept = []
            for _ in range(3):
                for _ in range(3):
                    key = kms.create_key()["KeyMetadata"]["KeyId"]
                    kept.append(kms.encrypt(
                        KeyId=key, Plaintext=b"x")["CiphertextBlob"])
                server.process.send_signal(signal.SIGKILL)
                server.process.wait(STOP_SECONDS)
                server.kill()
                server.start()
                kms = boto3_client(server)
                for blob in kept:
                    self.assertEqual(
                        kms.decrypt(CiphertextBlob=blob)["Plaintext"], b"x")

    def test_a_second_server_on_the_same_folder_is_refused(self):
        with Server() as server:
            second = subprocess.run(
                server.command(), capture_output=True, text=True,
                stdin=subprocess.DEVNULL, timeout=120)
            self.assertNotEqual(second.returncode, 0)
            self.assertNotIn("clavigerd ready", second.stdout)
            self.assertNotEqual(second.stderr, "")
            self.assertEqual(call(server, "ListKeys", {}).status, 200)

    def test_leaves_no_process_behind(self):
        with Server() as server:
            group = descendants(server.process.pid)
            self.assertGreater(len(group), 0, "no worker process was seen")
            self.assertEqual(server.stop(), 0)
            for pid in group:
                self.assertFalse(
                    self.is_ours(pid, server), f"process {pid} is still there")

    def test_a_kill_while_workers_hang_is_no_obstacle(self):
        with Server() as server:
            kms = boto3_client(server)
            key = kms.create_key()["KeyMetadata"]["KeyId"]
            blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
            _, *workers = descendants(server.process.pid)
            self.assertEqual(len(workers), 3)
            for pid in workers:
                os.kill(pid, signal.SIGSTOP)
            server.kill()
            server.start()
            self.assertEqual(boto3_client(server).decrypt(
                CiphertextBlob=blob)["Plaintext"], b"x")
            self.are_gone(workers, server)

    def test_claviger_hsm_that_hangs_keeps_nobody_from_stopping(self):
        with Server() as server:
            supervisor, *workers = descendants(server.process.pid)
            os.kill(supervisor, signal.SIGSTOP)
            self.assertEqual(server.stop(), 0, server.log_text())
            self.are_gone([supervisor, *workers], server)
            server.start()

    def are_gone(self, pids, server):
        """They were killed, which takes them a moment."""
        deadline = time.monotonic() + STOP_SECONDS
        while any(self.is_ours(pid, server) for pid in pids):
            self.assertLess(time.monotonic(), deadline, pids)
            time.sleep(0.02)

    def is_ours(self, pid, server):
        try:
            return b"claviger" in pathlib.Path(
                f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False


class Refusals(unittest.TestCase):
    """What a folder that is there does not go with."""

    def refused(self, server, *options):
        """Why; nothing that tells of the server's credential changes."""
        kept = [server.dev / name for name in ("access-key", "env", "pin")]
        before = [path.exists() and path.read_bytes() for path in kept]
        run = subprocess.run(
            [*server.command(), *options], capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=120)
        self.assertNotEqual(run.returncode, 0, options)
        self.assertNotIn("clavigerd ready", run.stdout)
        self.assertEqual(
            [path.exists() and path.read_bytes() for path in kept], before)
        return run.stderr

    def lets_in(self, server):
        self.assertEqual(boto3_client(server).list_keys()["Keys"], [])
        self.assertEqual((server.dev / "access-key").read_text(),
                         f"{server.access_key}:{server.secret_key}")

    def test_the_credential_in_env_is_always_good(self):
        own = "AKIADEVELOPMENTONLY1"
        file = "access-key"
        with Server() as server:
            first = server.access_key, server.secret_key
            server.stop()
            server.options = ("--dev-access-key", f"{own}:one")
            server.start()
            self.assertEqual((server.access_key, server.secret_key),
                             (own, "one"))
            self.lets_in(server)
            server.stop()
            server.options = ()
            for pair, why in ((f"{own}:two", "has another secret"),
                              ("AKIADEVELOPMENTONLY2:x",
                               f"{first[0]} or {own}"),
                              (f"{own}:a b", "must be ID:SECRET"),
                              ("a/b:c", "must be ID:SECRET")):
                self.assertIn(why, self.refused(server, "--dev-access-key",
                                                pair))
            (server.dev / file).write_text("garbage")
            self.assertIn(f"{file} does not hold ID:SECRET",
                          self.refused(server))
            (server.dev / file).unlink()
            self.assertIn(f"start with {first[0]} or", self.refused(server))
            server.options = ("--dev-access-key", ":".join(first))
            server.start()
            self.lets_in(server)

    def test_no_pin_is_made_for_a_token_that_is_there(self):
        with Server() as server:
            server.stop()
            pin, elsewhere = server.dev / "pin", server.folder / "pin"
            pin.rename(elsewhere)
            self.assertIn(f"the PIN file {pin} is missing; restore it, or "
                          f"remove {server.dev} to begin anew",
                          self.refused(server))
            elsewhere.rename(pin)
            server.start()
            self.lets_in(server)

    def test_another_account(self):
        with Server("--account", "123456789012") as server:
            server.stop()
            server.options = ()
            why = self.refused(server, "--account", "210987654321")
            self.assertIn("made for the account 123456789012, not for "
                          "210987654321", why)
            self.assertIn("--account 123456789012", self.refused(server))
            server.options = ("--account", "123456789012")
            server.start()
            self.lets_in(server)

    def test_a_credential_that_was_lost_is_followed_by_another(self):
        with Server() as server:
            lost = server.access_key
            server.stop()
            (server.dev / "access-key").unlink()
            server.start()
            self.assertNotEqual(server.access_key, lost)
            self.lets_in(server)


class Options(unittest.TestCase):

    def test_a_credential_and_an_account_of_ones_own(self):
        secret = "development/only+secret=of-forty-letters"
        with Server("--dev-access-key", f"AKIADEVELOPMENTONLY1:{secret}",
                    "--account", "123456789012") as server:
            self.assertEqual(server.access_key, "AKIADEVELOPMENTONLY1")
            self.assertEqual(server.secret_key, secret)
            key = boto3_client(server).create_key()["KeyMetadata"]
            self.assertEqual(key["AWSAccountId"], "123456789012")
            self.assertIn(":123456789012:key/", key["Arn"])

    def test_a_relative_folder_is_made_absolute(self):
        class Relative(Server):
            def command(self):
                return ["/bin/sh", "-c", 'cd "$1" && shift && exec "$@"', "sh",
                        str(self.folder), str(BIN / "clavigerd"), "--dev",
                        "--dev-dir", "./dev/", "--listen", self.listen]

        with Relative() as server:
            self.assertEqual(server.env_file, str(server.dev / "env"))
            self.assertEqual(server.environment["CLAVIGER_SOCKET"],
                             str(server.dev / "clavigerd.sock"))
            self.assertEqual(server.environment["PATH"].split(":")[0],
                             str(server.dev / "bin"))

    def test_an_address_of_ipv6(self):
        server = Server()
        server.listen = "[::1]:0"
        with server:
            self.assertRegex(server.endpoint, r"^http://\[::1\]:\d+$")
            self.assertEqual(server.environment["CLAVIGER_ENDPOINT"],
                             server.endpoint)
            self.assertEqual(call(server, "ListKeys", {}).status, 200)
            run = subprocess.run(
                [BIN / "claviger", "call", "ListKeys"],
                env=server.environment, capture_output=True, text=True,
                timeout=120)
            self.assertEqual(run.returncode, 0, run.stderr)

    def refused(self, *options):
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run(
                [BIN / "clavigerd", "--dev", "--dev-dir", folder + "/dev",
                 *options], capture_output=True, text=True,
                stdin=subprocess.DEVNULL, timeout=120)
        self.assertNotEqual(run.returncode, 0, options)
        self.assertNotIn("clavigerd ready", run.stdout)
        return run.stderr

    def test_never_serves_beyond_this_machine(self):
        for address in ("0.0.0.0:0", "192.0.2.1:0", "[::]:0", "nonsense",
                        "127.0.0.1", "127.0.0.1:99999"):
            with self.subTest(address):
                self.assertNotEqual(self.refused("--listen", address), "")

    def test_refuses_bad_options(self):
        for options in (["--account", "12"], ["--account", "12345678901x"],
                        ["--dev-access-key", "no-colon"], ["--no-such-option"],
                        ["--config", "/absent"], ["--state", "/absent"]):
            with self.subTest(options=options):
                self.assertNotEqual(
                    self.refused("--listen", "127.0.0.1:0", *options), "")


if __name__ == "__main__":
    unittest.main()
