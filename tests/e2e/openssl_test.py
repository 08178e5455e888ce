# SPDX-License-Identifier: Apache-2.0
"""`openssl` with keys of the KMS, by their URI. Everything that it makes is
checked by an `openssl` that has no provider of ours."""

import base64
import json
import unittest

from testlib.openssl import (AGREE, CLAVIGER, ED25519, OAEP, P256, P384, P521,
                             RSA, OpensslCase, uri)
from testlib.pkcs11 import MESSAGE

SIGNERS = (RSA, P256, P384, P521)
PSS = ("-sigopt", "rsa_padding_mode:pss")
HASHES = ("sha256", "sha384", "sha512")


class SignatureTest(OpensslCase):
    KEYS = (*SIGNERS, ED25519)

    def test_dgst_with_every_key_and_hash(self):
        signature = self.path("signature")
        for label, *_ in SIGNERS:
            public = self.public(label)
            for digest in HASHES:
                with self.subTest(label=label, digest=digest):
                    self.ours("dgst", f"-{digest}", "-sign", uri(label),
                              "-out", signature, self.message)
                    self.plain("dgst", f"-{digest}", "-verify", public,
                               "-signature", signature, self.message)

    def test_curves_sign_more_hashes(self):
        signature = self.path("signature")
        for label in ("p256", "p384", "p521"):
            for digest in ("sha224", "sha3-256", "sha3-512", "sha512-256"):
                with self.subTest(label=label, digest=digest):
                    self.ours("dgst", f"-{digest}", "-sign", uri(label),
                              "-out", signature, self.message)
                    self.plain("dgst", f"-{digest}", "-verify",
                               self.public(label), "-signature", signature,
                               self.message)

    def test_dgst_with_pss(self):
        signature, public = self.path("signature"), self.public("rsa")
        for options in ((), ("-sigopt", "rsa_pss_saltlen:digest"),
                        ("-sigopt", "rsa_pss_saltlen:-1"),
                        ("-sigopt", "rsa_mgf1_md:sha384"),
                        ("-sigopt", "rsa_pss_saltlen:48")):
            with self.subTest(options=options):
                self.ours("dgst", "-sha384", *PSS, *options, "-sign",
                          uri("rsa"), "-out", signature, self.message)
                self.plain("dgst", "-sha384", *PSS, "-sigopt",
                           "rsa_pss_saltlen:48", "-verify", public,
                           "-signature", signature, self.message)

    def test_pkeyutl_of_a_digest(self):
        digest, signature = self.path("digest"), self.path("signature")
        self.plain("dgst", "-sha256", "-binary", "-out", digest, self.message)
        for label, options in (
                ("rsa", ("-pkeyopt", "digest:sha256")),
                ("rsa", ("-pkeyopt", "digest:sha256", "-pkeyopt",
                         "rsa_padding_mode:pss", "-pkeyopt",
                         "rsa_pss_saltlen:digest")),
                ("p256", ()), ("p384", ("-pkeyopt", "digest:sha256"))):
            with self.subTest(label=label, options=options):
                self.ours("pkeyutl", "-sign", "-inkey", uri(label), *options,
                          "-in", digest, "-out", signature)
                self.plain("pkeyutl", "-verify", "-pubin", "-inkey",
                           self.public(label), *options, "-in", digest,
                           "-sigfile", signature)

    def test_pkeyutl_of_a_message(self):
        signature = self.path("signature")
        for label, options in (("ed25519", ()), ("rsa", ("-digest", "sha512")),
                               ("p256", ("-digest", "sha256"))):
            with self.subTest(label=label):
                self.ours("pkeyutl", "-sign", "-rawin", *options, "-inkey",
                          uri(label), "-in", self.message, "-out", signature)
                self.plain("pkeyutl", "-verify", "-rawin", *options, "-pubin",
                           "-inkey", self.public(label), "-in", self.message,
                           "-sigfile", signature)

    def test_a_private_key_verifies_too(self):
        signature = self.path("signature")
        other = self.file("other", b"another message")
        for label, options, good in (
                ("rsa", ("-sha256",), True), ("rsa", ("-sha256", *PSS), True),
                ("p256", ("-sha384",), True), ("rsa", ("-sha256",), False),
                ("p256", ("-sha256",), False)):
            with self.subTest(label=label, options=options, good=good):
                self.ours("dgst", *options, "-sign", uri(label), "-out",
                          signature, self.message)
                run = self.run_ours("dgst", *options, "-prverify", uri(label),
                                    "-signature", signature,
                                    self.message if good else other)
                self.assertEqual(run.returncode == 0, good, run.stderr)

    def test_a_private_key_of_ed25519_verifies_too(self):
        signature = self.path("signature")
        arguments = ("-rawin", "-inkey", uri("ed25519"), "-in")
        self.ours("pkeyutl", "-sign", *arguments, self.message, "-out",
                  signature)
        self.ours("pkeyutl", "-verify", *arguments, self.message, "-sigfile",
                  signature)
        self.refused("pkeyutl", "-verify", *arguments,
                     self.file("other", b"another"), "-sigfile", signature)


