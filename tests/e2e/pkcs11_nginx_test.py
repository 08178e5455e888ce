# SPDX-License-Identifier: Apache-2.0
"""nginx serves TLS with keys of the KMS: a daemon that loads the module in its
master and uses it in worker processes that never initialise it."""

import os
import pathlib
import shutil
import signal
import unittest

from testlib.faults import wait_until
from testlib.installed import free_port
from testlib.pkcs11 import Pkcs11Case, private_uri
from testlib.web_servers import NGINX as NGINX_CONFIGURATION, NGINX_USER

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
WORKERS = 2

MORE = """
ssl_engine pkcs11;
env CLAVIGER_SOCKET;
env XDG_CONFIG_HOME;
"""

# TLS version, a cipher list that wants a kind of key, and the certificate.
HANDSHAKES = (
    ("1.2", ("--ciphers", "ECDHE-RSA-AES128-GCM-SHA256"), "nginx-rsa"),
    ("1.2", ("--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"), "nginx-ec"),
    ("1.3", (), "nginx-ec"),
)


class NginxTest(Pkcs11Case):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for label, spec in (("nginx-rsa", "RSA_2048"),
                            ("nginx-ec", "ECC_NIST_P256")):
            key = cls.kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
            cls.kms.create_alias(AliasName=f"alias/{label}",
                                 TargetKeyId=key["KeyMetadata"]["KeyId"])

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.certificates = {label: self.certificate(label)
                             for label in ("nginx-rsa", "nginx-ec")}
        configuration = self.file("nginx.conf", NGINX_CONFIGURATION.format(
            workers=WORKERS, folder=self.folder, port=self.port,
            # The caller's uid is who asks the KMS.
            user=NGINX_USER, more=MORE,
            rsa=self.certificates["nginx-rsa"],
            rsa_key="engine:pkcs11:" + private_uri("nginx-rsa"),
            ec=self.certificates["nginx-ec"],
            ec_key="engine:pkcs11:" + private_uri("nginx-ec")).encode())
        self.program(NGINX, "-c", configuration, "-p", self.folder,
                     OPENSSL_CONF=self.openssl_config())
        self.addCleanup(self.quit)
        self.pid = wait_until(self.read_pid, "nginx writes its pid")

    def read_pid(self):
        path = self.folder / "pid"
        return int(path.read_text()) if path.exists() else None

    def quit(self):
        os.kill(self.pid, signal.SIGQUIT)
        wait_until(lambda: not (self.folder / "pid").exists(), "nginx ends")

    def errors(self):
        return (self.folder / "error.log").read_text()

    def run_curl(self, version="1.3", options=(), label="nginx-ec"):
        return self.run_program(
            "curl", "--silent", "--show-error", f"--tlsv{version}",
            "--tls-max", version, *options, "--cacert",
            self.certificates[label], f"https://localhost:{self.port}/")

    def get(self, *arguments):
        """The pid of the worker that answered."""
        run = self.run_curl(*arguments)
        self.assertEqual(run.returncode, 0, run.stderr + self.errors())
        return int(run.stdout)

    def workers_that_answer(self):
        """All of them, or the test does not end."""
        answered = set()

        def ask():
            answered.add(self.get())
            return len(answered) == WORKERS

        wait_until(ask, "every worker answers")
        return answered

    def test_both_workers_serve_every_version_and_kind_of_key(self):
        self.assertNotIn(self.pid, self.workers_that_answer())
        for handshake in HANDSHAKES:
            with self.subTest(handshake=handshake):
                self.get(*handshake)
        # RSA in TLS 1.3 is PSS.
        shown = self.program(
            "openssl", "s_client", "-connect", f"localhost:{self.port}",
            "-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256", "-CAfile",
            self.certificates["nginx-rsa"], "-verify_return_error")
        self.assertIn("Peer signature type: RSA-PSS", shown)

    def test_workers_of_a_new_configuration_sign(self):
        before = self.workers_that_answer()
        os.kill(self.pid, signal.SIGHUP)
        wait_until(lambda: self.errors().count("gracefully shutting down") ==
                   WORKERS, "the old workers end")
        wait_until(lambda: not any(pathlib.Path(f"/proc/{worker}").exists()
                                   for worker in before), "they are gone")
        self.assertFalse(before & self.workers_that_answer())
        self.assertNotIn("exited on signal", self.errors())

    def test_a_server_that_was_away_costs_no_worker_its_key(self):
        before = self.workers_that_answer()
        self.server.stop()
        try:
            self.assertNotEqual(self.run_curl().returncode, 0)
        finally:
            self.server.start()
        self.assertEqual(self.workers_that_answer(), before)


if __name__ == "__main__":
    unittest.main()
