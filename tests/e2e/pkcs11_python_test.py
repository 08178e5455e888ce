# SPDX-License-Identifier: Apache-2.0
"""The PKCS#11 module under PyKCS11, a wrapper that shows every call's fate."""

import hashlib
import os
import unittest

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
import PyKCS11

from testlib.faults import wait_until
from testlib.pkcs11 import MESSAGE, MODULE, Pkcs11Case


class PythonTest(Pkcs11Case):

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

    def find(self, object_class, label):
        """Waits: what the module has just heard is not asked for again."""
        wanted = [(PyKCS11.CKA_CLASS, object_class), (PyKCS11.CKA_LABEL, label)]
        found = wait_until(lambda: self.session.findObjects(wanted), label)
        self.assertEqual(len(found), 1)
        return found[0]

    def test_login_takes_any_pin_once(self):
        self.session.login("1234")
        with self.assertRaises(PyKCS11.PyKCS11Error) as caught:
            self.session.login("")
        self.assertEqual(caught.exception.value,
                         PyKCS11.CKR_USER_ALREADY_LOGGED_IN)
        self.session.logout()

    def test_rsa_signs_and_verifies(self):
        key, _ = self.new("RSA_2048", "SIGN_VERIFY", "python-rsa")
        private = self.find(PyKCS11.CKO_PRIVATE_KEY, "python-rsa")
        public = self.find(PyKCS11.CKO_PUBLIC_KEY, "python-rsa")
        mechanism = PyKCS11.Mechanism(PyKCS11.CKM_SHA256_RSA_PKCS)
        signature = bytes(self.session.sign(private, MESSAGE, mechanism))
        self.assertTrue(self.openssl_verifies(
            self.public_key(key), self.file("signature", signature), "sha256"))
        self.assertTrue(self.session.verify(public, MESSAGE, signature,
                                            mechanism))
        self.assertFalse(self.session.verify(public, b"other", signature,
                                             mechanism))
        pss = PyKCS11.RSA_PSS_Mechanism(
            PyKCS11.CKM_SHA256_RSA_PKCS_PSS, PyKCS11.CKM_SHA256,
            PyKCS11.CKG_MGF1_SHA256, 32)
        signature = bytes(self.session.sign(private, MESSAGE, pss))
        self.assertTrue(self.openssl_verifies(
            self.public_key(key), self.file("signature", signature), "sha256",
            "-sigopt", "rsa_padding_mode:pss",
            "-sigopt", "rsa_pss_saltlen:digest"))

    def test_two_thousand_ecdsa_signatures_verify(self):
        """One in 128 has a half that begins with a zero."""
        key, _ = self.new("ECC_NIST_P256", "SIGN_VERIFY", "python-many")
        public = serialization.load_der_public_key(
            self.kms.get_public_key(KeyId=key["KeyId"])["PublicKey"])
        private = self.find(PyKCS11.CKO_PRIVATE_KEY, "python-many")
        digest = hashlib.sha256(MESSAGE).digest()
        ecdsa = PyKCS11.Mechanism(PyKCS11.CKM_ECDSA)
        short = 0
        for _ in range(2000):
            halves = bytes(self.session.sign(private, digest, ecdsa))
            self.assertEqual(len(halves), 64)
            r, s = halves[:32], halves[32:]
            short += 0 in (r[0], s[0])
            public.verify(
                utils.encode_dss_signature(int.from_bytes(r, "big"),
                                           int.from_bytes(s, "big")),
                digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        self.assertGreater(short, 0)

    def test_oaep_encrypts_and_decrypts(self):
        self.new("RSA_2048", "ENCRYPT_DECRYPT", "python-oaep")
        for digest, mgf in ((PyKCS11.CKM_SHA_1, PyKCS11.CKG_MGF1_SHA1),
                            (PyKCS11.CKM_SHA256, PyKCS11.CKG_MGF1_SHA256)):
            mechanism = PyKCS11.RSAOAEPMechanism(digest, mgf)
            encrypted = self.session.encrypt(
                self.find(PyKCS11.CKO_PUBLIC_KEY, "python-oaep"), MESSAGE,
                mechanism)
            self.assertEqual(bytes(self.session.decrypt(
                self.find(PyKCS11.CKO_PRIVATE_KEY, "python-oaep"), encrypted,
                mechanism)), MESSAGE)

    def test_key_pairs_are_made_and_renamed(self):
        curve = bytes.fromhex("06082a8648ce3d030107")  # P-256
        public, private = self.session.generateKeyPair(
            [(PyKCS11.CKA_TOKEN, True), (PyKCS11.CKA_VERIFY, True),
             (PyKCS11.CKA_EC_PARAMS, curve), (PyKCS11.CKA_LABEL, "python-ec"),
             (PyKCS11.CKA_ID, (1, 2, 3))],
            [(PyKCS11.CKA_TOKEN, True), (PyKCS11.CKA_SIGN, True),
             (PyKCS11.CKA_LABEL, "python-ec"), (PyKCS11.CKA_ID, (1, 2, 3))],
            mecha=PyKCS11.MechanismECGENERATEKEYPAIR)
        self.assertEqual(self.kms.describe_key(KeyId="alias/python-ec")
                         ["KeyMetadata"]["KeySpec"], "ECC_NIST_P256")
        for key in (public, private):
            self.assertEqual(self.session.getAttributeValue(
                key, [PyKCS11.CKA_ID]), [(1, 2, 3)])
        self.session.setAttributeValue(private,
                                       [(PyKCS11.CKA_LABEL, "renamed")])
        self.assertEqual(self.find(PyKCS11.CKO_PRIVATE_KEY, "renamed").value(),
                         private.value())


if __name__ == "__main__":
    unittest.main()
