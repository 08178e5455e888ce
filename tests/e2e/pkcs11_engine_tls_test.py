# SPDX-License-Identifier: Apache-2.0
"""TLS inside TLS: OpenSSL serves TLS with a key that its PKCS#11 engine has from
our module, which meanwhile speaks TLS to the KMS, in the same process and with
the same OpenSSL."""

import pathlib
import unittest

from testlib.authority import Authority
from testlib.clients import boto3_client
from testlib.installed import Installed, free_port
from testlib.pkcs11 import Pkcs11Case, private_uri

KEYS = {"tls-rsa": "RSA_2048", "tls-ec": "ECC_NIST_P256"}


class EngineOverTls(Pkcs11Case):

    @classmethod
    def setUpClass(cls):
        cls.server = Installed()
        cls.addClassCleanup(cls.server.close)
        cls.server.made()
        authority = Authority(cls.server.folder / "tls")
        certificate, key = authority.issue("server")
        port = free_port()
        for old, new in (
                ('# https = "0.0.0.0:8443"         # Needs the two below.',
                 f'https = "127.0.0.1:{port}"'),
                ('# certificate = "/etc/claviger/tls/certificate.pem"',
                 f'certificate = "{certificate}"'),
                ('# private_key = "/etc/claviger/tls/private-key.pem"',
                 f'private_key = "{key}"')):
            cls.server.edit(old, new)
        cls.server.start()
        cls.token = (f'[[token]]\nendpoint = "https://127.0.0.1:{port}"\n'
                     f'ca_file = "{authority.certificate}"\n')
        cls.kms = boto3_client(cls.server)
        for label, spec in KEYS.items():
            made = cls.kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
            cls.kms.create_alias(AliasName=f"alias/{label}",
                                 TargetKeyId=made["KeyMetadata"]["KeyId"])

    @classmethod
    def tearDownClass(cls):
        cls.kms.close()

    def environment(self, **changes):
        config = self.folder / "pkcs11.toml"
        config.write_text(self.token)
        changes.setdefault("CLAVIGER_PKCS11_CONFIG", str(config))
        return super().environment(**changes)

    def serve(self, label, config):
        """What a client is told of a server with this key, by TLS version."""
        certificate = self.certificate(label)
        server = self.background(
            "openssl", "s_server", "-engine", "pkcs11", "-keyform", "engine",
            "-key", private_uri(label), "-cert", certificate, "-accept",
            "127.0.0.1:0", "-www", OPENSSL_CONF=config)
        port = self.said(server, r"ACCEPT 127\.0\.0\.1:(\d+)")[1]
        for version in ("-tls1_2", "-tls1_3"):
            yield version, self.program(
                "openssl", "s_client", "-connect", f"localhost:{port}", version,
                "-CAfile", certificate, "-verify_return_error")

    def check(self, *engine_options):
        for label in KEYS:
            config = self.openssl_config(*engine_options)
            kept = self.path("kept.cnf")
            pathlib.Path(config).rename(kept)
            for version, shown in self.serve(label, kept):
                with self.subTest(label=label, version=version):
                    self.assertIn("Verify return code: 0 (ok)", shown)

    def test_a_server_whose_key_is_behind_tls(self):
        self.check()

    def test_also_where_the_engine_is_loaded_with_openssl(self):
        self.check("init = 1")

    def test_also_where_the_engine_is_everybodys(self):
        # OpenSSL asks it about RSA and EC keys of the whole process.
        self.check("init = 1", "default_algorithms = ALL")


if __name__ == "__main__":
    unittest.main()
