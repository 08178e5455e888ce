# SPDX-License-Identifier: Apache-2.0
"""Every mechanism that the module offers, and its own test, under pkcs11-tool.
Plain `openssl` and the KMS are the second opinion."""

import hashlib
import pathlib
import re
import unittest

from testlib.pkcs11 import MESSAGE, Pkcs11Case

RSA_PSS = ("-sigopt", "rsa_padding_mode:pss",
           "-sigopt", "rsa_pss_saltlen:digest")

# DER before a digest (RFC 8017, section 9.2, note 1).
DIGEST_INFO = {
    "sha256": "3031300d060960864801650304020105000420",
    "sha384": "3041300d060960864801650304020205000430",
    "sha512": "3051300d060960864801650304020305000440",
}


def hashed(digest):
    return hashlib.new(digest.replace("-", "_"), MESSAGE).digest()


def digest_info(digest):
    return bytes.fromhex(DIGEST_INFO[digest]) + hashed(digest)


def pss(digest):
    name = digest.upper()
    return ("--hash-algorithm", name, "--mgf", f"MGF1-{name}")


# Mechanism of pkcs11-tool, its options, what it is given, and how openssl
# verifies the signature of the message: hash and options.
RSA = [row for digest in ("sha256", "sha384", "sha512") for row in (
    ("RSA-PKCS", (), digest_info(digest), digest, ()),
    (f"{digest.upper()}-RSA-PKCS", (), MESSAGE, digest, ()),
    ("RSA-PKCS-PSS", pss(digest), hashed(digest), digest, RSA_PSS),
    (f"{digest.upper()}-RSA-PKCS-PSS", (), MESSAGE, digest, RSA_PSS),
)]
CURVES = [row for digest in ("sha1", "sha224", "sha256", "sha384", "sha512",
                                     "sha3-224", "sha3-256", "sha3-384",
                                     "sha3-512")
          for row in (
              ("ECDSA", (), hashed(digest), digest, ()),
              (f"ECDSA-{digest.upper()}", (), MESSAGE, digest, ()))]
KEYS = (
    ("RSA_2048", RSA), ("RSA_4096", RSA[:2]), ("ECC_NIST_P256", CURVES),
    ("ECC_NIST_P384", CURVES[1::2]), ("ECC_NIST_P521", CURVES[::2]),
    ("ECC_SECG_P256K1", CURVES[1::2]),
)
# Key spec, KMS's algorithm, pkcs11-tool's mechanism.
MACS = tuple((f"HMAC_{bits}", f"HMAC_SHA_{bits}", f"SHA{bits}-HMAC")
             for bits in (224, 256, 384, 512))
OTHERS = {"EDDSA"}
OF_SESSION_KEYS = {"SHA-1-HMAC"} | {
    f"{name}-HMAC-GENERAL" for name in ("SHA-1", "SHA256", "SHA384", "SHA512",
                                        "SHA224")}


class Mechanisms(Pkcs11Case):

    def test_openssl_verifies_what_each_signs(self):
        for spec, rows in KEYS:
            key, key_id = self.new(spec, "SIGN_VERIFY",
                                   "each-" + spec.replace("_", "-"))
            public = self.public_key(key)
            for mechanism, options, given, digest, verify in rows:
                with self.subTest(spec=spec, mechanism=mechanism, hash=digest):
                    path = self.file("given", given)
                    raw = self.sign(key_id, mechanism, *options, data=path)
                    self.assertIn("Signature is valid", self.tool(
                        "--verify", "--id", key_id, "--mechanism", mechanism,
                        *options, "--input-file", path, "--signature-file",
                        raw))
                    signature = self.sign(
                        key_id, mechanism, *options, "--signature-format",
                        "openssl", data=path)
                    self.assertTrue(self.openssl_verifies(
                        public, signature, digest, *verify))

    def test_ed25519_signs_the_message_itself(self):
        key, key_id = self.new("ECC_NIST_EDWARDS25519", "SIGN_VERIFY",
                               "each-ed25519")
        signature = self.sign(key_id, "EDDSA")
        self.program("openssl", "pkeyutl", "-verify", "-pubin", "-keyform",
                     "DER", "-inkey", self.public_key(key), "-rawin", "-in",
                     self.message, "-sigfile", signature)

    def test_macs_are_those_of_the_kms(self):
        for spec, algorithm, mechanism in MACS:
            with self.subTest(spec=spec):
                key, key_id = self.new(spec, "GENERATE_VERIFY_MAC",
                                       "each-" + spec.replace("_", "-"))
                path = self.sign(key_id, mechanism)
                self.assertEqual(pathlib.Path(path).read_bytes(),
                                 self.kms.generate_mac(
                                     KeyId=key["KeyId"], Message=MESSAGE,
                                     MacAlgorithm=algorithm)["Mac"])

    def test_none_that_signs_is_left_out_here(self):
        # The tool has no names for those that cut MACs.
        shown = self.tool("--list-mechanisms")
        signing = set(re.findall(r"^  (\S+), .*\bsign\b", shown, re.M))
        tested = ({row[0] for _, rows in KEYS for row in rows} | OTHERS |
                  {row[2] for row in MACS})
        self.assertEqual(
            {name for name in signing - tested - OF_SESSION_KEYS
             if not name.startswith("mechtype-")}, set())

    def test_signing_under_another_hash_is_not_valid(self):
        _, key_id = self.new("RSA_2048", "SIGN_VERIFY", "another-hash")
        raw = self.sign(key_id, "SHA256-RSA-PKCS")
        shown = self.run_tool(
            "--verify", "--id", key_id, "--mechanism", "SHA384-RSA-PKCS",
            "--input-file", self.message, "--signature-file", raw)
        self.assertNotIn("Signature is valid", shown.stdout)


