# SPDX-License-Identifier: Apache-2.0
"""The PKCS#11 module under pkcs11-tool; plain `openssl` is the second opinion."""

import hashlib
import pathlib
import re
import subprocess
import unittest

from testlib.pkcs11 import MESSAGE, Pkcs11Case

# Key spec, mechanism of pkcs11-tool, hash of openssl. Curves take any hash.
SIGNING = (
    ("RSA_2048", "SHA256-RSA-PKCS", "sha256"),
    ("RSA_2048", "SHA384-RSA-PKCS", "sha384"),
    ("RSA_2048", "SHA512-RSA-PKCS", "sha512"),
    ("ECC_NIST_P256", "ECDSA-SHA1", "sha1"),
    ("ECC_NIST_P256", "ECDSA-SHA256", "sha256"),
    ("ECC_NIST_P256", "ECDSA-SHA512", "sha512"),
    ("ECC_NIST_P384", "ECDSA-SHA256", "sha256"),
    ("ECC_NIST_P521", "ECDSA-SHA384", "sha384"),
    ("ECC_NIST_P521", "ECDSA-SHA512", "sha512"),
    ("ECC_SECG_P256K1", "ECDSA-SHA256", "sha256"),
)


class Tokens(Pkcs11Case):

    def test_dev_environment_is_one_token_that_needs_no_login(self):
        slots = self.tool("--list-slots")
        self.assertRegex(slots, r"token label +: claviger\n")
        self.assertEqual(len(re.findall(r"^Slot ", slots, re.M)), 1)
        self.assertNotIn("login required", slots)

    def test_http_with_signatures_works_as_the_socket_does(self):
        key, key_id = self.new("ECC_NIST_P256", "SIGN_VERIFY", "over-http")
        listed = self.tool("--list-objects", "--id", key_id,
                           CLAVIGER_SOCKET="", CLAVIGER_ENDPOINT="")
        self.assertIn("over-http", listed)
        refused = self.run_tool("--list-objects", CLAVIGER_SOCKET="",
                                CLAVIGER_ENDPOINT="",
                                AWS_SECRET_ACCESS_KEY="wrong")
        self.assertIn("CKR_USER_NOT_LOGGED_IN", refused.stderr)

    def test_a_configuration_that_is_not_understood_gives_no_token(self):
        broken = self.file("pkcs11.toml", b"[[token]]\nlable = 'x'\n")
        run = self.run_tool("--list-slots", CLAVIGER_PKCS11_CONFIG=broken)
        self.assertNotIn("claviger", run.stdout)
        self.assertIn(f"{broken}:2: unknown key lable", run.stderr)

    def test_a_configuration_names_several_tokens(self):
        socket = self.server.environment["CLAVIGER_SOCKET"]
        text = "".join(f'[[token]]\nlabel = "{label}"\n'
                       f'endpoint = "unix:{socket}"\n'
                       for label in ("one", "two"))
        path = self.file("pkcs11.toml", text.encode())
        slots = self.tool("--list-slots", CLAVIGER_PKCS11_CONFIG=path)
        self.assertEqual(re.findall(r"token label +: (\w+)", slots),
                         ["one", "two"])

    def test_a_server_that_is_not_there_is_the_devices_error(self):
        absent = str(self.folder / "absent.sock")
        self.tool("--list-slots", CLAVIGER_SOCKET=absent)
        run = self.run_tool("--list-objects", CLAVIGER_SOCKET=absent)
        self.assertIn("CKR_DEVICE_ERROR", run.stderr)


