# SPDX-License-Identifier: Apache-2.0
"""Keys of sessions, agreed on, unwrapped and used; `openssl` has the others."""

import os
import pathlib
import unittest

import PyKCS11

from testlib.faults import wait_until
from testlib.pkcs11 import MESSAGE, MODULE, Pkcs11Case

VALUE = bytes(range(16))
CKR_ACTION_PROHIBITED = 0x1B
IV = bytes(range(16, 32))
AES = [(PyKCS11.CKA_CLASS, PyKCS11.CKO_SECRET_KEY),
       (PyKCS11.CKA_KEY_TYPE, PyKCS11.CKK_AES)]


class Derivation(Pkcs11Case):

    def test_the_secret_is_that_of_openssl(self):
        for spec, curve in (("ECC_NIST_P256", "P-256"),
                            ("ECC_NIST_P384", "P-384")):
            with self.subTest(spec=spec):
                key, key_id = self.new(spec, "KEY_AGREEMENT", f"ecdh-{curve}")
                own = self.path("own.pem")
                self.program("openssl", "genpkey", "-algorithm", "EC",
                             "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out",
                             own)
                public = self.path("own.der")
                self.program("openssl", "pkey", "-in", own, "-pubout",
                             "-outform", "DER", "-out", public)
                secret = self.path("secret")
                self.tool("--derive", "--id", key_id, "--mechanism",
                          "ECDH1-DERIVE", "--input-file", public,
                          "--output-file", secret)
                expected = self.path("expected")
                self.program("openssl", "pkeyutl", "-derive", "-inkey", own,
                             "-peerform", "DER", "-peerkey",
                             self.public_key(key), "-out", expected)
                self.assertEqual(pathlib.Path(secret).read_bytes(),
                                 pathlib.Path(expected).read_bytes())


class Keytool(Pkcs11Case):

    # docs/pkcs11.md, "Making and destroying keys".
    ON_TOKEN = "".join(
        f"attributes(generate, {name}, *) = {{ CKA_TOKEN = true }}\n"
        for name in ("CKO_PRIVATE_KEY", "CKO_PUBLIC_KEY"))

    def keytool(self, configuration, *arguments):
        return self.run_program(
            "keytool", "-keystore", "NONE", "-storetype", "PKCS11",
            "-storepass", "1234", "-addprovider", "SunPKCS11", "-providerarg",
            configuration, *arguments)

    def generate(self, more):
        configuration = self.file("java.cfg", (
            f"name = claviger\nlibrary = {MODULE}\nslotListIndex = 0\n"
            f"{more}").encode())
        run = self.keytool(
            configuration, "-genkeypair", "-alias", "java", "-keyalg", "EC",
            "-groupname", "secp256r1", "-dname", "CN=java")
        return configuration, run

    def count_keys(self):
        return len(self.kms.list_keys()["Keys"])

    def test_it_makes_a_key_of_the_kms_if_it_is_configured_to(self):
        before = self.count_keys()
        configuration, run = self.generate(self.ON_TOKEN)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertEqual(self.count_keys(), before + 1)
        listed = self.keytool(configuration, "-list")
        self.assertIn("PrivateKeyEntry", listed.stdout)

    def test_without_that_it_is_told_what_to_do(self):
        before = self.count_keys()
        _, run = self.generate("")
        self.assertIn("CKR_ACTION_PROHIBITED", run.stdout)
        self.assertIn("with CKA_TOKEN when they are generated", run.stderr)
        self.assertEqual(self.count_keys(), before)


