# SPDX-License-Identifier: Apache-2.0
"""OpenSSL with Debian's PKCS#11 engine, and osslsigncode, which uses it, too.
What they make is checked by `openssl` without the engine."""

import pathlib
import struct
import unittest

from testlib.pkcs11 import MESSAGE, MODULE, Pkcs11Case, private_uri

# Label, key spec, options of `openssl dgst`, hash.
SIGNING = (
    ("engine-rsa", (), "sha256"),
    ("engine-rsa", (), "sha512"),
    ("engine-rsa", ("-sigopt", "rsa_padding_mode:pss",
                    "-sigopt", "rsa_pss_saltlen:digest"), "sha384"),
    ("engine-ec", (), "sha256"),
    ("engine-ec", (), "sha384"),
    ("engine-ec", (), "sha1"),
)


def small_program():
    """A PE file that Windows would run: it returns at once."""
    dos = b"MZ" + bytes(58) + struct.pack("<I", 64)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 1, 0, 0, 0, 224, 0x102)
    optional = struct.pack("<HBBIIIIII", 0x10B, 1, 0, 0x200, 0, 0, 0x1000,
                           0x1000, 0x2000)
    optional += struct.pack(
        "<IIIHHHHHHIIIIHHIIIIII", 0x400000, 0x1000, 0x200, 4, 0, 0, 0, 4, 0, 0,
        0x2000, 0x200, 0, 3, 0, 0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
    optional += bytes(128)
    section = b".text\0\0\0" + struct.pack(
        "<IIIIIIHHI", 0x10, 0x1000, 0x200, 0x200, 0, 0, 0, 0, 0x60000020)
    return ((dos + coff + optional + section).ljust(0x200, b"\0") +
            b"\xC3".ljust(0x200, b"\0"))


class EngineTest(Pkcs11Case):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = {}
        for label, spec in (("engine-rsa", "RSA_2048"),
                            ("engine-ec", "ECC_NIST_P256")):
            key = cls.kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
            cls.keys[label] = key["KeyMetadata"]
            cls.kms.create_alias(AliasName=f"alias/{label}",
                                 TargetKeyId=cls.keys[label]["KeyId"])

    def test_signatures_of_dgst(self):
        signature = self.path("signature")
        for label, options, digest in SIGNING:
            with self.subTest(label=label, options=options, digest=digest):
                self.with_engine(
                    "dgst", f"-{digest}", "-keyform", "engine", *options,
                    "-sign", private_uri(label), "-out", signature,
                    self.message)
                public = self.public_key(self.keys[label])
                self.assertTrue(self.openssl_verifies(
                    public, signature, digest, *options))

    def test_the_public_key_is_that_of_the_kms(self):
        for label, key in self.keys.items():
            path = self.path("exported")
            self.with_engine(
                "pkey", "-inform", "engine", "-pubin", "-pubout", "-outform",
                "DER", "-out", path, "-in",
                private_uri(label).replace("private", "public"))
            self.assertEqual(pathlib.Path(path).read_bytes(),
                             pathlib.Path(self.public_key(key)).read_bytes())

    def test_a_request_and_a_certificate_that_signs_it(self):
        authority = self.certificate("engine-rsa")
        request, made = self.path("request.pem"), self.path("made.pem")
        self.with_engine("req", "-new", "-subj", "/CN=app", "-keyform",
                         "engine", "-key", private_uri("engine-ec"), "-out",
                         request)
        self.assertIn("verify OK", self.run_program(
            "openssl", "req", "-verify", "-noout", "-in", request).stderr)
        self.with_engine("x509", "-req", "-in", request, "-CA", authority,
                         "-CAkeyform", "engine", "-CAkey",
                         private_uri("engine-rsa"), "-CAcreateserial",
                         "-days", "2", "-out", made)
        self.assertIn("OK", self.program("openssl", "verify", "-CAfile",
                                         authority, made))

    def test_cms_is_signed(self):
        for label in self.keys:
            with self.subTest(label=label):
                signer, signed = self.certificate(label), self.path("cms")
                self.with_engine(
                    "cms", "-sign", "-binary", "-nodetach", "-in",
                    self.message, "-signer", signer, "-keyform", "engine",
                    "-inkey", private_uri(label), "-outform", "DER", "-out",
                    signed)
                shown = self.program("openssl", "cms", "-verify", "-binary",
                                     "-inform", "DER", "-in", signed,
                                     "-CAfile", signer)
                self.assertEqual(shown.encode(), MESSAGE)

    def test_cms_is_decrypted(self):
        _, key_id = self.new("RSA_2048", "ENCRYPT_DECRYPT", "engine-oaep")
        self.assertTrue(key_id)
        # Without a certificate of its own: a recipient is any that has the key.
        public = self.file("oaep.der", self.kms.get_public_key(
            KeyId="alias/engine-oaep")["PublicKey"])
        encrypted, opened = self.path("encrypted"), self.path("opened")
        oaep = ("-pkeyopt", "rsa_padding_mode:oaep",
                "-pkeyopt", "rsa_oaep_md:sha1")
        self.program("openssl", "pkeyutl", "-encrypt", "-pubin", "-keyform",
                     "DER", "-inkey", public, "-in", self.message, "-out",
                     encrypted, *oaep)
        self.with_engine("pkeyutl", "-decrypt", "-keyform", "engine", "-inkey",
                         private_uri("engine-oaep"), "-in", encrypted, "-out",
                         opened, *oaep)
        self.assertEqual(pathlib.Path(opened).read_bytes(), MESSAGE)

    def test_a_tls_server(self):
        for label in self.keys:
            certificate = self.certificate(label)
            server = self.background(
                "openssl", "s_server", "-engine", "pkcs11", "-keyform",
                "engine", "-key", private_uri(label), "-cert", certificate,
                "-accept", "127.0.0.1:0", "-www",
                OPENSSL_CONF=self.openssl_config())
            port = self.said(server, r"ACCEPT 127\.0\.0\.1:(\d+)")[1]
            for version in ("-tls1_2", "-tls1_3"):
                with self.subTest(label=label, version=version):
                    shown = self.program(
                        "openssl", "s_client", "-connect", f"localhost:{port}",
                        version, "-CAfile", certificate, "-verify_return_error")
                    self.assertIn("Verify return code: 0 (ok)", shown)

    def test_an_engine_that_is_loaded_with_openssl_does_not_recurse(self):
        # `init = 1`: OpenSSL's reading of its configuration initialises our
        # module, while our C_Initialize makes OpenSSL read it.
        early = self.openssl_config("init = 1")
        self.assertIn("engine-ec", self.tool("--list-objects",
                                             OPENSSL_CONF=early))
        signature = self.path("signature")
        self.program("openssl", "dgst", "-sha256", "-engine", "pkcs11",
                     "-keyform", "engine", "-sign", private_uri("engine-ec"),
                     "-out", signature, self.message, OPENSSL_CONF=early)
        self.assertTrue(self.openssl_verifies(
            self.public_key(self.keys["engine-ec"]), signature, "sha256"))

    def test_osslsigncode_signs_a_program(self):
        certificate = self.certificate("engine-rsa")
        program = self.file("small.exe", small_program())
        signed = self.path("signed.exe")
        self.program("osslsigncode", "sign", "-pkcs11module",
                     MODULE, "-certs", certificate, "-key",
                     private_uri("engine-rsa"), "-h", "sha256", "-in", program,
                     "-out", signed)
        verified = self.program("osslsigncode", "verify", "-CAfile",
                                certificate, "-in", signed)
        self.assertIn("Signature verification: ok", verified)
        data = bytearray(pathlib.Path(signed).read_bytes())
        data[0x200] ^= 1
        changed = self.file("changed.exe", data)
        self.assertNotEqual(self.run_program(
            "osslsigncode", "verify", "-CAfile", certificate, "-in",
            changed).returncode, 0)


if __name__ == "__main__":
    unittest.main()
