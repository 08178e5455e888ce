# SPDX-License-Identifier: Apache-2.0
"""claviger init, and the server that it makes."""

import json
import os
import pathlib
import shutil
import sqlite3
import stat
import subprocess
import unittest

from testlib import aws_cli
from testlib.installed import ACCOUNT, Installed
from testlib.server import START_SECONDS


class NewFolder(unittest.TestCase):
    """A folder of its own for each test."""

    def setUp(self):
        self.server = Installed()
        self.addCleanup(self.server.close)

    def refuses(self, status, *words, **options):
        """init fails, says `words`, and has changed nothing."""
        before = self.server.contents()
        run = self.server.init(**options)
        self.assertEqual(run.returncode, status, run.stderr)
        for word in words:
            self.assertIn(word, run.stderr)
        self.assertEqual(run.stdout, "")
        self.assertEqual(self.server.contents(), before)


class BadInput(NewFolder):

    def test_refuses_an_account_that_is_not_12_digits(self):
        for account in ("", "12345678901", "1234567890123", "12345678901x"):
            with self.subTest(account):
                self.refuses(2, "--account must be 12 digits", account=account)

    def test_needs_an_account(self):
        run = self.server.init(account=None)
        self.assertEqual(run.returncode, 2)
        self.assertIn("--account", run.stderr)
        self.assertEqual(self.server.contents(), {})

    def test_refuses_users_that_are_not_there(self):
        for option in ("user", "hsm_user"):
            with self.subTest(option):
                self.refuses(1, "there is no user 'nobody-of-this-name'",
                             "systemd-sysusers",
                             **{option: "nobody-of-this-name"})

    def test_refuses_paths_that_would_break_a_configuration(self):
        for option in ("config", "state", "token_dir", "softhsm_conf",
                       "pin_file", "run_dir"):
            for bad in '"\\;%\n':
                with self.subTest(option, bad=bad):
                    self.refuses(2, "paths may not hold",
                                 **{option: self.server.folder / f"a{bad}b"})

    def test_refuses_labels_that_would_break_a_uri(self):
        for label in ("", "a" * 33, "a b", "a;b", "a?pin-value=1", 'a"b'):
            with self.subTest(label):
                self.refuses(2, "--token-label must be", token_label=label)

    def test_refuses_addresses_that_clavigerd_would_not_serve(self):
        self.refuses(2, "--http: 'nonsense' is not ADDRESS:PORT",
                     http="nonsense")
        self.refuses(2, "loopback addresses only", http="0.0.0.0:8080")

    def test_refuses_folders_with_something_of_somebody_elses(self):
        for option in ("state", "token_dir"):
            folder = self.server.folder / f"theirs-{option}"
            folder.mkdir()
            (folder / "precious").write_text("theirs")
            with self.subTest(option):
                self.refuses(1, f"{folder} is not empty", **{option: folder})

    def test_refuses_files_that_are_not_ours(self):
        theirs = self.server.folder / "theirs"
        theirs.write_text("directories.tokendir = /elsewhere\n")
        for option in ("softhsm_conf", "credential_file"):
            with self.subTest(option):
                self.refuses(1, f"{theirs} exists", **{option: theirs})

    def test_refuses_a_credential_file_without_a_folder(self):
        self.refuses(1, "there is no folder for", credential_file=(
            self.server.folder / "absent/credential"))


class WhatIsThere(NewFolder):

    def setUp(self):
        super().setUp()
        self.server.made()

    def test_a_second_init_refuses(self):
        self.refuses(1, f"{self.server.config} exists", "nothing was changed")

    def test_refuses_a_store_without_a_configuration(self):
        self.server.config.unlink()
        self.server.credential_file.unlink()
        self.refuses(1, f"{self.server.state} holds a store",
                     f"remove {self.server.state}", "nothing was changed")

    def test_goes_on_where_an_interrupted_init_is_removed_as_told(self):
        self.server.config.unlink()
        self.server.credential_file.unlink()
        shutil.rmtree(self.server.state)
        token = list(self.server.tokens.iterdir())
        self.server.made()
        self.assertEqual(list(self.server.tokens.iterdir()), token)

    def test_never_touches_a_token_that_it_has_not_made(self):
        """The same label in the same folder, whatever the rest says."""
        elsewhere = self.server.folder / "second"
        self.refuses(
            1, f"{self.server.tokens} is not empty",
            config=elsewhere / "clavigerd.toml", state=elsewhere / "state",
            pin_file=elsewhere / "pin",
            softhsm_conf=elsewhere / "softhsm2.conf",
            credential_file=self.server.folder / "second-credential")


