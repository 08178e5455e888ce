# SPDX-License-Identifier: Apache-2.0
"""What the tests of the OpenSSL provider have in common: programs that load it,
reference files, and `openssl` without it as the second opinion."""

import concurrent.futures
import os
import pathlib
import socket
import ssl
import threading

from testlib.pkcs11 import MESSAGE, Pkcs11Case
from testlib.server import BIN

PROVIDER = os.environ.get("CLAVIGER_OPENSSL_PROVIDER",
                          str(BIN.parent / "lib" / "claviger.so"))
CLAVIGER = BIN / "claviger"

# The keys of a file of tests: label, key spec, usage.
RSA = ("rsa", "RSA_2048", "SIGN_VERIFY")
P256 = ("p256", "ECC_NIST_P256", "SIGN_VERIFY")
P384 = ("p384", "ECC_NIST_P384", "SIGN_VERIFY")
P521 = ("p521", "ECC_NIST_P521", "SIGN_VERIFY")
ED25519 = ("ed25519", "ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
OAEP = ("oaep", "RSA_2048", "ENCRYPT_DECRYPT")
AGREE = ("agree", "ECC_NIST_P256", "KEY_AGREEMENT")

CONFIGURATION = """
openssl_conf = conf
[conf]
providers = providers
[providers]
{order}
[default_section]
activate = 1
[claviger_section]
module = {module}
activate = 1
{parameters}
[req]
distinguished_name = dn
[dn]
"""
DEFAULT = "default = default_section"
OURS = "claviger = claviger_section"


def uri(label):
    return f"claviger:alias/{label}"


HANDSHAKES = 1000
CLIENTS = 8


def handshakes(port, certificates, request=b"", ciphers=()):
    """What a TLS server answers to a thousand clients, eight at once, in a list.
    They take turns with the cipher lists, which are TLS 1.2's."""
    contexts = threading.local()

    def make(cipher):
        context = ssl.create_default_context()
        for certificate in certificates:
            context.load_verify_locations(certificate)
        if cipher:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(cipher)
        return context

    def client(number):
        if not hasattr(contexts, "own"):
            contexts.own = [make(cipher) for cipher in ciphers or (None,)]
        context = contexts.own[number % len(contexts.own)]
        with socket.create_connection(("127.0.0.1", port), 60) as plain:
            with context.wrap_socket(plain,
                                     server_hostname="localhost") as link:
                link.sendall(request)
                return b"".join(iter(lambda: link.recv(4096), b""))

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(client, range(HANDSHAKES)))


class OpensslCase(Pkcs11Case):
    """`KEYS` of a class are made once; their labels are their aliases."""

    KEYS = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.arns = {}
        for label, spec, usage in cls.KEYS:
            try:
                key = cls.kms.describe_key(KeyId=f"alias/{label}")
            except cls.kms.exceptions.NotFoundException:
                key = cls.kms.create_key(KeySpec=spec, KeyUsage=usage)
                cls.kms.create_alias(AliasName=f"alias/{label}",
                                     TargetKeyId=key["KeyMetadata"]["KeyId"])
            cls.arns[label] = key["KeyMetadata"]["Arn"]

    def configuration(self, *parameters, order=(DEFAULT, OURS)):
        """A new file for OPENSSL_CONF, as docs/openssl.md has it."""
        self.configurations = getattr(self, "configurations", 0) + 1
        return self.file(f"{self.configurations}.cnf", CONFIGURATION.format(
            order="\n".join(order), module=PROVIDER,
            parameters="\n".join(parameters)).encode())

    def environment(self, **changes):
        # No configuration of the machine's, unless a test says so.
        return super().environment(**{"OPENSSL_CONF": "/dev/null", **changes})

    def run_ours(self, *arguments, **changes):
        """Runs `openssl` with the provider."""
        if "OPENSSL_CONF" not in changes:
            changes["OPENSSL_CONF"] = self.configuration()
        return self.run_program("openssl", *arguments, **changes)

    def ours(self, *arguments, **changes):
        run = self.run_ours(*arguments, **changes)
        self.assertEqual(run.returncode, 0, f"{arguments}\n{run.stderr}")
        return run.stdout

    def refused(self, *arguments, **changes):
        """The same for what must fail; returns what it said."""
        run = self.run_ours(*arguments, **changes)
        self.assertNotEqual(run.returncode, 0, f"{arguments}")
        return run.stderr

    def plain(self, *arguments):
        """`openssl` without the provider."""
        return self.program("openssl", *arguments)

    def public(self, label):
        """The public key as the KMS gives it, in PEM."""
        path = self.file(f"{label}.spki", self.kms.get_public_key(
            KeyId=f"alias/{label}")["PublicKey"])
        out = self.path(f"{label}.pub")
        self.plain("pkey", "-pubin", "-inform", "DER", "-in", path, "-pubout",
                   "-out", out)
        return out

    def reference(self, name, *options):
        """The path of a reference file to alias/NAME."""
        text = self.program(CLAVIGER, "pem-reference", f"alias/{name}", *options)
        return self.file(f"{name}.ref", text.encode())

    def self_signed(self, label, *options, key=None):
        """A certificate of localhost and of `label` that may do everything."""
        path = self.path(f"{label}.pem")
        self.ours(
            "req", "-new", "-x509", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
            "extendedKeyUsage=serverAuth,clientAuth,emailProtection",
            *options, "-key", key or uri(label), "-out", path)
        return path

    def read(self, path):
        return pathlib.Path(path).read_bytes()

    def assert_message(self, path):
        self.assertEqual(self.read(path), MESSAGE)
