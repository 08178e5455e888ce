# SPDX-License-Identifier: Apache-2.0
"""What a KMS does not do, and what it refuses, is told to whoever runs
`openssl`, in words that say what to do."""

import json
import socket
import unittest

from testlib.openssl import (AGREE, DEFAULT, ED25519, OAEP, OURS, P256, RSA,
                             OpensslCase, uri)

PSS = ("-sigopt", "rsa_padding_mode:pss")


class ImpossibleTest(OpensslCase):
    KEYS = (RSA, P256, OAEP, AGREE, ED25519)

    def dgst(self, label, *options):
        return self.refused("dgst", *options, "-sign", uri(label), "-out",
                            self.path("signature"), self.message)

    def test_hashes_that_no_kms_signs(self):
        for label in ("rsa", "p256"):
            for digest in ("sha1", "md5", "ripemd160"):
                with self.subTest(label=label, digest=digest):
                    self.assertIn("SHA-256, SHA-384 and SHA-512 are possible",
                                  self.dgst(label, f"-{digest}"))
        self.assertIn("a KMS signs no digests of SHA2-224",
                      self.dgst("rsa", "-sha224"))

    def test_digests_that_no_algorithm_identifier_has_with_ecdsa(self):
        for digest in ("shake256", "blake2b512", "blake2s256", "sm3",
                       "md5-sha1"):
            with self.subTest(digest=digest):
                self.assertIn("a KMS signs no digests of",
                              self.dgst("p256", f"-{digest}"))

    def test_salts_that_no_kms_makes(self):
        for salt in ("max", "auto", "20", "0"):
            with self.subTest(salt=salt):
                self.assertIn("rsa_pss_saltlen:digest", self.dgst(
                    "rsa", "-sha256", *PSS, "-sigopt",
                    f"rsa_pss_saltlen:{salt}"))

    def test_two_hashes_in_one_pss_signature(self):
        self.assertIn("one hash throughout", self.dgst(
            "rsa", "-sha256", *PSS, "-sigopt", "rsa_mgf1_md:sha1"))

    def test_raw_rsa_signatures(self):
        digest = self.file("digest", bytes(32))
        for options, text in (
                ((), "say which (-pkeyopt digest:sha256)"),
                (("-pkeyopt", "rsa_padding_mode:none"), "PKCS#1 v1.5 or PSS"),
                (("-pkeyopt", "rsa_padding_mode:x931"), "PKCS#1 v1.5 or PSS")):
            with self.subTest(options=options):
                self.assertIn(text, self.refused(
                    "pkeyutl", "-sign", "-inkey", uri("rsa"), *options, "-in",
                    digest, "-out", self.path("signature")))

    def test_a_digest_of_another_length(self):
        for label in ("rsa", "p256"):
            with self.subTest(label=label):
                self.assertIn("no digest of SHA2-384", self.refused(
                    "pkeyutl", "-sign", "-inkey", uri(label), "-pkeyopt",
                    "digest:sha384", "-in", self.file("digest", bytes(32)),
                    "-out", self.path("signature")))

    def test_decryption_without_oaep(self):
        encrypted = self.path("encrypted")
        self.plain("pkeyutl", "-encrypt", "-pubin", "-inkey",
                   self.public("oaep"), "-in", self.message, "-out", encrypted)
        for options in ((), ("-pkeyopt", "rsa_padding_mode:pkcs1"),
                        ("-pkeyopt", "rsa_padding_mode:none")):
            with self.subTest(options=options):
                self.assertIn("rsa_padding_mode:oaep", self.refused(
                    "pkeyutl", "-decrypt", "-inkey", uri("oaep"), *options,
                    "-in", encrypted, "-out", self.path("opened")))

    def test_oaep_that_no_kms_has(self):
        for options in (("rsa_oaep_md:sha512",), ("rsa_oaep_label:0102",),
                        ("rsa_oaep_md:sha256", "rsa_mgf1_md:sha1")):
            with self.subTest(options=options):
                flags = [flag for option in options
                         for flag in ("-pkeyopt", option)]
                self.assertIn("SHA-256 or SHA-1 throughout", self.refused(
                    "pkeyutl", "-decrypt", "-inkey", uri("oaep"), "-pkeyopt",
                    "rsa_padding_mode:oaep", *flags, "-in",
                    self.file("encrypted", bytes(256)), "-out",
                    self.path("opened")))

    def test_long_messages_of_ed25519(self):
        self.assertIn("1 to 4096 bytes", self.refused(
            "pkeyutl", "-sign", "-rawin", "-inkey", uri("ed25519"), "-in",
            self.file("long", bytes(4097)), "-out", self.path("signature")))
        self.ours("pkeyutl", "-sign", "-rawin", "-inkey", uri("ed25519"), "-in",
                  self.file("long", bytes(4096)), "-out",
                  self.path("signature"))

    def test_a_key_for_something_else(self):
        self.assertIn("created with KeyUsage SIGN_VERIFY",
                      self.dgst("oaep", "-sha256"))
        self.assertIn("is for KEY_AGREEMENT", self.dgst("agree", "-sha256"))
        for operation in ("-decrypt", "-encrypt"):
            self.assertIn("created with KeyUsage ENCRYPT_DECRYPT", self.refused(
                "pkeyutl", operation, "-inkey", uri("rsa"), "-in", self.message,
                "-out", self.path("opened")))
        self.assertIn("created with KeyUsage KEY_AGREEMENT", self.refused(
            "pkeyutl", "-derive", "-inkey", uri("p256"), "-peerkey",
            self.public("agree"), "-out", self.path("secret")))