class GivenToken(NewFolder):
    """init with a token that another store lives in."""

    MODULE = "/usr/lib/softhsm/libsofthsm2.so"

    def second(self, *more):
        """A second store on the token of the first; returns the run."""
        folder = self.server.folder / "second"
        folder.mkdir(exist_ok=True)
        command = self.server.init_command(
            config=folder / "clavigerd.toml", state=folder / "state",
            token_dir=None, softhsm_conf=None, http=None,
            credential_file=folder / "credential", module=self.MODULE,
            token="pkcs11:token=claviger")
        return subprocess.run(
            [*command, *more], capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=START_SECONDS,
            env={**os.environ,
                 "SOFTHSM2_CONF": str(self.server.softhsm_conf)}), folder

    def test_is_refused_before_anything_is_made(self):
        self.server.made()
        run, folder = self.second()
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn("keys of another store", run.stderr)
        self.assertIn("--adopt-token", run.stderr)
        self.assertEqual(list(folder.iterdir()), [])
        run, folder = self.second("--adopt-token")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertTrue((folder / "clavigerd.toml").exists())

    def test_an_unfit_one_leaves_nothing(self):
        self.server.made()
        self.server.pin_file.write_text("wrong")
        run, folder = self.second("--adopt-token")
        self.assertNotEqual(run.returncode, 0)
        self.assertEqual(list(folder.iterdir()), [])


class Outcome(NewFolder):

    def test_says_what_to_do_next(self):
        run = self.server.init()
        self.assertEqual(run.returncode, 0, run.stderr)
        config, conf = self.server.config, self.server.softhsm_conf
        for line in (f"claviger doctor --config {config}\n",
                     f"SOFTHSM2_CONF={conf} claviger-hsm --config {config} ",
                     f"clavigerd --config {config} "):
            self.assertIn("  " + line, run.stdout)
        self.assertNotIn("systemctl", run.stdout)  # No credential of its.

    def test_writes_whole_paths_for_relative_ones(self):
        command = self.server.init_command(
            state="state", pin_file="etc/pin", run_dir="run",
            token_dir="hsm/tokens", softhsm_conf="etc/softhsm2.conf")
        subprocess.run(command, cwd=self.server.folder, check=True,
                       capture_output=True, timeout=START_SECONDS)
        text = self.server.config.read_text()
        for line in (f'state = "{self.server.state}"',
                     f'pin_file = "{self.server.pin_file}"',
                     f'unix = "{self.server.socket}"'):
            self.assertIn(line + "\n", text)
        self.assertIn(f"directories.tokendir = {self.server.tokens}\n",
                      self.server.softhsm_conf.read_text())
        run = self.server.claviger("config", "check", self.server.config)
        self.assertEqual(run.returncode, 0, run.stderr)


class Secrets(NewFolder):

    def test_are_in_no_command_line_no_environment_and_no_output(self):
        command = self.server.init_command()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        seen = set()
        while process.poll() is None:
            seen |= self._command_lines(process.pid)
        output = process.communicate(timeout=START_SECONDS)[0]
        self.assertEqual(process.returncode, 0, output)
        self.assertTrue([line for line in seen if b"init-token" in line],
                        "the poll has seen no child")
        self.server.read_credential()
        secrets = [self.server.pin_file.read_text().strip(),
                   pathlib.Path(f"{self.server.pin_file}.so").read_text()
                   .strip(), self.server.secret_key]
        for secret in secrets:
            self.assertGreaterEqual(len(secret), 32)
            self.assertNotIn(secret, output)
            for line in seen:
                self.assertNotIn(secret.encode(), line)

    @staticmethod
    def _command_lines(pid):
        """Command lines and environments of a process and its descendants."""
        found, waiting = set(), [pid]
        while waiting:
            folder = pathlib.Path(f"/proc/{waiting.pop()}")
            try:
                found.add((folder / "cmdline").read_bytes())
                waiting += map(int, (folder / "task" / folder.name /
                                     "children").read_text().split())
                found.add((folder / "environ").read_bytes())
            except OSError:
                continue  # It has ended, or shows that to root alone.
        return found

    def test_are_readable_by_their_owner_alone(self):
        self.server.made()
        server = self.server
        for path in (server.pin_file, f"{server.pin_file}.so",
                     server.credential_file):
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600, path)
        for path in (server.state, server.tokens):
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o700, path)
        for folder in (server.state, server.tokens):
            for path in folder.rglob("*"):
                self.assertEqual(path.stat().st_mode & 0o007, 0, path)

    def test_the_credential_is_printed_once_without_a_file_for_it(self):
        run = self.server.init(credential_file=None)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stdout.count("export AWS_SECRET_ACCESS_KEY='"), 1)
        self.assertNotIn("AWS_SECRET", run.stderr)
        self.assertNotIn(self.server.pin_file.read_text().strip(),
                         run.stdout + run.stderr)

    def test_leaves_no_process_and_no_folder_behind(self):
        before = set(pathlib.Path("/tmp").glob("claviger-init.*"))
        self.server.made()
        self.assertEqual(set(pathlib.Path("/tmp").glob("claviger-init.*")) -
                         before, set())