class CertificateTest(OpensslCase):
    KEYS = (*SIGNERS, ED25519)

    def test_requests_and_certificates(self):
        authority = self.self_signed("rsa")
        request, made = self.path("request.pem"), self.path("made.pem")
        for label, *_ in self.KEYS:
            with self.subTest(label=label):
                own = self.self_signed(label)
                self.plain("verify", "-check_ss_sig", "-CAfile", own, own)
                self.ours("req", "-new", "-subj", "/CN=app", "-key", uri(label),
                          "-out", request)
                self.assertIn("verify OK", self.run_program(
                    "openssl", "req", "-verify", "-noout", "-in",
                    request).stderr)
                self.ours("x509", "-req", "-in", request, "-CA", authority,
                          "-CAkey", uri("rsa"), "-CAcreateserial", "-days",
                          "2", "-out", made)
                self.assertIn("OK", self.plain("verify", "-CAfile", authority,
                                               made))

    def test_every_key_is_an_authority(self):
        request, made = self.path("request.pem"), self.path("made.pem")
        self.ours("req", "-new", "-subj", "/CN=app", "-key", uri("rsa"),
                  "-out", request)
        for label, *_ in self.KEYS:
            with self.subTest(label=label):
                authority = self.self_signed(label)
                self.ours("x509", "-req", "-in", request, "-CA", authority,
                          "-CAkey", uri(label), "-CAcreateserial", "-days",
                          "2", "-out", made)
                self.plain("verify", "-CAfile", authority, made)

    def test_certificates_with_pss(self):
        for key, options in (
                (uri("rsa"), (*PSS, "-sigopt", "rsa_pss_saltlen:digest")),
                (uri("rsa") + "?type=RSA-PSS", ())):
            with self.subTest(key=key):
                own = self.self_signed("rsa", *options, key=key)
                self.plain("verify", "-check_ss_sig", "-CAfile", own, own)
                shown = self.plain("x509", "-noout", "-text", "-in", own)
                self.assertIn("Signature Algorithm: rsassaPss", shown)
                self.assertIn("Salt Length: 0x20", shown)

    def test_cms_is_signed(self):
        signed = self.path("cms")
        for label, options in (("rsa", ()), ("p256", ()), ("p384", ()),
                               ("rsa", ("-keyopt", "rsa_padding_mode:pss"))):
            with self.subTest(label=label, options=options):
                own = self.self_signed(label)
                self.ours("cms", "-sign", "-binary", "-nodetach", "-in",
                          self.message, "-signer", own, "-inkey", uri(label),
                          *options, "-outform", "DER", "-out", signed)
                shown = self.plain("cms", "-verify", "-binary", "-inform",
                                   "DER", "-in", signed, "-CAfile", own)
                self.assertEqual(shown.encode(), MESSAGE)


