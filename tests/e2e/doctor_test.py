# SPDX-License-Identifier: Apache-2.0
"""claviger config check, claviger doctor, claviger audit verify --from."""

import os
import pathlib
import re
import shutil
import tempfile
import unittest

from testlib import Server, call
from testlib.installed import Installed

EXAMPLE = (pathlib.Path(__file__).resolve().parents[2] /
           "packaging/clavigerd.toml")


class ConfigCheck(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = Installed()  # Nothing of it runs.
        cls.addClassCleanup(cls.server.close)
        cls.file = cls.server.folder / "clavigerd.toml"
        cls.certificate = cls.server.folder / "certificate.pem"
        cls.certificate.write_text("")
        cls.example = EXAMPLE.read_text()
        for name in ("certificate", "private_key"):
            cls.example, count = re.subn(
                rf'(?m)^{name} = ".*"$', f'{name} = "{cls.certificate}"',
                cls.example)
            assert count == 1, name

    def check(self, text):
        self.file.write_text(text)
        return self.server.claviger("config", "check", self.file)

    def refuses(self, reason, old, new, line=None):
        """The example with one piece replaced: "file:line: reason"."""
        self.assertEqual(self.example.count(old), 1, old)
        text = self.example.replace(old, new)
        run = self.check(text)
        self.assertEqual(run.returncode, 2, run.stdout + run.stderr)
        where = str(self.file)
        if line is not None:
            where += f":{text[:text.index(line)].count(chr(10)) + 1}"
        self.assertIn(f"claviger: {where}: {reason}", run.stderr)
        self.assertEqual(run.stdout, "")

    def test_the_example_is_good(self):
        run = self.check(self.example)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stdout, f"{self.file}: ok\n")

    def test_what_the_example_has_commented_out_is_good_too(self):
        """And is the default's spelling: no key of it may be unknown."""
        text, count = re.subn(r"(?m)^# ([a-z_]+ = )", r"\1", self.example)
        self.assertGreater(count, 8)
        run = self.check(text)
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_refuses_an_unknown_key(self):
        self.refuses("unknown key 'regoin'", "region = ", "regoin = ",
                     "regoin")
        self.refuses("unknown key 'listen.htps'", "\nhttps = ", "\nhtps = ",
                     "htps")
        self.refuses("unknown key 'key_store.pin'", 'name = "main"',
                     'name = "main"\npin = "1234"', 'pin = "1234"')

    def test_refuses_values_of_the_wrong_type(self):
        self.refuses("key_store.workers must be a whole number from 1 to 64",
                     "workers = 2", 'workers = "2"', 'workers = "2"')
        self.refuses("key_store.workers must be a whole number from 1 to 64",
                     "workers = 2", "workers = 65", "workers = 65")
        self.refuses("account must be a text", 'account = "123456789012"',
                     "account = 123456789012", "account")

    def test_refuses_a_bad_or_missing_account(self):
        self.refuses("account must be 12 digits",
                     'account = "123456789012"', 'account = "12"')
        self.refuses("account is missing", "account = ", "# account = ", "#")

    def test_refuses_a_region_that_is_none(self):
        self.refuses("region must be the name of a Region", '"eu-central-1"',
                     '"frankfurt"')

    def test_refuses_two_key_stores_and_none(self):
        store = self.example[self.example.index("\n[[key_store]]"):]
        self.refuses("key_store 'second' is not the first one", store,
                     store + "\n" + store.replace('"main"', '"second"'))
        self.refuses("there is no [[key_store]] table", store, "")

    def test_refuses_https_without_a_certificate(self):
        for name in ("certificate", "private_key"):
            self.refuses("listen.https needs listen.certificate and "
                         "listen.private_key", f"\n{name} = ", f"\n# {name} = ")

    def test_refuses_addresses_that_are_none(self):
        self.refuses("listen.https: 'localhost' is not ADDRESS:PORT",
                     '"0.0.0.0:8443"', '"localhost"', "https")

    def test_refuses_names_of_files_that_are_not_there(self):
        self.refuses("listen.certificate: there is no /absent/file",
                     f'\ncertificate = "{self.certificate}"',
                     '\ncertificate = "/absent/file"')
        self.refuses("key_store.module: there is no /absent/module.so",
                     "/usr/lib/softhsm/libsofthsm2.so", "/absent/module.so")

    def test_reads_the_keys_of_identity_providers(self):
        keys = self.server.folder / "provider.jwks"
        table = (f'\n[[oidc_provider]]\nissuer = "https://token.example.com"\n'
                 f'audiences = ["sts.amazonaws.com"]\njwks_file = "{keys}"\n')
        for text, reason in ((None, f"cannot read {keys}: "),
                             ("{}", f"{keys}: it is not a JWK Set"),
                             ('{"keys":[]}', f"{keys}: the JWK Set has no key")):
            if text is not None:
                keys.write_text(text)
            self.refuses(f"oidc_provider.jwks_file: {reason}",
                         "\n[[key_store]]", f"{table}\n[[key_store]]", str(keys))

    def test_refuses_what_is_no_toml_and_what_is_not_there(self):
        self.refuses("", "[listen]", "[listen", "[listen")
        run = self.server.claviger("config", "check", "/absent/file")
        self.assertEqual(run.returncode, 2)
        self.assertIn("/absent/file", run.stderr)
        run = self.server.claviger("config", "check", "/")
        self.assertEqual(run.returncode, 2)
        self.assertEqual(run.stderr, "claviger: / is a directory\n")