class OwnTest(Pkcs11Case):
    """`pkcs11-tool --test` with keys of every kind.

    It knows but one signature that the KMS makes, CKM_SHA256_RSA_PKCS, and two
    of its steps sign a DigestInfo of SHA-1 as soon as CKM_RSA_PKCS can be begun
    with an RSA key. That must be possible (OpenSSL's engine, ssh and GnuTLS sign
    so), and whether it is SHA-1 is seen only when the data is there. Then the
    tool (0.23) takes no answer but a signature, and a KMS makes none with SHA-1:

    - "Signatures" ends the program. It looks only at mechanisms that say they
      are done in hardware, unless it is told --allow-sw; ours do not say so.
    - "Verify" counts an error, goes on, and the program exits with 0.
    """

    def setUp(self):
        super().setUp()
        for spec, usage in (("ECC_NIST_P256", "SIGN_VERIFY"),
                            ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"),
                            ("RSA_2048", "SIGN_VERIFY"),
                            ("RSA_4096", "SIGN_VERIFY"),
                            ("RSA_2048", "ENCRYPT_DECRYPT")):
            key = self.new_key(KeySpec=spec, KeyUsage=usage)
            self.addCleanup(self.kms.schedule_key_deletion,
                            KeyId=key["KeyId"])

    def own_test(self, *options):
        return self.run_tool("--test", "--login", "--pin", "1234", *options)

    def test_ends_well(self):
        run = self.own_test()
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("Signatures: not implemented", run.stdout)
        # OAEP with a label, which KMS has not, is refused as the standard has
        # it; without one it decrypts.
        self.assertRegex(run.stdout,
                         "RSA-PKCS-OAEP: [^:]*Mechanism not supported")
        self.assertRegex(run.stdout, "RSA-PKCS-OAEP: [^:]*OK")
        # The only errors are those signatures of SHA-1.
        errors = re.findall("ERR: .*", run.stdout)
        self.assertGreaterEqual(len(errors), 2)
        for error in errors:
            self.assertRegex(error, "C_Sign.. returned CKR_DATA_INVALID")
        self.assertIn(f"{len(errors)} errors", run.stdout)

    def test_finds_no_error_without_rsa_keys_that_sign(self):
        for page in self.kms.get_paginator("list_keys").paginate():
            for row in page["Keys"]:
                if self.is_rsa_signer(row["KeyId"]):
                    self.kms.disable_key(KeyId=row["KeyId"])
        run = self.own_test("--allow-sw")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("No errors", run.stdout)

    def is_rsa_signer(self, key_id):
        key = self.kms.describe_key(KeyId=key_id)["KeyMetadata"]
        return (key["KeySpec"].startswith("RSA") and key["Enabled"] and
                key["KeyUsage"] == "SIGN_VERIFY")

    def test_stops_at_a_signature_of_sha1_if_it_insists(self):
        run = self.own_test("--allow-sw")
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("CKR_DATA_INVALID", run.stderr)


if __name__ == "__main__":
    unittest.main()