class SessionKeys(Pkcs11Case):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(os.environ.pop, "XDG_CONFIG_HOME", None)
        os.environ["XDG_CONFIG_HOME"] = os.devnull
        os.environ["CLAVIGER_SOCKET"] = (
            cls.server.environment["CLAVIGER_SOCKET"])
        cls.library = PyKCS11.PyKCS11Lib()
        cls.library.load(MODULE)
        cls.addClassCleanup(cls.library.lib.C_Finalize)

    def setUp(self):
        super().setUp()
        self.session = self.library.openSession(
            self.library.getSlotList(tokenPresent=True)[0],
            PyKCS11.CKF_SERIAL_SESSION | PyKCS11.CKF_RW_SESSION)
        self.addCleanup(self.session.closeSession)

    def only(self, object_class, label):
        """Waits: what the module has just heard is not asked for again."""
        wanted = [(PyKCS11.CKA_CLASS, object_class), (PyKCS11.CKA_LABEL, label)]
        found = wait_until(lambda: self.session.findObjects(wanted), label)
        self.assertEqual(len(found), 1)
        return found[0]

    def openssl_decrypts(self, ciphertext):
        return self.program_bytes(
            "openssl", "enc", "-d", "-aes-128-cbc", "-K", VALUE.hex(), "-iv",
            IV.hex(), "-in", self.file("ciphertext", ciphertext))

    def program_bytes(self, *command):
        out = self.path("out")
        self.program(*command, "-out", out)
        return pathlib.Path(out).read_bytes()

    def test_a_key_that_the_kms_unwraps_encrypts(self):
        key = self.new_key()
        self.kms.create_alias(AliasName="alias/wrapping",
                              TargetKeyId=key["KeyId"])
        blob = self.kms.encrypt(KeyId=key["KeyId"],
                                Plaintext=VALUE)["CiphertextBlob"]
        envelope = PyKCS11.Mechanism(0xC34C0001)
        wrapping = self.only(PyKCS11.CKO_SECRET_KEY, "wrapping")
        unwrapped = self.session.unwrapKey(wrapping, blob, AES, envelope)
        cbc = PyKCS11.Mechanism(PyKCS11.CKM_AES_CBC_PAD, IV)
        encrypted = bytes(self.session.encrypt(unwrapped, MESSAGE, cbc))
        self.assertEqual(self.openssl_decrypts(encrypted), MESSAGE)
        self.assertEqual(bytes(self.session.decrypt(unwrapped, encrypted, cbc)),
                         MESSAGE)
        wrapped = bytes(self.session.wrapKey(wrapping, unwrapped, envelope))
        self.assertEqual(self.kms.decrypt(CiphertextBlob=wrapped)["Plaintext"],
                         VALUE)

    def test_a_key_wrapped_for_an_rsa_key_is_unwrapped(self):
        key, _ = self.new("RSA_2048", "ENCRYPT_DECRYPT", "rsa-wrapping")
        value = self.file("value", VALUE)
        wrapped = self.program_bytes(
            "openssl", "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER",
            "-inkey", self.public_key(key), "-in", value, "-pkeyopt",
            "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256",
            "-pkeyopt", "rsa_mgf1_md:sha256")
        oaep = PyKCS11.RSAOAEPMechanism(PyKCS11.CKM_SHA256,
                                        PyKCS11.CKG_MGF1_SHA256)
        unwrapped = self.session.unwrapKey(
            self.only(PyKCS11.CKO_PRIVATE_KEY, "rsa-wrapping"), wrapped, AES,
            oaep)
        self.assertEqual(bytes(self.session.getAttributeValue(
            unwrapped, [PyKCS11.CKA_VALUE])[0]), VALUE)
        with self.assertRaises(PyKCS11.PyKCS11Error) as caught:
            self.session.unwrapKey(
                self.only(PyKCS11.CKO_PRIVATE_KEY, "rsa-wrapping"), wrapped,
                AES + [(PyKCS11.CKA_TOKEN, True)], oaep)
        self.assertEqual(caught.exception.value,
                         CKR_ACTION_PROHIBITED)

    def test_a_session_pair_is_no_key_of_the_kms(self):
        before = len(self.kms.list_keys()["Keys"])
        public, private = self.session.generateKeyPair(
            [(PyKCS11.CKA_EC_PARAMS, bytes.fromhex("06082a8648ce3d030107"))],
            [], mecha=PyKCS11.MechanismECGENERATEKEYPAIR)
        mechanism = PyKCS11.Mechanism(PyKCS11.CKM_ECDSA_SHA256)
        signature = bytes(self.session.sign(private, MESSAGE, mechanism))
        self.assertTrue(self.session.verify(public, MESSAGE, signature,
                                            mechanism))
        self.assertEqual(len(self.kms.list_keys()["Keys"]), before)


if __name__ == "__main__":
    unittest.main()
