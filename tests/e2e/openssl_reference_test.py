# SPDX-License-Identifier: Apache-2.0
"""Reference files: PEM that stands for a key of the KMS, for programs that can
read files only; and what happens to all other PEM and DER that they read."""

import base64
import os
import pathlib
import random
import socket
import unittest

from testlib.openssl import (CLAVIGER, ED25519, P256, P384, RSA, OpensslCase,
                             uri)

BEGIN = "-----BEGIN CLAVIGER KEY URI-----"
END = "-----END CLAVIGER KEY URI-----"
DESCRIPTION = b"claviger key uri v1"


def element(tag, content):
    size = len(content)
    head = (bytes([size]) if size < 128 else bytes([0x81, size]) if size < 256
            else b"\x82" + size.to_bytes(2, "big"))
    return bytes([tag]) + head + content


def reference(text, description=DESCRIPTION, more=b""):
    """The DER as docs/openssl.md describes it, by another hand than ours."""
    return element(0x30, element(0x1A, description) +
                   element(0x0C, text.encode()) + more)


def pem(der, label="CLAVIGER KEY URI"):
    lines = base64.encodebytes(der).decode().replace("\n", "")
    body = "\n".join(lines[at:at + 64] for at in range(0, len(lines), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


class PemReferenceTest(OpensslCase):
    """`claviger pem-reference`, which needs no server."""

    def made(self, *arguments):
        return self.program(CLAVIGER, "pem-reference", *arguments,
                            CLAVIGER_SOCKET="/absent.sock").encode()

    def test_the_file_holds_the_uri(self):
        for arguments, text in (
                (("alias/web",), "claviger:alias/web"),
                (("claviger:alias/web",), "claviger:alias/web"),
                (("alias/web", "--region", "eu-west-1"),
                 "claviger:alias/web?region=eu-west-1"),
                (("alias/web", "--endpoint", "https://kms.example:8443",
                  "--profile", "signing"),
                 "claviger:alias/web?endpoint=https://kms.example:8443"
                 "&profile=signing"),
                (("claviger:alias/web?region=eu-west-1", "--type", "RSA-PSS"),
                 "claviger:alias/web?region=eu-west-1&type=RSA-PSS"),
                (("alias/" + "w" * 300,), "claviger:alias/" + "w" * 300)):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.made(*arguments), pem(reference(text)))

    def test_it_says_what_programs_will_refuse(self):
        for arguments, text in (
                ((), ""), (("--region", "eu-west-1"), ""),
                (("--endpoint", "https://kms.example"), "endpoint is another"),
                (("--profile", "signing"), "a profile or a token"),
                (("--token", "first"), "a profile or a token")):
            with self.subTest(arguments=arguments):
                run = self.run_program(CLAVIGER, "pem-reference", "alias/web",
                                       *arguments)
                self.assertEqual(run.returncode, 0)
                self.assertEqual(bool(run.stderr), bool(text))
                self.assertIn(text, run.stderr)

    def test_names_that_cannot_be(self):
        for arguments in (("",), ("alias/web\n",),
                          ("claviger:alias/web?colour=red",),
                          ("alias/web", "--type", "EC"), ("a" * 3000,)):
            with self.subTest(arguments=arguments):
                run = self.run_program(CLAVIGER, "pem-reference", *arguments)
                self.assertEqual((run.returncode, run.stdout), (2, ""))
                self.assertIn("not a URI of a key", run.stderr)


class ReferenceTest(OpensslCase):
    KEYS = (RSA, P256, P384, ED25519)

    def test_a_reference_is_the_key(self):
        out = self.path("out")
        for label, *_ in self.KEYS:
            with self.subTest(label=label):
                self.ours("pkey", "-in", self.reference(label), "-pubout",
                          "-out", out)
                self.assertEqual(self.read(out), self.read(self.public(label)))
                self.ours("req", "-new", "-x509", "-subj", "/CN=x", "-key",
                          self.reference(label), "-out", out)
                self.plain("verify", "-CAfile", out, out)

    def test_as_der(self):
        out = self.path("out")
        file = self.file("der", reference(uri("p256")))
        self.ours("pkey", "-in", file, "-pubout", "-out", out)
        self.ours("pkey", "-inform", "DER", "-in", file, "-pubout", "-out", out)
        self.assertEqual(self.read(out), self.read(self.public("p256")))

    def test_one_behind_certificates_and_text(self):
        out = self.path("out")
        bundle = self.file("bundle", b"".join((
            self.read(self.self_signed("p256")), b"\nSome text\n",
            self.read(self.self_signed("rsa")),
            self.read(self.reference("p256")).replace(b"\n", b"\r\n"))))
        self.ours("pkey", "-in", bundle, "-pubout", "-out", out)
        self.assertEqual(self.read(out), self.read(self.public("p256")))
        shown = self.ours("storeutl", "-noout", bundle)
        self.assertIn("Total found: 3\n", shown)

    def test_damaged_ones_are_refused_with_a_reason(self):
        good = reference(uri("p256"))
        for der, text in (
                (good[:-1], "damaged"), (good + b"\0", "damaged"),
                (reference(uri("p256"), more=element(0x05, b"")), "damaged"),
                (reference("pkcs11:object=p256"), "not a URI of a key"),
                (reference("claviger:alias/p256?x=y"), "no option x"),
                (reference("claviger:" + "a" * 2100), "damaged"),
                (reference("claviger:alias/absent"), "alias/absent")):
            with self.subTest(der=der[:60]):
                self.assertIn(text, self.refused(
                    "pkey", "-pubout", "-in", self.file("bad", pem(der))))
        whole = pem(good).decode()
        for text in (whole.replace(END, ""), whole.replace("=", ""),
                     BEGIN + "\n" + "A" * 100_000 + "\n" + END + "\n",
                     BEGIN + "\n!!!!\n" + END + "\n"):
            with self.subTest(text=text[:60]):
                self.assertIn("damaged: make it anew", self.refused(
                    "pkey", "-pubout", "-in", self.file("bad", text.encode())))

    def test_one_does_not_say_where_requests_go(self):
        """Whatever it is read as."""
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.bind(self.path("stranger"))
            stranger.listen()
            stranger.setblocking(False)
            for option in (f"endpoint={self.path('stranger')}",
                           "profile=other", "token=other"):
                name = self.file("bad", pem(reference(
                    uri("p256") + "?" + option)))
                for words in (("pkey",), ("pkey", "-pubin"), ("storeutl",)):
                    with self.subTest(option=option, words=words):
                        run = self.run_ours(*words, "-in"
                                            if words[0] == "pkey" else
                                            "-noout", name)
                        self.assertIn("`reference_options = allow`",
                                      run.stderr)
            self.assertRaises(BlockingIOError, stranger.accept)

    def test_one_may_where_the_operator_allows_it(self):
        allowed = {"OPENSSL_CONF":
                   self.configuration("reference_options = allow"),
                   "CLAVIGER_SOCKET": "/absent.sock"}
        socket_path = self.server.environment["CLAVIGER_SOCKET"]
        far = self.reference("p256", "--endpoint", socket_path)
        self.ours("pkey", "-in", far, "-noout", **allowed)
        self.ours("pkey", "-in", far, "-noout")  # It is what is configured.
        self.ours("pkey", "-in", far, "-noout",
                  OPENSSL_CONF=self.configuration(f"endpoint = {socket_path}"),
                  CLAVIGER_SOCKET="/absent.sock")
        self.assertIn("can only be `allow`", self.refused(
            "pkey", "-in", far, "-noout",
            OPENSSL_CONF=self.configuration("reference_options = yes")))

    def test_what_only_looks_like_one_is_not_ours(self):
        for der in (reference(uri("p256"), b"claviger key uri v2"),
                    reference(uri("p256"), b"PKCS#11 Provider URI v1.0"),
                    b"\x30\x80\x1a", b"\x30", b""):
            with self.subTest(der=der):
                self.assertNotIn("claviger:", self.refused(
                    "pkey", "-pubout", "-in",
                    self.file("other", pem(der, "OTHER KEY URI"))))

    def test_huge_and_random_files_end_as_without_us(self):
        chance = random.Random(6)
        noise = chance.randbytes(1 << 14)
        files = [noise, pem(noise), pem(noise, "PRIVATE KEY"),
                 b"-----BEGIN " + b"A" * (1 << 14), b"A" * (1 << 14),
                 reference(uri("p256"))[:25] + noise,
                 b"\x30\x84\xff\xff\xff\xff\x1a\x13" + DESCRIPTION]
        files += [chance.randbytes(chance.randrange(400)) for _ in range(20)]
        for number, data in enumerate(files):
            with self.subTest(number=number):
                run = self.run_ours("pkey", "-pubout", "-in",
                                    self.file("noise", data))
                self.assertEqual(run.returncode, 1, run.stderr)

    def test_files_of_others_are_read_as_without_us(self):
        key = self.path("key")
        for options in (("RSA",), ("EC", "-pkeyopt", "group:P-256"),
                        ("ED25519",)):
            self.plain("genpkey", "-algorithm", *options, "-out", key)
            for form in ((), ("-traditional",), ("-outform", "DER"),
                         ("-aes256", "-passout", "pass:secret")):
                changed = self.path("changed")
                if "ED25519" in options and "-traditional" in form:
                    continue  # There is none.
                self.plain("pkey", "-in", key, *form, "-out", changed)
                with self.subTest(options=options, form=form):
                    words = ("pkey", "-passin", "pass:secret", "-in", changed)
                    self.assertEqual(self.ours(*words), self.plain(*words))
                    self.assertEqual(self.ours(*words, "-pubout"),
                                     self.plain(*words, "-pubout"))

    def test_a_file_without_a_key_says_nothing_of_us(self):
        said = self.refused("pkey", "-in", self.self_signed("rsa"))
        self.assertNotIn("claviger", said.replace(str(self.folder), ""))

    def test_the_file_is_read_by_python_and_curl(self):
        # In a process of its own: the configuration is OpenSSL's of that.
        program = ("import ssl, sys; "
                   "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); "
                   "context.load_cert_chain(*sys.argv[1:])")
        for label, key, good in (("p256", "p256", True), ("rsa", "rsa", True),
                                 ("p256", "rsa", False),
                                 ("p256", "p384", False)):
            with self.subTest(label=label, key=key):
                run = self.run_program(
                    "/usr/bin/python3", "-c", program, self.self_signed(label),
                    self.reference(key), OPENSSL_CONF=self.configuration())
                self.assertEqual(run.returncode == 0, good, run.stderr)


if __name__ == "__main__":
    unittest.main()
