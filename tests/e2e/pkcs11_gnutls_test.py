# SPDX-License-Identifier: Apache-2.0
"""The PKCS#11 module under p11-kit and GnuTLS: p11tool, certtool, and a module
that is served to other processes."""

import os
import pathlib
import shutil
import subprocess
import unittest

from testlib.pkcs11 import MODULE, PROGRAM_SECONDS, TOOL, Pkcs11Case
from testlib.pkcs11 import private_uri

REMOTE = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so"
TOKEN = "pkcs11:token=claviger"
NOBODY = 65534


class P11tool(Pkcs11Case):

    def p11tool(self, *arguments):
        return self.program("p11tool", "--provider", MODULE, *arguments)

    def test_objects_are_listed_with_their_urls(self):
        _, rsa = self.new("RSA_2048", "SIGN_VERIFY", "gnutls-rsa")
        self.new("ECC_NIST_P384", "SIGN_VERIFY", "gnutls-ec")
        self.assertIn(f"{TOKEN.removeprefix('pkcs11:')}\n",
                      self.p11tool("--list-tokens"))
        listed = self.p11tool("--list-all", TOKEN)
        self.assertIn("Type: Private key (RSA-2048)", listed)
        self.assertIn("Type: Private key (EC/ECDSA-SECP384R1)", listed)
        for kind in ("private", "public"):
            self.assertIn(f"object=gnutls-rsa;type={kind}", listed)
        self.assertIn(":".join(rsa[i:i + 2] for i in range(0, len(rsa), 2)),
                      listed)

    def test_made_keys_sign_and_are_those_of_the_kms(self):
        for options, label, spec in (
                (("--generate-rsa", "--bits", "2048"), "made-rsa", "RSA_2048"),
                (("--generate-ecc", "--curve", "secp256r1"), "made-ec",
                 "ECC_NIST_P256")):
            with self.subTest(spec=spec):
                public = self.path("public.pem")
                self.p11tool("--login", "--set-pin", "1234", *options,
                             "--label", label, "--outfile", public, TOKEN)
                key = self.kms.describe_key(
                    KeyId=f"alias/{label}")["KeyMetadata"]
                self.assertEqual((key["KeySpec"], key["KeyUsage"]),
                                 (spec, "SIGN_VERIFY"))
                der = self.path("exported.der")
                self.program("openssl", "pkey", "-pubin", "-in", public,
                             "-pubout", "-outform", "DER", "-out", der)
                self.assertEqual(pathlib.Path(der).read_bytes(),
                                 pathlib.Path(self.public_key(key)
                                              ).read_bytes())
                run = self.run_program("p11tool", "--provider", MODULE,
                                       "--test-sign", private_uri(label))
                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertEqual(run.stderr.count("... ok"), 3, run.stderr)

    def test_public_keys_are_exported(self):
        key, _ = self.new("ECC_NIST_P256", "SIGN_VERIFY", "gnutls-export")
        for options in (
                ("--export", private_uri("gnutls-export").replace(
                    "private", "public")),
                ("--export-pubkey", private_uri("gnutls-export"))):
            pem = self.file("public.pem", self.p11tool(*options).encode())
            der = self.path("exported.der")
            self.program("openssl", "pkey", "-pubin", "-in", pem, "-pubout",
                         "-outform", "DER", "-out", der)
            self.assertEqual(pathlib.Path(der).read_bytes(),
                             pathlib.Path(self.public_key(key)).read_bytes())

    def test_certtool_signs_a_certificate(self):
        self.new("RSA_2048", "SIGN_VERIFY", "gnutls-ca")
        template = self.file("template", b'cn = "GnuTLS"\nca\n'
                             b'cert_signing_key\nexpiration_days = 2\n')
        made = self.path("made.pem")
        self.program(
            "certtool", "--provider", MODULE, "--generate-self-signed",
            "--template", template, "--load-privkey", private_uri("gnutls-ca"),
            "--outfile", made)
        self.assertIn("OK", self.program("openssl", "verify", "-CAfile", made,
                                         made))


class P11Kit(Pkcs11Case):

    def test_a_configured_module_is_listed_without_a_call_of_the_server(self):
        # p11-kit takes no configuration of root's own, so that is not who asks.
        module = str(shutil.copy(MODULE, self.folder))
        modules = self.folder / "pkcs11/modules"
        modules.mkdir(parents=True)
        (modules / "claviger.module").write_text(f"module: {module}\n")
        self.folder.chmod(0o755)
        absent = self.path("absent.sock")
        shown = subprocess.run(
            ["p11-kit", "list-modules"], capture_output=True, text=True,
            timeout=PROGRAM_SECONDS, check=True,
            user=None if os.geteuid() else NOBODY,
            env=self.environment(CLAVIGER_SOCKET=absent))
        self.assertRegex(shown.stdout, r"claviger: .*claviger-pkcs11\.so\n")
        self.assertIn("    token: claviger\n", shown.stdout)
        # Nor was there anything to complain of.
        self.assertNotIn("claviger", shown.stderr)

    def test_a_module_that_another_process_serves(self):
        key, key_id = self.new("RSA_2048", "SIGN_VERIFY", "served")
        address = self.path("served.sock")
        server = self.background("p11-kit", "server", "-f", "-n", address,
                                 "--provider", MODULE, TOKEN)
        self.said(server, "P11_KIT_SERVER_PID=")

        def remote(*arguments):
            return self.program(
                TOOL, "--module", REMOTE, *arguments,
                P11_KIT_SERVER_ADDRESS=f"unix:path={address}")

        self.assertEqual(
            remote("--list-objects").count("label:      served"), 2)
        signature = self.path("signature")
        remote("--sign", "--id", key_id, "--mechanism", "SHA256-RSA-PKCS",
               "--input-file", self.message, "--output-file", signature)
        self.assertTrue(self.openssl_verifies(self.public_key(key), signature,
                                              "sha256"))


if __name__ == "__main__":
    unittest.main()