class DecryptionTest(OpensslCase):
    KEYS = (RSA, OAEP, AGREE, P256)

    def certificate(self, label):
        """One that the RSA key has signed: these keys sign nothing."""
        authority, made = self.self_signed("rsa"), self.path(f"{label}.crt")
        self.ours("x509", "-new", "-subj", f"/CN={label}", "-days", "2",
                  "-force_pubkey", self.public(label), "-CA", authority,
                  "-CAkey", uri("rsa"), "-out", made)
        return made

    def test_oaep(self):
        encrypted, opened = self.path("encrypted"), self.path("opened")
        for digest in ("sha1", "sha256"):
            with self.subTest(digest=digest):
                oaep = ("-pkeyopt", "rsa_padding_mode:oaep",
                        "-pkeyopt", f"rsa_oaep_md:{digest}")
                self.plain("pkeyutl", "-encrypt", "-pubin", "-inkey",
                           self.public("oaep"), "-in", self.message, "-out",
                           encrypted, *oaep)
                self.ours("pkeyutl", "-decrypt", "-inkey", uri("oaep"), "-in",
                          encrypted, "-out", opened, *oaep)
                self.assert_message(opened)

    def test_a_private_key_encrypts_too(self):
        encrypted, opened = self.path("encrypted"), self.path("opened")
        oaep = ("-inkey", uri("oaep"), "-pkeyopt", "rsa_padding_mode:oaep",
                "-pkeyopt", "rsa_oaep_md:sha256")
        self.ours("pkeyutl", "-encrypt", *oaep, "-in", self.message, "-out",
                  encrypted)
        self.ours("pkeyutl", "-decrypt", *oaep, "-in", encrypted, "-out",
                  opened)
        self.assert_message(opened)

    def test_cms_to_an_rsa_key(self):
        encrypted, opened = self.path("encrypted"), self.path("opened")
        recipient = self.certificate("oaep")
        for options in ((), ("-keyopt", "rsa_oaep_md:sha256")):
            with self.subTest(options=options):
                self.plain("cms", "-encrypt", "-binary", "-aes256", "-in",
                           self.message, "-outform", "DER", "-out", encrypted,
                           "-recip", recipient, "-keyopt",
                           "rsa_padding_mode:oaep", *options)
                self.ours("cms", "-decrypt", "-binary", "-inform", "DER",
                          "-in", encrypted, "-recip", recipient, "-inkey",
                          uri("oaep"), "-out", opened)
                self.assert_message(opened)

    def test_cms_to_a_curve(self):
        encrypted, opened = self.path("encrypted"), self.path("opened")
        recipient = self.certificate("agree")
        for options in ((), ("-keyopt", "ecdh_kdf_md:sha384"),
                        ("-keyopt", "ecdh_cofactor_mode:1")):
            with self.subTest(options=options):
                self.plain("cms", "-encrypt", "-binary", "-aes256", "-in",
                           self.message, "-outform", "DER", "-out", encrypted,
                           "-recip", recipient, *options)
                self.ours("cms", "-decrypt", "-binary", "-inform", "DER",
                          "-in", encrypted, "-recip", recipient, "-inkey",
                          uri("agree"), "-out", opened)
                self.assert_message(opened)

    def test_a_shared_secret(self):
        peer, public = self.path("peer.key"), self.path("peer.pub")
        one, other = self.path("one"), self.path("other")
        self.plain("genpkey", "-algorithm", "EC", "-pkeyopt",
                   "ec_paramgen_curve:P-256", "-out", peer)
        self.plain("pkey", "-in", peer, "-pubout", "-out", public)
        kdf = ("-pkeyopt", "kdf-type:X963KDF", "-pkeyopt", "kdf-digest:SHA256",
               "-pkeyopt", "kdf-outlen:48", "-pkeyopt", "hexkdf-ukm:0123")
        for options in ((), kdf):
            with self.subTest(options=options):
                self.ours("pkeyutl", "-derive", "-inkey", uri("agree"),
                          "-peerkey", public, *options, "-out", one)
                self.plain("pkeyutl", "-derive", "-inkey", peer, "-peerkey",
                           self.public("agree"), *options, "-out", other)
                self.assertEqual(self.read(one), self.read(other))
                self.assertEqual(len(self.read(one)), 48 if options else 32)

    def test_a_peer_on_another_curve_is_refused(self):
        peer, public = self.path("peer.key"), self.path("peer.pub")
        self.plain("genpkey", "-algorithm", "EC", "-pkeyopt",
                   "ec_paramgen_curve:P-384", "-out", peer)
        self.plain("pkey", "-in", peer, "-pubout", "-out", public)
        said = self.refused("pkeyutl", "-derive", "-inkey", uri("agree"),
                            "-peerkey", public, "-out", self.path("one"))
        self.assertIn("must be a public key on the same curve", said)


