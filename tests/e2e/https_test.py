# SPDX-License-Identifier: Apache-2.0
"""TLS: who is served, who is not, and a new certificate without a restart."""

import contextlib
import shutil
import socket
import sqlite3
import ssl
import subprocess
import unittest
import warnings

import boto3
import botocore.config

from testlib import loopback
from testlib.clients import SECONDS
from testlib.installed import Installed, free_port


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True,
                   capture_output=True, timeout=SECONDS)


class Authority:
    """A certificate authority in a folder, and what it issues to 127.0.0.1."""

    def __init__(self, folder):
        self.folder = folder
        self.certificate = folder / "ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=Authority of a test",
                "-keyout", folder / "ca.key", "-out", self.certificate)

    def issue(self, serial, certificate, key):
        request = self.folder / "request.pem"
        names = self.folder / "names"
        names.write_text("subjectAltName=IP:127.0.0.1\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=127.0.0.1",
                "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate,
                "-CAkey", self.folder / "ca.key", "-set_serial", serial,
                "-days", "2", "-extfile", names, "-out", certificate)


class Https(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = Installed()
        cls.addClassCleanup(cls.server.close)
        cls.server.made()
        cls.folder = cls.server.folder / "tls"
        cls.folder.mkdir()
        cls.authority = Authority(cls.folder)
        cls.certificate = cls.folder / "certificate.pem"
        cls.key = cls.folder / "private-key.pem"
        cls.authority.issue(100, cls.certificate, cls.key)
        cls.port = free_port()
        cls.server.edit(
            '# https = "0.0.0.0:8443"         # Needs the two below.',
            f'https = "127.0.0.1:{cls.port}"')
        cls.server.edit(
            '# certificate = "/etc/claviger/tls/certificate.pem"',
            f'certificate = "{cls.certificate}"')
        cls.server.edit(
            '# private_key = "/etc/claviger/tls/private-key.pem"',
            f'private_key = "{cls.key}"')
        cls.server.start()

    def setUp(self):
        self.good = self.server.config.read_text()
        self.addCleanup(self.server.config.write_text, self.good)

    def client(self, verify):
        session = boto3.session.Session(
            aws_access_key_id=self.server.access_key,
            aws_secret_access_key=self.server.secret_key)
        client = session.client(
            "kms", region_name=self.server.region, verify=verify,
            endpoint_url=loopback(f"https://127.0.0.1:{self.port}"),
            config=botocore.config.Config(
                retries={"total_max_attempts": 1}, connect_timeout=SECONDS,
                read_timeout=SECONDS))
        self.addCleanup(client.close)
        return client

    def connect(self):
        link = socket.create_connection(("127.0.0.1", self.port), SECONDS)
        self.addCleanup(link.close)
        return link

    def handshake(self, **limits):
        context = ssl.create_default_context(cafile=self.authority.certificate)
        for name, value in limits.items():
            setattr(context, name, value)
        link = context.wrap_socket(self.connect(),
                                   server_hostname="127.0.0.1")
        self.addCleanup(link.close)
        return link

    def served_serial(self):
        """Of the certificate that a new connection is shown."""
        return int(self.handshake().getpeercert()["serialNumber"], 16)

    def test_serves_who_trusts_its_authority(self):
        kms = self.client(str(self.authority.certificate))
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        sealed = kms.encrypt(KeyId=key, Plaintext=b"kept")["CiphertextBlob"]
        self.assertEqual(kms.decrypt(CiphertextBlob=sealed)["Plaintext"],
                         b"kept")

    def test_is_refused_by_who_does_not(self):
        with self.assertRaises(botocore.exceptions.SSLError):
            self.client(True).list_keys()

    def test_our_own_client_checks_the_certificate_too(self):
        endpoint = f"https://127.0.0.1:{self.port}"
        run = self.server.claviger(
            "--endpoint", endpoint, "--ca-file", self.authority.certificate,
            "call", "ListKeys", **self.server.environment)
        self.assertEqual(run.returncode, 0, run.stderr)
        run = self.server.claviger("--endpoint", endpoint, "call", "ListKeys",
                                   **self.server.environment)
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn("the certificate of 127.0.0.1 is refused", run.stderr)

    def test_speaks_tls_1_2_and_1_3(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
                              (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            with self.subTest(name):
                link = self.handshake(minimum_version=version,
                                      maximum_version=version)
                self.assertEqual(link.version(), name)

    def test_refuses_tls_1_1(self):
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.set_ciphers("ALL:@SECLEVEL=0")  # So that it is the server.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises(ssl.SSLError) as caught:
            context.wrap_socket(self.connect(), server_hostname="127.0.0.1")
        self.assertEqual(caught.exception.reason,
                         "TLSV1_ALERT_PROTOCOL_VERSION")

    def test_drops_who_speaks_no_tls(self):
        link = self.connect()
        link.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        heard = b""
        try:
            while piece := link.recv(4096):
                heard += piece
        except ConnectionResetError:
            pass
        self.assertNotIn(b"HTTP", heard)
        self.served_serial()  # Others are served on.

    def test_takes_a_new_certificate_for_new_connections(self):
        before = self.served_serial()
        old = self.handshake()
        self.authority.issue(before + 1, self.certificate, self.key)
        self.assertEqual(self.served_serial(), before)
        self.assertIn("info: configuration reloaded", self.server.reload())
        self.assertEqual(self.served_serial(), before + 1)
        old.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(old.recv(4096).startswith(b"HTTP/1.1 "))

    def test_takes_it_though_no_wrong_password_can_be_forgotten(self):
        before = self.served_serial()
        self.authority.issue(before + 1, self.certificate, self.key)
        path = self.server.state / "claviger.db"
        with contextlib.closing(sqlite3.connect(path)) as store:
            store.executescript(
                "INSERT INTO wrong_passwords VALUES ('cluster-2abcdefghij', 1);"
                "CREATE TABLE keeper "
                "(cluster_id TEXT REFERENCES wrong_passwords (cluster_id));"
                "INSERT INTO keeper SELECT cluster_id FROM wrong_passwords;")
            try:
                self.assertIn("info: configuration reloaded",
                              self.server.reload())
                self.assertIn(
                    "error: the passwords of CloudHSM clusters cannot be "
                    "compared again: ", self.server.log_text())
            finally:
                store.executescript("DROP TABLE keeper;"
                                    "DELETE FROM wrong_passwords;")
        self.assertEqual(self.served_serial(), before + 1)

    def keeps_on(self, *words):
        """SIGHUP changes nothing, and says `words`."""
        before = self.served_serial()
        said = self.server.reload()
        self.assertIn("error: nothing was reloaded: ", said)
        for word in words:
            self.assertIn(word, said)
        self.assertEqual(self.served_serial(), before)

    def test_keeps_its_certificate_if_the_new_one_cannot_be_used(self):
        for broken in (self.certificate, self.key):
            with self.subTest(broken.name):
                kept = broken.read_bytes()
                try:
                    broken.write_text("nonsense\n")
                    self.keeps_on(f"cannot use {broken}")
                    broken.unlink()
                    self.keeps_on(f"cannot use {broken}")
                finally:
                    broken.write_bytes(kept)

    def test_keeps_its_certificate_if_the_key_is_anothers(self):
        kept = self.key.read_bytes()
        try:
            self.authority.issue(7, self.folder / "other.pem", self.key)
            self.keeps_on(f"cannot use {self.key}")
        finally:
            self.key.write_bytes(kept)

    def test_keeps_on_with_a_key_in_its_configuration_that_is_not_known(self):
        self.server.config.write_text("nonsense = 1\n" + self.good)
        self.keeps_on(f"{self.server.config}:1: unknown key 'nonsense'")

    def test_keeps_on_with_a_configuration_that_is_no_toml(self):
        self.server.config.write_text(self.good + "\n[listen\n")
        self.keeps_on(f"{self.server.config}:{self.good.count(chr(10)) + 2}: ")

    def test_keeps_on_without_a_configuration(self):
        self.server.config.unlink()
        self.keeps_on(f"{self.server.config}:")

    def test_says_that_other_files_need_a_restart(self):
        other = self.folder / "copy.pem"
        shutil.copy(self.certificate, other)
        self.server.edit(f'certificate = "{self.certificate}"',
                         f'certificate = "{other}"')
        self.keeps_on("that needs a restart")


if __name__ == "__main__":
    unittest.main()
