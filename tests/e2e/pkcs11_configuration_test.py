# SPDX-License-Identifier: Apache-2.0
"""pkcs11.toml under real programs: logins with an access key for a PIN, filters,
files that are not understood, logs."""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from testlib.pkcs11 import MODULE, PROGRAM_SECONDS, Pkcs11Case

NOBODY = 65534

# What a child of a fork gets, before and after it has initialised.
FORKING = """
import ctypes, os, sys
sys.path.insert(0, sys.argv[2])
from testlib.cryptoki import Cryptoki

module = Cryptoki(sys.argv[1])
session = module.open()

def rv(function, *arguments):
    return f"{module.rv(function, *arguments):#x}"

info = ctypes.create_string_buffer(64)
child = os.fork()
if child == 0:
    print(rv("C_GetSessionInfo", session, info), rv("C_Initialize", None),
          rv("C_GetInfo", ctypes.create_string_buffer(128)), flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(rv("C_GetSessionInfo", session, info))
"""


class ConfigurationTest(Pkcs11Case):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = {}
        for name in ("web-a", "web-b", "other"):
            key = cls.kms.create_key(KeySpec="ECC_NIST_P256",
                                     KeyUsage="SIGN_VERIFY")["KeyMetadata"]
            cls.kms.create_alias(AliasName=f"alias/{name}",
                                 TargetKeyId=key["KeyId"])
            cls.keys[name] = key

    def configured(self, text):
        """The change of the environment that this configuration is."""
        text = text.format(endpoint=self.server.endpoint, **{
            name.replace("-", "_"): key["KeyId"]
            for name, key in self.keys.items()})
        return {"CLAVIGER_PKCS11_CONFIG":
                self.file("pkcs11.toml", text.encode())}

    def labels(self, *options, **changes):
        listed = self.tool("--list-objects", "--type", "privkey", *options,
                           **changes)
        return sorted(line.split()[-1] for line in listed.splitlines()
                      if "label:" in line)

    def pin(self):
        return f"{self.server.access_key}:{self.server.secret_key}"

    def test_disabled_pairs_are_shown_where_that_is_asked_for(self):
        key, key_id = self.new("ECC_NIST_P256", "SIGN_VERIFY", "asleep")
        self.kms.disable_key(KeyId=key["KeyId"])
        usual = self.configured('[[token]]\nendpoint = "{endpoint}"\n')
        self.assertNotIn("asleep", self.labels(**usual))
        shown = self.configured('[[token]]\nendpoint = "{endpoint}"\n'
                                "show_disabled = true\n")
        self.assertIn("asleep", self.labels(**shown))
        self.assertIn("asleep", self.tool("--list-objects", "--type", "pubkey",
                                          **shown))
        signed = self.run_tool(
            "--sign", "--id", key_id, "--mechanism", "ECDSA", "--input-file",
            self.message, "--output-file", self.path("signature"), **shown)
        self.assertNotEqual(signed.returncode, 0)
        self.assertIn("CKR_KEY_FUNCTION_NOT_PERMITTED", signed.stderr)

    def test_the_pin_is_an_access_key(self):
        login = self.configured(
            '[[token]]\nendpoint = "{endpoint}"\nlogin = "pin"\n')
        self.assertIn("login required", self.tool("--list-slots", **login))
        self.assertEqual(self.labels(**login), [])
        shown = self.labels("--login", "--pin", self.pin(), **login)
        self.assertIn("web-a", shown)
        public = self.public_key(self.keys["web-a"])
        signature = self.path("signature")
        self.tool("--sign", "--login", "--pin", self.pin(),
                  "--id", self.keys["web-a"]["KeyId"].replace("-", ""),
                  "--mechanism", "ECDSA-SHA256", "--signature-format",
                  "openssl", "--input-file", self.message,
                  "--output-file", signature, **login)
        self.assertTrue(self.openssl_verifies(public, signature, "sha256"))

    def test_a_wrong_pin_is_told_apart_from_a_server_that_is_away(self):
        login = self.configured(
            '[[token]]\nendpoint = "{endpoint}"\nlogin = "pin"\n')
        for pin in (self.server.access_key + ":wrong", "AKIANOBODY:secret",
                    "1234"):
            run = self.run_tool("--list-objects", "--login", "--pin", pin,
                                **login)
            self.assertNotEqual(run.returncode, 0)
            self.assertIn("CKR_PIN_INCORRECT", run.stderr)
            self.assertNotIn(pin, run.stderr)
        away = self.configured(
            '[[token]]\nendpoint = "http://127.0.0.1:1"\nlogin = "pin"\n')
        run = self.run_tool("--list-objects", "--login", "--pin", self.pin(),
                            **away)
        self.assertIn("CKR_DEVICE_ERROR", run.stderr)
        self.assertNotIn(self.server.secret_key, run.stderr)

    def test_the_pin_is_the_secret_where_the_id_is_configured(self):
        login = self.configured(
            '[[token]]\nendpoint = "{endpoint}"\nlogin = "pin"\n'
            f'access_key_id = "{self.server.access_key}"\n')
        self.assertIn("web-a", self.labels(
            "--login", "--pin", self.server.secret_key, **login))

    def test_tokens_show_what_their_filters_let_through(self):
        for condition, shown in (
                ('key_ids = ["{other}"]', ["other"]),
                ('alias_prefix = "web-"', ["web-a", "web-b"]),
                ('tag = {{ key = "no", value = "key" }}', [])):
            with self.subTest(condition):
                self.assertEqual(shown, self.labels(**self.configured(
                    f"[[token]]\nfilter.{condition}\n")))

    def test_a_child_must_initialise_where_forks_are_strict(self):
        for mode, in_child in (("strict", "0x190 0x0 0x0"),
                               ("continue", "0x0 0x0 0x0")):
            with self.subTest(mode):
                self.assertEqual(
                    self.program(
                        sys.executable, "-B", "-c", FORKING, MODULE,
                        pathlib.Path(__file__).parent,
                        **self.configured(f'fork = "{mode}"\n[[token]]\n')),
                    f"{in_child}\n0x0\n")

    def test_a_mistake_leaves_no_slot_and_says_where_it_is(self):
        broken = self.configured('[[token]]\nlable = "x"\n')
        run = self.run_tool("--list-slots", **broken)
        self.assertNotIn("claviger", run.stdout)
        lines = [line for line in run.stderr.splitlines() if "pkcs11.toml" in line]
        self.assertEqual(len(lines), 1, run.stderr)
        self.assertIn("pkcs11.toml:2: unknown key lable", lines[0])

    def test_p11_kit_loads_the_installed_module_file(self):
        template = pathlib.Path(__file__).parents[2].joinpath(
            "packaging/pkcs11/claviger.module.in").read_text()
        installed = "@CMAKE_INSTALL_FULL_LIBDIR@/pkcs11/claviger-pkcs11.so"
        self.assertIn(installed, template)
        # p11-kit takes no configuration of root's own: nobody asks.
        module = str(shutil.copy(MODULE, self.folder))
        modules = self.folder / "pkcs11/modules"
        modules.mkdir(parents=True)
        (modules / "claviger.module").write_text(
            template.replace(installed, module))
        self.folder.chmod(0o755)
        listed = subprocess.run(
            ["p11-kit", "list-modules"], capture_output=True, text=True,
            timeout=PROGRAM_SECONDS, check=True,
            user=None if os.geteuid() else NOBODY, env=self.environment())
        self.assertRegex(listed.stdout, r"claviger: .*claviger-pkcs11\.so\n")
        self.assertIn("    token: claviger\n", listed.stdout)


if __name__ == "__main__":
    unittest.main()