class AnswerTest(OpensslCase):
    KEYS = (RSA, P256)

    def sign(self, key=None, **changes):
        """What `openssl dgst -sign` has to say; "" if it signs."""
        run = self.run_ours("dgst", "-sha256", "-sign", key or uri("p256"),
                            "-out", self.path("signature"), self.message,
                            **changes)
        return run.stderr if run.returncode else ""

    def test_uris_that_name_nothing(self):
        for key, text in (
                ("claviger:", "it names no key"),
                ("claviger:alias/p256?colour=red", "no option colour"),
                ("claviger:alias/p256?region=a&region=b", "is there twice"),
                ("claviger:alias/p256?type=EC", "type can only be RSA-PSS"),
                ("claviger:alias/%zz", "two hexadecimal digits"),
                ("claviger:alias/absent", "alias/absent is not found"),
                ("claviger:nonsense", "Invalid keyId 'nonsense'"),
                ("claviger:alias/p256?endpoint=ftp://x", "endpoint"),
                ("claviger:alias/p256?token=payments", "no configuration file"),
                ("claviger:alias/p256?type=RSA-PSS", "not of the type RSA-PSS")):
            with self.subTest(key=key):
                self.assertIn(text, self.sign(key))

    def test_keys_that_are_no_pairs(self):
        for spec, usage in (("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
                            ("HMAC_256", "GENERATE_VERIFY_MAC")):
            key = self.new_key(KeySpec=spec, KeyUsage=usage)
            with self.subTest(spec=spec):
                self.assertIn("UnsupportedOperationException",
                              self.sign(f"claviger:{key['KeyId']}"))

    def deny(self, key, action):
        """To everybody, but nothing else."""
        root = f"arn:aws:iam::{self.account}:root"
        self.kms.put_key_policy(
            KeyId=key["KeyId"], PolicyName="default",
            Policy=json.dumps({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": root},
                 "Action": "kms:*", "Resource": "*"},
                {"Effect": "Deny", "Principal": {"AWS": "*"},
                 "Action": action, "Resource": "*"}]}))

    def test_the_text_of_the_policy_reaches_the_user(self):
        key, _ = self.new("ECC_NIST_P256", "SIGN_VERIFY", "denied")
        self.deny(key, "kms:Sign")
        said = self.sign(uri("denied"))
        self.assertIn("AccessDeniedException", said)
        self.assertIn("kms:Sign", said)
        self.assertRegex(said, r"\(Sign with arn:aws:kms:.*, request [-0-9a-f]+")

    def test_a_store_that_fails_is_not_one_without_a_key(self):
        key, _ = self.new("ECC_NIST_P256", "SIGN_VERIFY", "hidden")
        self.deny(key, "kms:GetPublicKey")
        for options in ((), ("-keys",)):
            with self.subTest(options=options):
                said = self.refused("storeutl", "-noout", *options,
                                    uri("hidden"))
                self.assertEqual(said.count("AccessDeniedException"), 1, said)

    def test_a_disabled_key(self):
        key, _ = self.new("ECC_NIST_P256", "SIGN_VERIFY", "disabled")
        self.kms.disable_key(KeyId=key["KeyId"])
        self.assertIn("DisabledException", self.sign(uri("disabled")))
        self.kms.enable_key(KeyId=key["KeyId"])
        self.assertEqual(self.sign(uri("disabled")), "")

    def test_wrong_credentials(self):
        over_http = {"CLAVIGER_SOCKET": "",
                     "CLAVIGER_ENDPOINT": self.server.endpoint}
        self.assertEqual(self.sign(**over_http), "")
        self.assertIn("UnrecognizedClientException", self.sign(
            AWS_ACCESS_KEY_ID="AKIANOBODY", **over_http))
        self.assertIn("InvalidSignatureException", self.sign(
            AWS_SECRET_ACCESS_KEY="wrong", **over_http))
        self.assertIn("set both AWS_ACCESS_KEY_ID", self.sign(
            AWS_SECRET_ACCESS_KEY="", **over_http))

    def test_a_server_that_is_away(self):
        self.assertIn("/absent.sock", self.sign(
            CLAVIGER_SOCKET=self.path("absent.sock")))

    def test_a_server_that_says_nothing(self):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path("mute.sock"))
            listener.listen()
            self.assertIn("did not answer in time", self.sign(
                CLAVIGER_SOCKET=self.path("mute.sock"),
                OPENSSL_CONF=self.configuration("timeout = 1")))

    def test_the_section_and_its_mistakes(self):
        environment = {"CLAVIGER_SOCKET": "", "CLAVIGER_ENDPOINT": "",
                       "AWS_ENDPOINT_URL_KMS": ""}
        good = (f"endpoint = {self.server.endpoint}", "timeout = 20",
                "region = us-east-1")
        self.assertEqual(self.sign(
            OPENSSL_CONF=self.configuration(*good), **environment), "")
        for line, text in (("timeout = 0", "timeout"),
                           ("timeout = soon", "from 1 to 130"),
                           ("endpoint = http://far.example", "far.example"),
                           ("config = /absent.toml", "/absent.toml")):
            with self.subTest(line=line):
                self.assertIn(text, self.sign(
                    OPENSSL_CONF=self.configuration(line)))

    def test_the_configuration_file(self):
        file = self.file("pkcs11.toml", (
            '[[token]]\nlabel = "first"\n'
            f'endpoint = "{self.server.environment["CLAVIGER_SOCKET"]}"\n'
            '[[token]]\nlabel = "second"\nendpoint = "/absent.sock"\n'
            '[[token]]\nlabel = "third"\nlogin = "pin"\n'
            f'endpoint = "{self.server.endpoint}"\n').encode())
        section = {"OPENSSL_CONF": self.configuration(f"config = {file}")}
        away = {"CLAVIGER_SOCKET": "/nowhere.sock"}
        self.assertEqual(self.sign(**section, **away), "")
        self.assertEqual(self.sign(CLAVIGER_PKCS11_CONFIG=file, **away), "")
        for token, text in (("second", "/absent.sock"),
                            ("third", "a token with a login"),
                            ("fourth", "no token fourth")):
            with self.subTest(token=token):
                self.assertIn(text, self.sign(uri("p256") + f"?token={token}",
                                              **section))
        self.assertIn("/absent.sock", self.sign(
            OPENSSL_CONF=self.configuration(f"config = {file}",
                                            "token = second")))

    def test_other_orders_of_providers_break_what_the_guide_says(self):
        for order in ((OURS, DEFAULT), (OURS,)):
            section = {"OPENSSL_CONF": self.configuration(order=order)}
            with self.subTest(order=order):
                self.assertIn("operation not supported", self.refused(
                    "genpkey", "-algorithm", "RSA", "-out", self.path("key"),
                    **section))
        self.assertIn("default or base providers", self.refused(
            "pkey", "-in", self.path("key"), **section))


if __name__ == "__main__":
    unittest.main()
