# SPDX-License-Identifier: Apache-2.0
"""Imported key material, wrapped by `openssl`; Debian's botocore does not know
all wrapping algorithms and members: those are called raw."""

import base64
import collections
import hashlib
import hmac
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

from testlib import ServerCase
from testlib.case import b64, call
from testlib.faults import wait_until

VECTORS = pathlib.Path(__file__).parents[1] / "vectors" / "wycheproof"
OAEP = "RSAES_OAEP_SHA_256"
FOR_EVER = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}


class ImportCase(ServerCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def openssl(self, *arguments, data=b""):
        run = subprocess.run(["openssl", *arguments], input=data,
                             capture_output=True, timeout=60, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def oaep(self, public_key, algorithm, plaintext):
        path = self.folder / "wrapping.der"
        path.write_bytes(public_key)
        digest = "sha" + algorithm.rsplit("_", 1)[1]
        return self.openssl(
            "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey",
            str(path), "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt",
            f"rsa_oaep_md:{digest}", "-pkeyopt", f"rsa_mgf1_md:{digest}",
            data=plaintext)

    def wrap(self, parameters, algorithm, material):
        public_key = base64.b64decode(parameters["PublicKey"])
        if not algorithm.startswith("RSA_AES"):
            return self.oaep(public_key, algorithm, material)
        aes_key = os.urandom(32)
        wrapped = self.openssl(
            "enc", "-id-aes256-wrap-pad", "-e", "-K", aes_key.hex(), "-iv",
            "a65959a6", data=material)
        return self.oaep(public_key, algorithm, aes_key) + wrapped

    def external(self, spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT"):
        return self.call("CreateKey", KeySpec=spec, KeyUsage=usage,
                         Origin="EXTERNAL")["KeyMetadata"]["KeyId"]

    def parameters(self, key, algorithm=OAEP, spec="RSA_2048"):
        return self.call("GetParametersForImport", KeyId=key,
                         WrappingAlgorithm=algorithm, WrappingKeySpec=spec)

    def request(self, key, material, algorithm=OAEP, **more):
        parameters = self.parameters(key, algorithm)
        wrapped = self.wrap(parameters, algorithm, material)
        return {"KeyId": key, "ImportToken": parameters["ImportToken"],
                "EncryptedKeyMaterial": b64(wrapped), **(more or FOR_EVER)}

    def bring(self, key, material, algorithm=OAEP, **more):
        return self.call("ImportKeyMaterial",
                         **self.request(key, material, algorithm, **more))


class Importing(ImportCase):

    def test_with_boto3(self):
        key = self.new_key(Origin="EXTERNAL")
        name = key["KeyId"]
        self.assertEqual(key["KeyState"], "PendingImport")
        parameters = self.kms.get_parameters_for_import(
            KeyId=name, WrappingAlgorithm=OAEP, WrappingKeySpec="RSA_2048")
        self.assertEqual(parameters["KeyId"], key["Arn"])
        left = parameters["ParametersValidTo"].timestamp() - time.time()
        self.assertAlmostEqual(left, 86400, delta=600)
        material = os.urandom(32)
        self.kms.import_key_material(
            KeyId=name, ImportToken=parameters["ImportToken"],
            EncryptedKeyMaterial=self.oaep(parameters["PublicKey"], OAEP,
                                           material), **FOR_EVER)
        self.assertEqual(self.state(name), "Enabled")
        blob = self.kms.encrypt(KeyId=name, Plaintext=b"secret")[
            "CiphertextBlob"]
        self.kms.delete_imported_key_material(KeyId=name)
        self.assertEqual(self.state(name), "PendingImport")
        self.refuses("KMSInvalidStateException",
                     f"{key['Arn']} is pending import.", self.kms.decrypt,
                     CiphertextBlob=blob)
        self.refuses("IncorrectKeyMaterialException", re.compile(".+"),
                     "ImportKeyMaterial",
                     **self.request(name, os.urandom(32)))
        self.bring(name, material)
        self.assertEqual(self.kms.decrypt(CiphertextBlob=blob)["Plaintext"],
                         b"secret")

    def test_hmac_is_what_was_imported(self):
        key = self.external("HMAC_256", "GENERATE_VERIFY_MAC")
        material = os.urandom(37)
        self.bring(key, material)
        reply = self.kms.generate_mac(KeyId=key, Message=b"message",
                                      MacAlgorithm="HMAC_SHA_256")
        self.assertEqual(reply["Mac"],
                         hmac.digest(material, b"message", "sha256"))

    def test_key_pairs_are_what_was_imported(self):
        for spec, make in (
                ("RSA_2048", ("RSA", "rsa_keygen_bits:2048")),
                ("ECC_NIST_P256", ("EC", "ec_paramgen_curve:P-256")),
                ("ECC_NIST_P521", ("EC", "ec_paramgen_curve:P-521"))):
            pem = self.openssl("genpkey", "-algorithm", make[0], "-pkeyopt",
                               make[1])
            pkcs8 = self.openssl("pkcs8", "-topk8", "-nocrypt", "-outform",
                                 "DER", data=pem)
            public = self.openssl("pkey", "-pubout", "-outform", "DER",
                                  data=pem)
            for algorithm in ("RSA_AES_KEY_WRAP_SHA_1",
                              "RSA_AES_KEY_WRAP_SHA_256"):
                with self.subTest(spec=spec, algorithm=algorithm):
                    key = self.external(spec, "SIGN_VERIFY")
                    self.bring(key, pkcs8, algorithm)
                    self.assertEqual(
                        self.kms.get_public_key(KeyId=key)["PublicKey"],
                        public)

    def test_tampering_is_refused(self):
        key = self.external()
        request = self.request(key, os.urandom(32))
        for member, code in (("ImportToken", "InvalidImportTokenException"),
                             ("EncryptedKeyMaterial",
                              "InvalidCiphertextException")):
            whole = base64.b64decode(request[member])
            for place in (0, len(whole) // 2, len(whole) - 1):
                changed = bytearray(whole)
                changed[place] ^= 1
                self.refuses(code, re.compile(".*"), "ImportKeyMaterial",
                             **{**request, member: b64(bytes(changed))})
        self.assertEqual(self.state(key), "PendingImport")
        self.call("ImportKeyMaterial", **request)

    def test_a_second_material_waits_for_its_rotation(self):
        key = self.external()
        first = self.bring(key, os.urandom(32))["KeyMaterialId"]
        second = self.bring(key, os.urandom(32), ImportType="NEW_KEY_MATERIAL",
                            **FOR_EVER)["KeyMaterialId"]
        self.assertEqual(self.current(key), first)
        self.call("RotateKeyOnDemand", KeyId=key)
        self.assertEqual(self.current(key), second)
        states = [entry["KeyMaterialState"] for entry in self.call(
            "ListKeyRotations", KeyId=key,
            IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]]
        self.assertEqual(states, ["NON_CURRENT", "CURRENT"])

    def current(self, key):
        return self.call("DescribeKey", KeyId=key)["KeyMetadata"][
            "CurrentKeyMaterialId"]

    def test_material_expires(self):
        key = self.external()
        self.bring(key, os.urandom(32), ExpirationModel="KEY_MATERIAL_EXPIRES",
                   ValidTo=time.time() + 6)
        wait_until(lambda: self.state(key) == "PendingImport",
                   "the material expires")


class Wycheproof(ImportCase):
    """A few of each group: a call takes long beside those of the unit tests."""

    def test_hmac(self):
        for bits, most in ((224, 64), (256, 64), (384, 128), (512, 128)):
            vectors = json.loads(
                (VECTORS / f"hmac_sha{bits}_test.json").read_text())
            for group in vectors["testGroups"]:
                fits = bits // 8 <= group["keySize"] // 8 <= most
                if group["tagSize"] != bits or not fits:
                    continue
                # The API has no empty messages.
                tests = [test for test in group["tests"] if test["msg"]]
                for test in tests[:60:12]:
                    self.one_mac(bits, test)

    def one_mac(self, bits, test):
        key = self.external(f"HMAC_{bits}", "GENERATE_VERIFY_MAC")
        self.bring(key, bytes.fromhex(test["key"]), "RSAES_OAEP_SHA_1")
        mac = self.kms.generate_mac(
            KeyId=key, Message=bytes.fromhex(test["msg"]),
            MacAlgorithm=f"HMAC_SHA_{bits}")["Mac"]
        self.assertEqual(mac.hex() == test["tag"], test["result"] == "valid",
                         test["comment"])

    def test_key_wrap(self):
        vectors = json.loads((VECTORS / "aes_kwp_test.json").read_text())
        tests = [test for group in vectors["testGroups"]
                 for test in group["tests"]]
        fit = [test for test in tests if self.fits(test)]
        self.assertGreater(len(fit), 5)
        for test in fit + tests[::8]:
            self.one_wrap(test)

    def fits(self, test):
        return test["result"] == "valid" and 28 <= len(test["msg"]) // 2 <= 64

    def one_wrap(self, test):
        material = bytes.fromhex(test["msg"])
        key = self.external("HMAC_224", "GENERATE_VERIFY_MAC")
        algorithm = "RSA_AES_KEY_WRAP_SHA_256"
        parameters = self.parameters(key, algorithm)
        wrapped = self.oaep(
            base64.b64decode(parameters["PublicKey"]), algorithm,
            bytes.fromhex(test["key"])) + bytes.fromhex(test["ct"])
        request = {"KeyId": key, "ImportToken": parameters["ImportToken"],
                   "EncryptedKeyMaterial": b64(wrapped), **FOR_EVER}
        if not self.fits(test):
            self.refuses("InvalidCiphertextException", None,
                         "ImportKeyMaterial", **request)
            return
        self.call("ImportKeyMaterial", **request)
        mac = self.kms.generate_mac(KeyId=key, Message=b"message",
                                    MacAlgorithm="HMAC_SHA_224")["Mac"]
        self.assertEqual(mac, hmac.new(material, b"message",
                                       hashlib.sha224).digest())

    def test_oaep(self):
        for algorithm, name in (("RSAES_OAEP_SHA_1", "sha1_mgf1sha1"),
                                ("RSAES_OAEP_SHA_256", "sha256_mgf1sha256")):
            vectors = json.loads(
                (VECTORS / f"rsa_oaep_2048_{name}_test.json").read_text())
            for group in vectors["testGroups"]:
                key = self.external("RSA_2048")
                self.bring(key, bytes.fromhex(group["privateKeyPkcs8"]),
                           "RSA_AES_KEY_WRAP_SHA_256")
                for test in group["tests"]:
                    self.one_decryption(key, algorithm, test)

    def one_decryption(self, key, algorithm, test):
        request = {"KeyId": key, "EncryptionAlgorithm": algorithm,
                   "CiphertextBlob": bytes.fromhex(test["ct"])}
        # The API has no labels.
        if test["result"] == "valid" and not test["label"]:
            self.assertEqual(self.kms.decrypt(**request)["Plaintext"].hex(),
                             test["msg"], test["comment"])
            return
        if not request["CiphertextBlob"]:
            return
        with self.assertRaises(self.kms.exceptions.InvalidCiphertextException,
                               msg=test["comment"]):
            self.kms.decrypt(**request)

    def test_agreement(self):
        for spec, curve, oid in (
                ("ECC_NIST_P256", "secp256r1", "2a8648ce3d030107"),
                ("ECC_NIST_P384", "secp384r1", "2b81040022"),
                ("ECC_NIST_P521", "secp521r1", "2b81040023")):
            vectors = json.loads(
                (VECTORS / f"ecdh_{curve}_test.json").read_text())
            (group,) = vectors["testGroups"]
            tests = collections.defaultdict(list)
            for test in group["tests"]:
                tests[test["private"]].append(test)
            used = sorted(tests, key=lambda each: -len(tests[each]))[:3]
            for private in used:
                key = self.external(spec, "KEY_AGREEMENT")
                size = len(group["tests"][0]["shared"]) // 2
                self.bring(key, private_key(oid, int(private, 16), size),
                           "RSA_AES_KEY_WRAP_SHA_256")
                for test in tests[private][::3]:
                    self.one_agreement(key, test)

    def one_agreement(self, key, test):
        reply = call(self.server, "DeriveSharedSecret", {
            "KeyId": key, "KeyAgreementAlgorithm": "ECDH",
            "PublicKey": b64(bytes.fromhex(test["public"]))})
        if reply.status == 200:
            self.assertNotEqual(test["result"], "invalid", test["comment"])
            shared = base64.b64decode(reply.json["SharedSecret"])
            self.assertEqual(shared.hex(), test["shared"], test["comment"])
            return
        self.assertNotEqual(test["result"], "valid", test["comment"])
        self.assertEqual(reply.status, 400, test["comment"])
        self.assertEqual(reply.json["__type"], "ValidationException",
                         test["comment"])


def der(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x81, size])
    return bytes([tag]) + length + content


def private_key(curve, number, size):
    """PKCS #8 of a private key without its public point."""
    algorithm = der(0x30, der(6, bytes.fromhex("2a8648ce3d0201")),
                    der(6, bytes.fromhex(curve)))
    key = der(0x30, der(2, b"\x01"), der(4, number.to_bytes(size, "big")))
    return der(0x30, der(2, b"\x00"), algorithm, der(4, key))


if __name__ == "__main__":
    unittest.main()
