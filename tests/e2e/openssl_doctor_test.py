# SPDX-License-Identifier: Apache-2.0
"""`claviger doctor --openssl`: why a program does not find keys of the KMS."""

import pathlib
import unittest

from testlib.openssl import CLAVIGER, DEFAULT, OURS, PROVIDER, OpensslCase


class DoctorTest(OpensslCase):

    def doctor(self, configuration, status=0, **changes):
        """What it says, as name: (word, text)."""
        run = self.run_program(CLAVIGER, "doctor", "--openssl",
                               OPENSSL_CONF=configuration, **changes)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        lines = [line.split(None, 2) for line in run.stdout.splitlines()]
        return {name: (word, text) for word, name, text in lines}

    def edited(self, *changes):
        """The usual configuration with some texts replaced."""
        path = self.configuration()
        text = self.read(path).decode()
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        pathlib.Path(path).write_text(text)
        return path

    def test_all_is_well(self):
        said = self.doctor(self.configuration())
        self.assertEqual({word for word, _ in said.values()}, {"ok"}, said)
        self.assertEqual(said["provider"][1], PROVIDER)
        self.assertIn(self.server.environment["CLAVIGER_SOCKET"],
                      said["KMS"][1])

    def test_a_provider_that_is_not_there(self):
        said = self.doctor(self.edited((PROVIDER, "/absent/claviger.so")), 1)
        self.assertEqual(said["provider"],
                         ("FAIL", "there is no /absent/claviger.so"))

    def test_a_provider_that_does_not_load(self):
        broken = self.file("claviger.so", b"no library")
        word, text = self.doctor(self.edited((PROVIDER, broken)), 1)["provider"]
        self.assertEqual(word, "FAIL")
        self.assertRegex(text, "does not load; .*(invalid ELF|file too short)")

    def test_a_provider_that_is_not_named(self):
        for configuration, text in (
                (self.configuration(order=(DEFAULT,)), "does not list"),
                (self.file("empty.cnf", b""), "does not list"),
                (self.edited(("openssl_conf", "openssl_config")),
                 "does not list"),
                (self.edited((f"module = {PROVIDER}\nactivate = 1",
                              f"module = {PROVIDER}")), "lacks `activate = 1`")):
            with self.subTest(text=text):
                word, line = self.doctor(configuration, 1)["openssl.cnf"]
                self.assertEqual(word, "FAIL")
                self.assertIn(text, line)

    def test_a_configuration_that_cannot_be_read(self):
        for path, text in (("/absent.cnf", "cannot read /absent.cnf"),
                           (self.file("bad.cnf", b"[conf\n"), "bad.cnf:1:")):
            with self.subTest(path=path):
                self.assertIn(text, self.doctor(path, 2)["openssl.cnf"][1])

    def test_a_default_provider_that_is_missing_or_late(self):
        said = self.doctor(self.configuration(order=(OURS,)), 1)
        self.assertEqual(said["default"][0], "FAIL")
        said = self.doctor(self.configuration(order=(OURS, DEFAULT)))
        self.assertEqual(said["default"][0], "WARN")
        self.assertIn("list `default` first", said["default"][1])

    def test_default_properties(self):
        said = self.doctor(self.edited(
            ("[conf]", "[conf]\nalg_section = algorithms"),
            ("[req]", "[algorithms]\n"
             "default_properties = ?provider=claviger\n[req]")))
        self.assertEqual(said["properties"][0], "WARN")
        self.assertIn("?provider=claviger", said["properties"][1])

    def test_a_kms_that_is_away(self):
        said = self.doctor(self.configuration(),
                           CLAVIGER_SOCKET="/absent.sock")
        self.assertEqual(said["KMS"][0], "WARN")
        self.assertIn("/absent.sock", said["KMS"][1])


if __name__ == "__main__":
    unittest.main()