class KeyTest(OpensslCase):
    KEYS = (RSA, P256, ED25519)

    def test_the_public_key_is_that_of_the_kms(self):
        for label, *_ in self.KEYS:
            with self.subTest(label=label):
                out = self.path("out")
                self.ours("pkey", "-in", uri(label), "-pubout", "-out", out)
                self.assertEqual(self.read(out), self.read(self.public(label)))
                self.ours("pkey", "-pubin", "-in", uri(label), "-pubout",
                          "-out", out)
                self.assertEqual(self.read(out), self.read(self.public(label)))

    def test_every_name_of_a_key(self):
        arn = self.arns["p256"]
        region, account = arn.split(":")[3:5]
        for name in (arn, arn.rsplit("/", 1)[1], "alias/p256",
                     f"arn:aws:kms:{region}:{account}:alias/p256",
                     f"alias/p256?region={region}",
                     f"alias/p256?endpoint={self.server.endpoint}",
                     "alias%2Fp256"):
            with self.subTest(name=name):
                self.ours("dgst", "-sha256", "-sign", f"claviger:{name}",
                          "-out", self.path("signature"), self.message)

    def test_the_store_lists_one_key_and_no_certificates(self):
        shown = self.ours("storeutl", "-noout", uri("rsa"))
        self.assertIn("0: Pkey\nTotal found: 1\n", shown)
        shown = self.ours("storeutl", "-noout", "-certs", uri("rsa"))
        self.assertIn("Total found: 0\n", shown)

    def test_no_private_part_leaves(self):
        for label, *_ in self.KEYS:
            with self.subTest(label=label):
                for options in (("-outform", "PEM"), ("-outform", "DER"),
                                ("-text",), ("-traditional",)):
                    run = self.run_ours("pkey", "-in", uri(label), *options)
                    self.assertNotIn("PRIVATE KEY-----\nM", run.stdout)
                    self.assertNotIn("rivateExponent", run.stdout)
                    self.assertNotIn("priv:\n    ", run.stdout)

    def test_software_keys_work_as_ever(self):
        key, signature = self.path("key"), self.path("signature")
        for options in (("RSA",), ("EC", "-pkeyopt", "group:P-256"),
                        ("ED25519",)):
            with self.subTest(options=options):
                self.ours("genpkey", "-algorithm", *options, "-out", key)
                self.ours("pkeyutl", "-sign", "-rawin", "-inkey", key, "-in",
                          self.message, "-out", signature)
                self.ours("pkeyutl", "-verify", "-rawin", "-inkey", key, "-in",
                          self.message, "-sigfile", signature)


class DataKeyTest(OpensslCase):

    def call(self, operation, **request):
        reply = json.loads(self.program(CLAVIGER, "call", operation,
                                        json.dumps(request)))
        return reply["Plaintext"], reply["CiphertextBlob" if operation ==
                                         "GenerateDataKey" else "KeyId"]

    def test_openssl_enc_with_a_data_key(self):
        """The guide's way; a provider has no part in it."""
        key = self.new_key()["KeyId"]
        plaintext, blob = self.call("GenerateDataKey", KeyId=key,
                                    KeySpec="AES_256")
        again, _ = self.call("Decrypt", CiphertextBlob=blob)
        self.assertEqual(again, plaintext)
        encrypted, opened = self.path("encrypted"), self.path("opened")
        cipher = ("enc", "-aes-256-ctr", "-iv", "00" * 16, "-K",
                  base64.b64decode(plaintext).hex())
        self.plain(*cipher, "-in", self.message, "-out", encrypted)
        self.assertNotEqual(self.read(encrypted), MESSAGE)
        self.ours(*cipher, "-d", "-in", encrypted, "-out", opened)
        self.assert_message(opened)


if __name__ == "__main__":
    unittest.main()
