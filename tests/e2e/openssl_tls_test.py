# SPDX-License-Identifier: Apache-2.0
"""TLS with keys of the KMS, as server and as client, of `openssl`, curl and
Python; the other side knows nothing of the provider."""

import subprocess
import unittest

from testlib.openssl import (DEFAULT, ED25519, HANDSHAKES, OURS, P256, P384,
                             RSA, OpensslCase, handshakes, uri)

VERSIONS = ("-tls1_2", "-tls1_3")

# A TLS server in Python that greets whoever comes and says how it ends.
SERVER = """
import socket, ssl, sys, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0), backlog=64)
print("port", listener.getsockname()[1], flush=True)

def serve():
    while True:
        plain, _ = listener.accept()
        try:
            with context.wrap_socket(plain, server_side=True) as link:
                link.sendall(b"hello")
        except OSError as error:
            print("failed", error, flush=True)

for _ in range(8):
    threading.Thread(target=serve, daemon=True).start()
sys.stdin.read()
"""

# One in Python that wants a certificate of who comes, and answers HTTP.
MUTUAL = """
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
context.load_verify_locations(sys.argv[3])
context.verify_mode = ssl.CERT_REQUIRED
listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
while True:
    plain, _ = listener.accept()
    try:
        with context.wrap_socket(plain, server_side=True) as link:
            link.recv(4096)
            link.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nwelcome")
    except OSError as error:
        print("failed", error, flush=True)
"""