class Shareable(NewFolder):
    """A store for several tokens: also what guards it is wrapped."""

    def test_serves_and_has_one_key_on_the_token(self):
        run = self.server.init(shareable_wrapping_key=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.server.read_credential()
        text = self.server.config.read_text()
        self.assertIn('\nplacement = "wrapped"\nshareable_wrapping_key = true\n',
                      text)
        with sqlite3.connect(self.server.state / "claviger.db") as store:
            rows = store.execute(
                "SELECT purpose, wrapped IS NULL FROM service_keys").fetchall()
        self.assertGreater(len(rows), 3)
        self.assertEqual([name for name, resident in rows if resident],
                         ["wrapping-key/main"])
        self.server.start()
        key = aws_cli(self.server, "create-key")["KeyMetadata"]["KeyId"]
        self.server.stop()
        self.server.start()
        self.assertEqual(aws_cli(self.server, "describe-key", "--key-id",
                                 key)["KeyMetadata"]["KeyId"], key)


class ServerOfInit(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = Installed()
        cls.addClassCleanup(cls.server.close)
        cls.server.made().start()

    def test_serves_the_aws_command_line(self):
        key = aws_cli(self.server, "create-key")["KeyMetadata"]
        self.assertEqual(
            key["Arn"],
            f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{key['KeyId']}")
        found = aws_cli(self.server, "describe-key", "--key-id", key["KeyId"])
        self.assertEqual(found["KeyMetadata"]["KeyState"], "Enabled")

    def test_refuses_another_secret(self):
        environment = self.server.environment
        self.server.environment = {
            **environment, "AWS_SECRET_ACCESS_KEY": "x" * 40}
        try:
            run = aws_cli(self.server, "list-keys", check=False)
        finally:
            self.server.environment = environment
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("InvalidSignature", run.stderr)

    def test_serves_its_administrator_on_the_socket(self):
        run = self.server.claviger("--endpoint", self.server.socket, "call",
                                   "CreateKey")
        self.assertEqual(run.returncode, 0, run.stderr)
        key = json.loads(run.stdout)["KeyMetadata"]
        self.assertEqual(key["AWSAccountId"], ACCOUNT)
        run = self.server.claviger("call", "DescribeKey",
                                   json.dumps({"KeyId": key["KeyId"]}),
                                   CLAVIGER_SOCKET=str(self.server.socket))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(json.loads(run.stdout)["KeyMetadata"]["Arn"],
                         key["Arn"])

    def test_says_that_it_is_well(self):
        run = self.server.claviger("--endpoint", self.server.socket, "status")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertRegex(run.stdout, r"alive +yes\nready +yes\n")

    def test_says_that_there_is_nothing_to_reload(self):
        said = self.server.reload()
        self.assertIn("warning: nothing was reloaded: ", said)
        self.assertIn("there are no such listeners", said)

    def test_keeps_its_keys_over_a_restart(self):
        key = aws_cli(self.server, "create-key")["KeyMetadata"]["KeyId"]
        self.assertEqual(self.server.stop(), [0, 0])
        self.server.start()
        found = aws_cli(self.server, "describe-key", "--key-id", key)
        self.assertEqual(found["KeyMetadata"]["KeyId"], key)


if __name__ == "__main__":
    unittest.main()