class Objects(Pkcs11Case):

    def test_labels_ids_and_usages_are_shown(self):
        _, key_id = self.new("RSA_2048", "SIGN_VERIFY", "listed-rsa")
        listed = self.tool("--list-objects", "--id", key_id)
        self.assertIn("Private Key Object; RSA", listed)
        self.assertIn("Public Key Object; RSA 2048 bits", listed)
        self.assertEqual(listed.count("label:      listed-rsa"), 2)
        self.assertRegex(listed, "sensitive, always sensitive, never extract")
        self.assertIn(f":key/{key_id[:8]}-", listed)

    def test_tags_name_a_key(self):
        key, _ = self.new("ECC_NIST_P256", "SIGN_VERIFY", "an-alias")
        self.kms.tag_resource(KeyId=key["KeyId"], Tags=[
            {"TagKey": "pkcs11:label", "TagValue": "A label: with spaces"},
            {"TagKey": "pkcs11:id", "TagValue": "c0ffee"}])
        listed = self.tool("--list-objects", "--id", "c0ffee")
        self.assertEqual(listed.count("label:      A label: with spaces"), 2)


class Signing(Pkcs11Case):

    def test_openssl_verifies_every_mechanism(self):
        keys = {}
        for spec, mechanism, digest in SIGNING:
            if spec not in keys:
                keys[spec] = self.new(spec, "SIGN_VERIFY",
                                      "sign-" + spec.replace("_", "-"))
            key, key_id = keys[spec]
            with self.subTest(spec=spec, mechanism=mechanism):
                signature = self.sign(key_id, mechanism,
                                      "--signature-format", "openssl")
                public = self.public_key(key)
                self.assertTrue(self.openssl_verifies(public, signature,
                                                      digest))
                raw = self.sign(key_id, mechanism)
                self.assertIn("Signature is valid", self.tool(
                    "--verify", "--id", key_id, "--mechanism", mechanism,
                    "--input-file", self.message, "--signature-file", raw))

    def test_openssl_verifies_pss(self):
        key, key_id = self.new("RSA_2048", "SIGN_VERIFY", "sign-pss")
        digest = self.file("digest", hashlib.sha384(MESSAGE).digest())
        signature = self.sign(key_id, "RSA-PKCS-PSS", "--hash-algorithm",
                              "SHA384", "--mgf", "MGF1-SHA384", data=digest)
        self.assertTrue(self.openssl_verifies(
            self.public_key(key), signature, "sha384",
            "-sigopt", "rsa_padding_mode:pss",
            "-sigopt", "rsa_pss_saltlen:digest"))

    def test_a_mac_is_the_one_that_the_kms_makes(self):
        key, key_id = self.new("HMAC_256", "GENERATE_VERIFY_MAC", "a-mac")
        path = self.sign(key_id, "SHA256-HMAC")
        reply = self.kms.verify_mac(
            KeyId=key["KeyId"], MacAlgorithm="HMAC_SHA_256", Message=MESSAGE,
            Mac=pathlib.Path(path).read_bytes())
        self.assertTrue(reply["MacValid"])

    def test_what_kms_cannot_sign_is_refused_and_logged(self):
        _, key_id = self.new("RSA_2048", "SIGN_VERIFY", "bare-bytes")
        run = self.run_tool("--sign", "--id", key_id, "--mechanism", "RSA-PKCS",
                            "--input-file", self.message)
        self.assertIn("CKR_DATA_INVALID", run.stderr)
        self.assertIn("KMS signs DigestInfos", run.stderr)

    def test_the_policy_decides(self):
        key, key_id = self.new("ECC_NIST_P256", "SIGN_VERIFY", "denied")
        root = f"arn:aws:iam::{self.account}:root"
        policy = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": root},
             "Action": "kms:*", "Resource": "*"},
            {"Effect": "Deny", "Principal": {"AWS": "*"},
             "Action": "kms:Sign", "Resource": "*"}]}
        self.call("PutKeyPolicy", KeyId=key["KeyId"], PolicyName="default",
                  Policy=str(policy).replace("'", '"'))
        run = self.run_tool("--sign", "--id", key_id, "--mechanism", "ECDSA",
                            "--input-file", self.message)
        self.assertIn("CKR_FUNCTION_REJECTED", run.stderr)
        self.assertIn("AccessDeniedException", run.stderr)


