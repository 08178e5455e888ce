# SPDX-License-Identifier: Apache-2.0
"""Key pairs and HMAC keys; `openssl` and Python's hmac are the second opinion."""

import base64
import hashlib
import hmac
import pathlib
import re
import subprocess
import tempfile
import unittest

from testlib import ServerCase
from testlib.case import b64

SIGNING = {
    "RSA_2048": ("RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384",
                 "RSASSA_PSS_SHA_512", "RSASSA_PKCS1_V1_5_SHA_256",
                 "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512"),
    "ECC_NIST_P256": ("ECDSA_SHA_256",),
    "ECC_NIST_P384": ("ECDSA_SHA_384",),
    "ECC_NIST_P521": ("ECDSA_SHA_512",),
    "ECC_SECG_P256K1": ("ECDSA_SHA_256",),
}
MESSAGE = b"the message"


class AsymmetricCase(ServerCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def openssl(self, *arguments, check=True):
        run = subprocess.run(["openssl", *arguments], capture_output=True,
                             timeout=60, check=False)
        if check:
            self.assertEqual(run.returncode, 0, run.stderr)
        return run

    def public_key(self, key):
        der = self.kms.get_public_key(KeyId=key["KeyId"])["PublicKey"]
        return self.file("public.der", der)

    def create(self, spec, usage):
        return self.new_key(KeySpec=spec, KeyUsage=usage)


class Signing(AsymmetricCase):

    def openssl_verifies(self, public, algorithm, signature, message=MESSAGE):
        bits = algorithm[-3:]
        options = []
        if "PSS" in algorithm:
            options = ["-sigopt", "rsa_padding_mode:pss",
                       "-sigopt", "rsa_pss_saltlen:digest"]
        return self.openssl(
            "dgst", f"-sha{bits}", *options, "-keyform", "DER", "-verify",
            public, "-signature", self.file("signature", signature),
            self.file("message", message), check=False).returncode == 0

    def test_openssl_verifies_every_algorithm(self):
        for spec, algorithms in SIGNING.items():
            key = self.create(spec, "SIGN_VERIFY")
            self.assertEqual(set(key["SigningAlgorithms"]), set(algorithms))
            public = self.public_key(key)
            for algorithm in algorithms:
                with self.subTest(spec=spec, algorithm=algorithm):
                    request = {"KeyId": key["KeyId"], "Message": MESSAGE,
                               "SigningAlgorithm": algorithm}
                    signature = self.kms.sign(**request)["Signature"]
                    self.assertTrue(self.openssl_verifies(public, algorithm,
                                                          signature))
                    self.assertFalse(self.openssl_verifies(
                        public, algorithm, signature, b"another"))
                    reply = self.kms.verify(Signature=signature, **request)
                    self.assertIs(reply["SignatureValid"], True)
                    self.assertEqual(reply["KeyId"], key["Arn"])

    def test_ed25519(self):
        key = self.call("CreateKey", KeySpec="ECC_NIST_EDWARDS25519",
                        KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        request = {"KeyId": key["KeyId"], "Message": b64(MESSAGE),
                   "SigningAlgorithm": "ED25519_SHA_512"}
        signature = self.call("Sign", **request)["Signature"]
        self.openssl("pkeyutl", "-verify", "-rawin", "-pubin", "-keyform",
                     "DER", "-inkey", self.public_key(key), "-sigfile",
                     self.file("signature", base64.b64decode(signature)),
                     "-in", self.file("message", MESSAGE))
        self.call("Verify", Signature=signature, **request)

    def test_a_digest_is_the_same_as_its_message(self):
        key = self.create("ECC_NIST_P256", "SIGN_VERIFY")
        request = {"KeyId": key["KeyId"], "SigningAlgorithm": "ECDSA_SHA_256"}
        signature = self.kms.sign(
            Message=hashlib.sha256(MESSAGE).digest(), MessageType="DIGEST",
            **request)["Signature"]
        self.kms.verify(Message=MESSAGE, Signature=signature, **request)
        self.refuses("ValidationException",
                     "Digest is invalid length for algorithm ECDSA_SHA_256.",
                     self.kms.sign, Message=MESSAGE, MessageType="DIGEST",
                     **request)

    def test_what_does_not_verify(self):
        key = self.create("ECC_NIST_P256", "SIGN_VERIFY")
        request = {"KeyId": key["KeyId"], "SigningAlgorithm": "ECDSA_SHA_256"}
        signature = self.kms.sign(Message=MESSAGE, **request)["Signature"]
        for bad in (signature[:-1], signature + b"\0", b"x",
                    bytes(len(signature))):
            self.refuses("KMSInvalidSignatureException", None,
                         self.kms.verify, Message=MESSAGE, Signature=bad,
                         **request)
        self.refuses("KMSInvalidSignatureException", None, self.kms.verify,
                     Message=b"another", Signature=signature, **request)

    def test_a_key_for_encryption_does_not_sign(self):
        key = self.create("RSA_2048", "ENCRYPT_DECRYPT")
        self.refuses("InvalidKeyUsageException",
                     f"{key['Arn']} key usage is ENCRYPT_DECRYPT which is not "
                     "valid for Sign.", self.kms.sign, KeyId=key["KeyId"],
                     Message=MESSAGE, SigningAlgorithm="RSASSA_PSS_SHA_256")


class Encryption(AsymmetricCase):

    def test_decrypts_what_openssl_encrypted(self):
        key = self.create("RSA_2048", "ENCRYPT_DECRYPT")
        public = self.public_key(key)
        for algorithm, md in (("RSAES_OAEP_SHA_1", "sha1"),
                              ("RSAES_OAEP_SHA_256", "sha256")):
            with self.subTest(algorithm):
                blob = self.openssl(
                    "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER",
                    "-inkey", public, "-pkeyopt", "rsa_padding_mode:oaep",
                    "-pkeyopt", f"rsa_oaep_md:{md}", "-pkeyopt",
                    f"rsa_mgf1_md:{md}", "-in",
                    self.file("message", MESSAGE)).stdout
                request = {"KeyId": key["KeyId"],
                           "EncryptionAlgorithm": algorithm}
                reply = self.kms.decrypt(CiphertextBlob=blob, **request)
                self.assertEqual(reply["Plaintext"], MESSAGE)
                self.assertEqual(reply["EncryptionAlgorithm"], algorithm)
                self.assertNotIn("KeyMaterialId", reply)
                own = self.kms.encrypt(Plaintext=MESSAGE, **request)
                self.assertEqual(self.kms.decrypt(
                    CiphertextBlob=own["CiphertextBlob"],
                    **request)["Plaintext"], MESSAGE)
                self.refuses("InvalidCiphertextException", None,
                             self.kms.decrypt, CiphertextBlob=blob[:-1],
                             **request)

    def test_rsa_holds_only_so_much(self):
        key = self.create("RSA_2048", "ENCRYPT_DECRYPT")
        self.refuses("ValidationException",
                     "Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 "
                     "cannot encrypt data larger than 190 bytes.",
                     self.kms.encrypt, KeyId=key["KeyId"],
                     Plaintext=b"x" * 191,
                     EncryptionAlgorithm="RSAES_OAEP_SHA_256")


class Mac(AsymmetricCase):

    def macs(self, algorithm):
        """The server's key cannot be read: its MACs are verified by use."""
        spec = algorithm.replace("SHA_", "")
        key = self.create(spec, "GENERATE_VERIFY_MAC")
        self.assertEqual(key["MacAlgorithms"], [algorithm])
        request = {"KeyId": key["KeyId"], "MacAlgorithm": algorithm}
        mac = self.kms.generate_mac(Message=MESSAGE, **request)["Mac"]
        return request, mac

    def test_every_algorithm(self):
        for bits in (224, 256, 384, 512):
            with self.subTest(bits=bits):
                request, mac = self.macs(f"HMAC_SHA_{bits}")
                size = len(hmac.new(b"k", b"m", f"sha{bits}").digest())
                self.assertEqual(len(mac), size)
                reply = self.kms.verify_mac(Message=MESSAGE, Mac=mac, **request)
                self.assertIs(reply["MacValid"], True)
                for message, bad in ((b"another", mac), (MESSAGE, mac[:-1]),
                                     (MESSAGE, bytes(size))):
                    self.refuses("KMSInvalidMacException", None,
                                 self.kms.verify_mac, Message=message, Mac=bad,
                                 **request)

    def test_an_algorithm_of_another_spec(self):
        key = self.create("HMAC_224", "GENERATE_VERIFY_MAC")
        self.refuses("InvalidKeyUsageException",
                     "Algorithm HMAC_SHA_256 is incompatible with key spec "
                     "HMAC_224.", self.kms.generate_mac, KeyId=key["KeyId"],
                     Message=MESSAGE, MacAlgorithm="HMAC_SHA_256")


class Agreement(AsymmetricCase):

    def test_openssl_derives_the_same(self):
        key = self.call("CreateKey", KeySpec="ECC_NIST_P256",
                        KeyUsage="KEY_AGREEMENT")["KeyMetadata"]
        ours = str(self.folder / "ours.pem")
        self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-out", ours)
        peer = self.openssl("pkey", "-in", ours, "-pubout", "-outform",
                            "DER").stdout
        theirs = self.call("GetPublicKey", KeyId=key["KeyId"])
        self.assertEqual(theirs["KeyAgreementAlgorithms"], ["ECDH"])
        public = self.file("theirs.der", base64.b64decode(theirs["PublicKey"]))
        secret = self.openssl("pkeyutl", "-derive", "-inkey", ours, "-peerkey",
                              public, "-peerform", "DER").stdout
        self.assertEqual(
            self.call("DeriveSharedSecret", KeyId=key["KeyId"],
                      KeyAgreementAlgorithm="ECDH", PublicKey=b64(peer)),
            {"KeyId": key["Arn"], "SharedSecret": b64(secret),
             "KeyAgreementAlgorithm": "ECDH", "KeyOrigin": "AWS_KMS"})
        self.refuses("ValidationException", None, "DeriveSharedSecret",
                     KeyId=key["KeyId"], KeyAgreementAlgorithm="ECDH",
                     PublicKey=b64(b"garbage"))


class DataKeyPairs(AsymmetricCase):

    def test_the_private_key_is_the_public_one_s(self):
        key = self.new_key()
        for spec in ("RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1"):
            with self.subTest(spec):
                reply = self.kms.generate_data_key_pair(
                    KeyId=key["KeyId"], KeyPairSpec=spec,
                    EncryptionContext={"a": "b"})
                private = self.file("private.der",
                                    reply["PrivateKeyPlaintext"])
                self.assertEqual(
                    self.openssl("pkey", "-inform", "DER", "-in", private,
                                 "-pubout", "-outform", "DER").stdout,
                    reply["PublicKey"])
                self.assertEqual(self.kms.decrypt(
                    CiphertextBlob=reply["PrivateKeyCiphertextBlob"],
                    EncryptionContext={"a": "b"})["Plaintext"],
                    reply["PrivateKeyPlaintext"])

    def test_without_plaintext(self):
        reply = self.kms.generate_data_key_pair_without_plaintext(
            KeyId=self.new_key()["KeyId"], KeyPairSpec="ECC_NIST_P384")
        self.assertNotIn("PrivateKeyPlaintext", reply)
        self.assertEqual(reply["KeyPairSpec"], "ECC_NIST_P384")


class Creation(AsymmetricCase):

    def test_refusals(self):
        create = self.kms.create_key
        self.refuses("ValidationException",
                     "You must specify a KeyUsage value for all KMS keys "
                     "except for symmetric encryption keys.", create,
                     KeySpec="RSA_2048")
        self.refuses("ValidationException",
                     "KeyUsage KEY_AGREEMENT is not compatible with KeySpec "
                     "RSA_2048", create, KeySpec="RSA_2048",
                     KeyUsage="KEY_AGREEMENT")
        self.refuses("UnsupportedOperationException", re.compile(".*"),
                     self.kms.get_public_key, KeyId=self.new_key()["KeyId"])


if __name__ == "__main__":
    unittest.main()