class TlsCase(OpensslCase):
    KEYS = (RSA, P256, P384, ED25519)

    def s_server(self, certificate, key, *options, **changes):
        """The port of an s_server with the provider."""
        server = self.background(
            "openssl", "s_server", "-cert", certificate, "-key", key,
            "-accept", "127.0.0.1:0", "-www", *options,
            **{"OPENSSL_CONF": self.configuration(), **changes})
        return self.said(server, r"ACCEPT 127\.0\.0\.1:(\d+)")[1]

    def python_server(self, program, *arguments, **changes):
        """The port of a program above."""
        process = subprocess.Popen(
            ["/usr/bin/python3", "-c", program, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=self.environment(**changes))

        def end():
            process.terminate()
            process.communicate()

        self.addCleanup(end)
        return int(self.said(process, r"^port (\d+)")[1])


class ServerTest(TlsCase):

    def test_every_key_version_and_name(self):
        for label, *_ in self.KEYS:
            certificate = self.self_signed(label)
            for key in (uri(label), self.reference(label)):
                port = self.s_server(certificate, key)
                for version in VERSIONS:
                    with self.subTest(key=key, version=version):
                        shown = self.plain(
                            "s_client", "-connect", f"localhost:{port}",
                            version, "-CAfile", certificate,
                            "-verify_return_error")
                        self.assertIn("Verify return code: 0 (ok)", shown)

    def test_what_is_signed(self):
        certificate = self.self_signed("rsa")
        port = self.s_server(certificate, uri("rsa"))
        for version, wanted, shown in (
                ("-tls1_2", "RSA+SHA256", "RSA"),
                ("-tls1_2", "RSA+SHA512", "RSA"),
                ("-tls1_2", "rsa_pss_rsae_sha384", "RSA-PSS"),
                ("-tls1_3", "rsa_pss_rsae_sha256", "RSA-PSS"),
                ("-tls1_3", "rsa_pss_rsae_sha512", "RSA-PSS")):
            with self.subTest(version=version, wanted=wanted):
                self.assertRegex(self.plain(
                    "s_client", "-connect", f"localhost:{port}", version,
                    "-sigalgs", wanted, "-CAfile", certificate,
                    "-verify_return_error"),
                    rf"Peer signature type: {shown}\n")

    def test_a_key_for_pss_only(self):
        key = uri("rsa") + "?type=RSA-PSS"
        certificate = self.self_signed("rsa", key=key)
        port = self.s_server(certificate, key)
        for version in VERSIONS:
            with self.subTest(version=version):
                self.assertIn("Peer signature type: RSA-PSS", self.plain(
                    "s_client", "-connect", f"localhost:{port}", version,
                    "-CAfile", certificate, "-verify_return_error"))

    def test_tls_rsa_is_not_offered_and_does_no_harm(self):
        """Key transport needs a decryption that no KMS does."""
        certificate = self.self_signed("rsa")
        port = self.s_server(certificate, uri("rsa"))
        run = self.run_program("openssl", "s_client", "-connect",
                               f"localhost:{port}", "-tls1_2", "-cipher",
                               "AES128-GCM-SHA256")
        self.assertNotEqual(run.returncode, 0)
        self.plain("s_client", "-connect", f"localhost:{port}", "-CAfile",
                   certificate, "-verify_return_error")

    def test_a_certificate_of_another_key(self):
        for label, key in (("rsa", uri("oaep")), ("p256", uri("p384")),
                           ("p256", self.reference("other"))):
            for other in ("oaep", "other"):
                try:
                    self.new("RSA_2048" if other == "oaep" else "ECC_NIST_P256",
                             "SIGN_VERIFY", other)
                except self.kms.exceptions.AlreadyExistsException:
                    pass
            with self.subTest(label=label, key=key):
                said = self.refused(
                    "s_server", "-cert", self.self_signed(label), "-key", key,
                    "-accept", "127.0.0.1:0")
                self.assertRegex(said, "key values mismatch|key type mismatch")

    def test_a_kms_that_goes_away_and_comes_back(self):
        certificate = self.self_signed("p256")
        port = self.s_server(certificate, uri("p256"))
        client = ("openssl", "s_client", "-connect", f"localhost:{port}",
                  "-CAfile", certificate, "-verify_return_error")
        self.program(*client)
        self.server.stop()
        try:
            self.assertNotEqual(self.run_program(*client).returncode, 0)
        finally:
            self.server.start()
        self.program(*client)


class OrderTest(TlsCase):
    """What docs/openssl.md warns of: `default` listed last."""

    def software(self, *algorithm):
        name = algorithm[0]
        key, certificate = self.path(f"{name}.key"), self.path(f"{name}.pem")
        self.plain("genpkey", "-algorithm", *algorithm, "-out", key)
        self.plain("req", "-new", "-x509", "-config", self.configuration(),
                   "-subj", "/CN=localhost", "-key", key, "-out", certificate)
        return certificate, key

    def shakes(self, certificate, key, order, version):
        port = self.s_server(certificate, key,
                             OPENSSL_CONF=self.configuration(order=order))
        return self.run_program(
            "openssl", "s_client", "-connect", f"localhost:{port}", version,
            "-CAfile", certificate,
            "-verify_return_error").returncode == 0

    def test_tls_1_2_with_curves_needs_default_first(self):
        curve = self.software("EC", "-pkeyopt", "group:P-256")
        ours = (self.self_signed("p256"), uri("p256"))
        for pair, version, good in (
                (curve, "-tls1_2", False), (ours, "-tls1_2", False),
                (curve, "-tls1_3", True), (ours, "-tls1_3", True)):
            with self.subTest(key=pair[1], version=version):
                self.assertTrue(self.shakes(*pair, (DEFAULT, OURS), version))
                self.assertEqual(self.shakes(*pair, (OURS, DEFAULT), version),
                                 good)

    def test_software_keys_sign_and_stay_in_software(self):
        signature = self.path("signature")
        for algorithm in (("RSA",), ("EC", "-pkeyopt", "group:P-256")):
            certificate, key = self.software(*algorithm)
            public = self.file("soft.pub", self.plain(
                "x509", "-noout", "-pubkey", "-in", certificate).encode())
            with self.subTest(algorithm=algorithm):
                self.ours("dgst", "-sha256", "-sign", key, "-out", signature,
                          self.message, CLAVIGER_SOCKET="/absent.sock",
                          OPENSSL_CONF=self.configuration(
                              order=(OURS, DEFAULT)))
                self.plain("dgst", "-sha256", "-verify", public, "-signature",
                           signature, self.message)


class ClientTest(TlsCase):

    def test_every_key_authenticates_a_client(self):
        """To a server that has its key in a file."""
        key, certificate = self.path("server.key"), self.path("server.pem")
        self.plain("req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes",
                   "-config", self.configuration(), "-subj", "/CN=localhost",
                   "-addext", "subjectAltName=DNS:localhost", "-keyout", key,
                   "-out", certificate)
        for label, *_ in self.KEYS:
            own = self.self_signed(label)
            port = self.python_server(MUTUAL, certificate, key, own)
            for version in VERSIONS:
                with self.subTest(label=label, version=version):
                    run = subprocess.run(
                        ["openssl", "s_client", "-connect",
                         f"localhost:{port}", version, "-CAfile", certificate,
                         "-verify_return_error", "-cert", own, "-key",
                         uri(label), "-quiet"], input="GET / HTTP/1.0\r\n\r\n",
                        text=True, capture_output=True, timeout=60,
                        check=False, env=self.environment(
                            OPENSSL_CONF=self.configuration()))
                    self.assertIn("welcome", run.stdout, run.stderr)
            with self.subTest(label=label, client="curl"):
                arguments = ("curl", "--silent", "--show-error", "--cacert",
                             certificate, "--cert", own, "--key",
                             self.reference(label),
                             f"https://localhost:{port}/")
                self.assertEqual(self.program(
                    *arguments, OPENSSL_CONF=self.configuration()), "welcome")
                self.assertNotEqual(self.run_program(*arguments).returncode, 0)


class ManyHandshakesTest(TlsCase):

    def test_a_thousand_handshakes_of_a_server_with_threads(self):
        certificate = self.self_signed("p256")
        port = self.python_server(SERVER, certificate, self.reference("p256"),
                                  OPENSSL_CONF=self.configuration())
        self.assertEqual(handshakes(port, [certificate]),
                         [b"hello"] * HANDSHAKES)


if __name__ == "__main__":
    unittest.main()