class Making(Pkcs11Case):

    # What pkcs11-tool is asked for, and what the KMS must then have.
    PAIRS = (
        ("rsa:2048", "--usage-sign", "RSA_2048", "SIGN_VERIFY"),
        ("rsa:3072", "--usage-decrypt", "RSA_3072", "ENCRYPT_DECRYPT"),
        ("rsa:4096", "--usage-sign", "RSA_4096", "SIGN_VERIFY"),
        ("EC:prime256v1", "--usage-sign", "ECC_NIST_P256", "SIGN_VERIFY"),
        ("EC:secp384r1", "--usage-derive", "ECC_NIST_P384", "KEY_AGREEMENT"),
        ("EC:secp521r1", "--usage-sign", "ECC_NIST_P521", "SIGN_VERIFY"),
        ("EC:secp256k1", "--usage-sign", "ECC_SECG_P256K1", "SIGN_VERIFY"),
        ("EC:edwards25519", "--usage-sign", "ECC_NIST_EDWARDS25519",
         "SIGN_VERIFY"),
    )

    def alias_of(self, label):
        return self.kms.describe_key(KeyId=f"alias/{label}")["KeyMetadata"]

    def test_key_pairs_become_keys_of_the_kms(self):
        for kind, option, spec, usage in self.PAIRS:
            with self.subTest(kind=kind):
                label = "made-" + spec.replace("_", "-")
                made = self.tool("--keypairgen", "--key-type", kind, option,
                                 "--label", label, "--id", "0a0b0c")
                self.assertIn(f"label:      {label}", made)
                self.assertIn("ID:         0a0b0c", made)
                key = self.alias_of(label)
                self.assertEqual(key["KeySpec"], spec)
                self.assertEqual(key["KeyUsage"], usage)

    def test_secret_keys_become_keys_of_the_kms(self):
        for kind, spec in (("AES:32", "SYMMETRIC_DEFAULT"),
                           ("GENERIC:28", "HMAC_224"),
                           ("GENERIC:32", "HMAC_256"),
                           ("GENERIC:48", "HMAC_384"),
                           ("GENERIC:64", "HMAC_512")):
            label = "made-" + spec.replace("_", "-")
            self.tool("--keygen", "--key-type", kind, "--label", label)
            self.assertEqual(self.alias_of(label)["KeySpec"], spec)

    def test_kinds_that_kms_lacks_are_refused(self):
        for kind in ("rsa:1024", "EC:brainpoolP256r1"):
            run = self.run_tool("--keypairgen", "--key-type", kind)
            self.assertNotEqual(run.returncode, 0)

    def test_a_deleted_key_waits_for_its_deletion(self):
        key, key_id = self.new("ECC_NIST_P256", "SIGN_VERIFY", "to-delete")
        self.tool("--delete-object", "--type", "privkey", "--id", key_id)
        self.assertEqual(self.state(key["KeyId"]), "PendingDeletion")
        self.assertNotIn("to-delete", self.tool("--list-objects"))


class Decryption(Pkcs11Case):

    def test_what_openssl_encrypts_by_oaep_is_decrypted(self):
        key, key_id = self.new("RSA_2048", "ENCRYPT_DECRYPT", "oaep")
        public = self.public_key(key)
        for digest in ("sha1", "sha256"):
            encrypted = self.path("encrypted")
            subprocess.run(
                ["openssl", "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER",
                 "-inkey", public, "-in", self.message, "-out", encrypted,
                 "-pkeyopt", "rsa_padding_mode:oaep",
                 "-pkeyopt", f"rsa_oaep_md:{digest}",
                 "-pkeyopt", f"rsa_mgf1_md:{digest}"], check=True, timeout=60)
            decrypted = self.folder / "decrypted"
            name = {"sha1": "SHA-1", "sha256": "SHA256"}[digest]
            self.tool("--decrypt", "--id", key_id, "--mechanism",
                      "RSA-PKCS-OAEP", "--hash-algorithm", name, "--mgf",
                      "MGF1-" + name.replace("-", ""), "--input-file",
                      encrypted, "--output-file", str(decrypted))
            self.assertEqual(decrypted.read_bytes(), MESSAGE)


if __name__ == "__main__":
    unittest.main()
