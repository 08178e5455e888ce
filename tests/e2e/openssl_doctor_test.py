# SPDX-License-Identifier: Apache-2.0
"""`claviger doctor --openssl`: why a program does not find keys of the KMS."""

import pathlib
import unittest

from testlib.openssl import (CLAVIGER, DEFAULT, OURS, P256, PROVIDER, OpensslCase,
                             uri)


class DoctorTest(OpensslCase):
    KEYS = (P256,)

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

    def test_a_provider_in_openssls_own_folder(self):
        modules = self.folder / "modules"
        modules.mkdir()
        (modules / "claviger.so").symlink_to(PROVIDER)
        for line, word in (("module = claviger.so\n", "ok"), ("", "ok"),
                           ("module = claviger\n", "FAIL")):
            with self.subTest(line=line):
                file = self.edited((f"module = {PROVIDER}\n", line))
                said = self.doctor(file, 0 if word == "ok" else 1,
                                   OPENSSL_MODULES=str(modules))
                self.assertEqual(said["KMS"][0], word, said)
                run = self.run_ours("pkey", "-noout", "-in", uri("p256"),
                                    OPENSSL_CONF=file,
                                    OPENSSL_MODULES=str(modules))
                self.assertEqual(run.returncode == 0, word == "ok")

    def test_it_looks_where_the_provider_looks(self):
        socket = self.server.environment["CLAVIGER_SOCKET"]
        nowhere = {"CLAVIGER_SOCKET": "/absent.sock"}
        file = self.file("pkcs11.toml", (
            f'[[token]]\nlabel = "first"\nendpoint = "{socket}"\n').encode())
        for lines in ((f"endpoint = {socket}",), (f"config = {file}",),
                      (f"config = {file}", "token = first", "timeout = 3")):
            with self.subTest(lines=lines):
                said = self.doctor(self.configuration(*lines), **nowhere)
                self.assertEqual(said["KMS"][0], "ok", said)
                self.assertIn(socket, said["KMS"][1])
        said = self.doctor(self.configuration("endpoint = /elsewhere.sock"))
        self.assertEqual(said["KMS"][0], "WARN")
        self.assertIn("/elsewhere.sock", said["KMS"][1])

    def test_mistakes_in_the_section(self):
        for line, text in (("timeout = 0", "from 1 to 130"),
                           ("reference_options = yes", "can only be `allow`"),
                           ("endpoint = http://far.example", "far.example"),
                           ("config = /absent.toml", "/absent.toml"),
                           ("token = payments", "no configuration file")):
            with self.subTest(line=line):
                said = self.doctor(self.configuration(line), 1)
                self.assertEqual(said["KMS"][0], "FAIL")
                self.assertIn(text, said["KMS"][1])

    def test_a_kms_that_is_away(self):
        said = self.doctor(self.configuration(),
                           CLAVIGER_SOCKET="/absent.sock")
        self.assertEqual(said["KMS"][0], "WARN")
        self.assertIn("/absent.sock", said["KMS"][1])


if __name__ == "__main__":
    unittest.main()
