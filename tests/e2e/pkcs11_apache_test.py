# SPDX-License-Identifier: Apache-2.0
"""Apache serves TLS with keys of the KMS: it reads its configuration twice,
unloads its own modules in between, and forks processes that drop to another
user."""

import os
import shutil
import signal
import unittest

from testlib.faults import wait_until
from testlib.installed import free_port
from testlib.pkcs11 import Pkcs11Case, private_uri
from testlib.web_servers import (
    APACHE as APACHE_CONFIGURATION, APACHE_MODULES, APACHE_USER)

APACHE = shutil.which("apache2", path="/usr/sbin:/usr/bin")
PROCESSES = 2

LABELS = ("apache-rsa", "apache-ec")
CIPHERS = {"apache-rsa": "ECDHE-RSA-AES128-GCM-SHA256",
           "apache-ec": "ECDHE-ECDSA-AES128-GCM-SHA256"}


class ApacheTest(Pkcs11Case):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for label, spec in zip(LABELS, ("RSA_2048", "ECC_NIST_P256")):
            key = cls.kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
            cls.kms.create_alias(AliasName=f"alias/{label}",
                                 TargetKeyId=key["KeyMetadata"]["KeyId"])

    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)  # The user of the processes reads it.
        self.port = free_port()
        self.certificates = {label: self.certificate(label)
                             for label in LABELS}
        (self.folder / "htdocs").mkdir()
        self.file("htdocs/index.html", b"served")
        configuration = self.file("apache.conf", APACHE_CONFIGURATION.format(
            workers=PROCESSES, folder=self.folder, port=self.port,
            modules=APACHE_MODULES, user=APACHE_USER,
            more="SSLCryptoDevice pkcs11",
            rsa=self.certificates["apache-rsa"],
            rsa_key=private_uri("apache-rsa"),
            ec=self.certificates["apache-ec"],
            ec_key=private_uri("apache-ec")).encode())
        self.program(APACHE, "-f", configuration, "-k", "start",
                     OPENSSL_CONF=self.openssl_config())
        self.addCleanup(self.stop)
        self.pid = wait_until(self.read_pid, "Apache writes its pid")

    def environment(self, **changes):
        """Without the socket: whoever the processes run as, they have an access
        key."""
        environment = super().environment(**changes)
        del environment["CLAVIGER_SOCKET"]
        return environment

    def read_pid(self):
        path = self.folder / "pid"
        return int(path.read_text()) if path.exists() else None

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        wait_until(lambda: not (self.folder / "pid").exists(), "Apache ends")

    def errors(self):
        return (self.folder / "error.log").read_text()

    def get(self, label):
        """What is served to a client that wants the certificate `label`."""
        run = self.run_program(
            "curl", "--silent", "--show-error", "--tls-max", "1.2",
            "--ciphers", CIPHERS[label], "--cacert", self.certificates[label],
            f"https://localhost:{self.port}/index.html")
        self.assertEqual(run.returncode, 0, run.stderr + self.errors())
        return run.stdout

    def test_both_kinds_of_keys_serve_also_after_a_graceful_restart(self):
        for _ in range(2):
            for label in LABELS * PROCESSES:
                self.assertEqual(self.get(label), "served")
            restarts = self.errors().count("resuming normal operations")
            os.kill(self.pid, signal.SIGUSR1)
            wait_until(lambda: self.errors().count(
                "resuming normal operations") > restarts, "Apache goes on")
        self.assertNotIn("exit signal", self.errors())


if __name__ == "__main__":
    unittest.main()