class Doctor(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = Installed()
        cls.addClassCleanup(cls.server.close)
        cls.server.made().start()
        assert call(cls.server, "CreateKey", {}).status == 200

    def findings(self, *words):
        """The exit status, and {check: (word, text)}."""
        run = self.server.claviger("doctor", *words)
        lines = re.findall(r"(?m)^(ok|WARN|FAIL) +(\S+(?: \S+)*)  +(.*)$",
                           run.stdout)
        self.assertEqual(len(lines), run.stdout.count("\n"), run.stdout)
        return run.returncode, {name: (word, text)
                                for word, name, text in lines}

    def look(self):
        return self.findings("--config", self.server.config)

    def fails(self, check, *words):
        """Exactly this check fails, and says `words`."""
        status, found = self.look()
        self.assertEqual(status, 1)
        self.assertEqual({name for name, (word, _) in found.items()
                          if word == "FAIL"}, {check})
        for word in words:
            self.assertIn(word, found[check][1])

    def test_finds_a_healthy_server_well(self):
        status, found = self.look()
        self.assertEqual(status, 0, found)
        for check in ("configuration", "state folder", "store", "audit log",
                      "PKCS#11 module", "server", "clock", "PIN file"):
            self.assertEqual(found[check][0], "ok", found[check])
        self.assertNotIn("FAIL", [word for word, _ in found.values()])

    def test_says_how_to_close_an_open_state_folder(self):
        self.server.state.chmod(0o755)
        try:
            self.fails("state folder", "(mode 755)",
                       f"chmod go= {self.server.state}")
        finally:
            self.server.state.chmod(0o700)
        self.assertEqual(self.look()[0], 0)

    def test_says_how_to_close_an_open_pin_file(self):
        self.server.pin_file.chmod(0o640)
        try:
            self.fails("PIN file", f"chmod go= {self.server.pin_file}")
        finally:
            self.server.pin_file.chmod(0o600)

    def test_notices_an_edited_audit_record(self):
        [(segment, text)] = [
            (path, path.read_bytes())
            for path in (self.server.state / "audit").glob("*.jsonl")
            if b'"CreateKey"' in path.read_bytes()]
        with open(segment, "r+b") as file:
            file.seek(text.index(b'"CreateKey"'))
            file.write(b'"DeleteKey"')
        try:
            self.fails("audit log", f"{segment.name}:")
        finally:
            with open(segment, "r+b") as file:
                file.seek(text.index(b'"CreateKey"'))
                file.write(b'"CreateKey"')
        self.assertEqual(self.look()[0], 0)

    def test_warns_of_a_wrapping_key_that_was_not_made_shareable(self):
        text = self.server.config.read_text()
        check = "wrapping key"
        try:
            self.assertEqual(self.server.stop(), [0, 0])
            self.server.edit('# placement = "wrapped"', 'placement = "wrapped"')
            self.server.start()
            self.assertNotIn(check, self.look()[1])
            self.assertEqual(self.server.stop(), [0, 0])
            self.server.edit(
                'placement = "wrapped"',
                'placement = "wrapped"\nshareable_wrapping_key = true')
            self.server.start()
            status, found = self.look()
            self.assertEqual(status, 0, found)
            self.assertEqual(found[check][0], "WARN")
            self.assertIn("never leaves its token", found[check][1])
            self.assertIn("key store main: shareable_wrapping_key is set, but",
                          self.server.log_text())
        finally:
            self.server.stop()
            self.server.config.write_text(text)
            self.server.start()

    def test_warns_of_audit_segments_that_were_moved_away(self):
        oldest = min((self.server.state / "audit").glob("*.jsonl"))
        oldest.rename(self.server.folder / oldest.name)
        try:
            status, found = self.look()
        finally:
            (self.server.folder / oldest.name).rename(oldest)
        self.assertEqual(status, 0, found)
        self.assertEqual(found["audit log"][0], "WARN")
        self.assertIn("claviger audit verify --from SEQUENCE:HASH",
                      found["audit log"][1])

    def test_fails_without_an_audit_log(self):
        folder = self.server.state / "audit"
        folder.rename(folder.with_name("moved"))
        folder.mkdir(0o700)
        try:
            self.fails("audit log", "there is no audit log")
        finally:
            folder.rmdir()
            folder.with_name("moved").rename(folder)

    def test_warns_that_a_server_is_stopped(self):
        self.assertEqual(self.server.stop(), [0, 0])
        try:
            status, found = self.look()
        finally:
            self.server.start()
        self.assertEqual(status, 0, found)
        self.assertEqual(found["server"][0], "WARN")
        self.assertIn("systemctl start clavigerd", found["server"][1])
        self.assertEqual(found["clock"][0], "WARN")
        self.assertEqual(found["store"][0], "ok")

    def test_fails_where_nothing_was_set_up(self):
        text = self.server.config.read_text()
        other = self.server.folder / "other.toml"
        other.write_text(text.replace(f'"{self.server.state}"', '"/absent"'))
        status, found = self.findings("--config", other)
        self.assertEqual(status, 1)
        self.assertEqual(found["state folder"][0], "FAIL")
        self.assertIn("claviger init", found["state folder"][1])

    def test_ends_with_a_usage_error_on_a_bad_configuration(self):
        other = self.server.folder / "bad.toml"
        other.write_text("nonsense = 1\n")
        status, found = self.findings("--config", other)
        self.assertEqual(status, 2)
        self.assertEqual(list(found), ["configuration"])
        self.assertEqual(found["configuration"][0], "FAIL")
        self.assertIn(f"{other}:1: ", found["configuration"][1])

    def test_looks_at_the_folder_of_a_development_server(self):
        with Server() as dev:
            status, found = self.findings("--dev-dir", dev.dev)
            self.assertEqual(status, 0, found)
            self.assertEqual(found["server"][0], "ok")
            self.assertEqual(found["PIN file"][0], "ok")
            relative = os.path.relpath(dev.dev) + "/"
            status, again = self.findings("--dev-dir", relative)
            self.assertEqual(status, 0, again)
            self.assertEqual({name: word for name, (word, _) in again.items()},
                             {name: word for name, (word, _) in found.items()})
            dev.stop()
            status, found = self.findings("--dev-dir", dev.dev)
            self.assertEqual(status, 0, found)
            self.assertEqual(found["server"][0], "WARN")


class AuditVerifyFrom(unittest.TestCase):
    """A log whose segments but the newest were moved away."""

    @classmethod
    def setUpClass(cls):
        cls.server = Installed()
        cls.addClassCleanup(cls.server.close)
        cls.server.made()
        for _ in range(2):  # Each start begins a segment.
            cls.server.start()
            assert call(cls.server, "CreateKey", {}).status == 200
            assert cls.server.stop() == [0, 0]
        *cls.moved, cls.newest = sorted(
            (cls.server.state / "audit").glob("*.jsonl"))

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.server.folder))
        self.addCleanup(shutil.rmtree, self.folder)

    def verify(self, *words):
        return self.server.claviger("audit", "verify", self.folder, *words)

    def head(self):
        """SEQUENCE and HASH of what was moved away; the newest is left."""
        for path in self.moved:
            shutil.copy(path, self.folder)
        run = self.verify()
        self.assertEqual(run.returncode, 0, run.stderr)
        for path in self.moved:
            (self.folder / path.name).unlink()
        shutil.copy(self.newest, self.folder)
        sequence = re.search(r"(?m)^complete to (\d+)$", run.stdout)[1]
        self.assertGreater(int(sequence), 2)
        digest = re.search(r"(?m)^head +([0-9a-f]{64})$", run.stdout)[1]
        return sequence, digest

    def test_continues_the_head_that_was_noted(self):
        sequence, digest = self.head()
        run = self.verify("--from", f"{sequence}:{digest}")
        self.assertEqual(run.returncode, 0, run.stderr)
        part = run.stdout
        for path in self.moved:
            shutil.copy(path, self.folder)
        run = self.verify()
        self.assertEqual(run.returncode, 0, run.stderr)
        pick = re.compile(r"(?m)^(?:complete to|head) .*$")
        self.assertEqual(pick.findall(part), pick.findall(run.stdout))

    def test_names_what_was_never_acknowledged(self):
        for path in (*self.moved, self.newest):
            shutil.copy(path, self.folder)
        run = self.verify()
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertNotIn("tail ", run.stdout)
        sequence = re.search(r"(?m)^complete to (\d+)$", run.stdout)[1]
        records = self.newest.read_bytes().rstrip(b"\0")
        for tail in (b"half a rec", b"\0" * 100 + b"not a record\n"):
            (self.folder / self.newest.name).write_bytes(
                records + tail + b"\0" * 4096)
            run = self.verify()
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertRegex(run.stdout, rf"(?m)^tail +{len(tail)} bytes "
                             f"behind record {sequence} that were never "
                             "acknowledged")

    def test_without_the_head_a_moved_segment_is_a_missing_one(self):
        sequence, _ = self.head()
        run = self.verify()
        self.assertEqual(run.returncode, 4, run.stdout)
        self.assertIn(f"the segment before it is missing: records 1 to "
                      f"{sequence}", run.stderr)

    def test_refuses_a_log_that_does_not_continue_the_head(self):
        sequence, digest = self.head()
        other = digest[:-1] + ("0" if digest[-1] != "0" else "1")
        for head in (f"{sequence}:{other}", f"{int(sequence) - 1}:{digest}",
                     f"{int(sequence) + 1}:{digest}"):
            with self.subTest(head):
                run = self.verify("--from", head)
                self.assertEqual(run.returncode, 4, run.stdout + run.stderr)
                self.assertIn(self.newest.name, run.stderr)
                self.assertEqual(run.stdout, "")

    def test_refuses_a_head_that_is_none(self):
        digest = "0" * 64
        for head in ("", ":", "1", digest, f"1:{digest[1:]}", f"1:{digest}00",
                     f"0:{digest}", f"-1:{digest}", f"1 :{digest}",
                     f"x:{digest}", f"1:{digest[1:]}g", f":{digest}",
                     f"99999999999999999999:{digest}"):
            with self.subTest(head):
                run = self.verify(f"--from={head}")
                self.assertEqual(run.returncode, 2, run.stdout + run.stderr)


if __name__ == "__main__":
    unittest.main()
