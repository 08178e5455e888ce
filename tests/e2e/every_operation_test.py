# SPDX-License-Identifier: Apache-2.0
"""One story that needs every operation, told by boto3 and by `aws`.

Both are Debian's, and read AWS's newest service model from tests/model
(AWS_DATA_PATH), so they know operations that are newer than they are. What each
operation does in detail is tested elsewhere: here each of them must get through
each client, there and back.
"""

import base64
import json
import os
import re
import subprocess
import unittest

import boto3
import botocore.config
import botocore.session
from botocore.exceptions import ClientError

from testlib import ServerCase, aws_cli, loopback, model
from testlib.case import b64

MESSAGE = b64(b"message")
BLOBS = {member for shape in model.SHAPES.values()
         for member, reference in shape.get("members", {}).items()
         if model.SHAPES[reference["shape"]]["type"] == "blob"}
# Newer than the model: the clients have no way to say it.
UNKNOWN_TO_CLIENTS = {"Encapsulate", "Decapsulate"}
NOT_SERVED = re.compile(r".* (is|are) not supported by this server\.")


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Boto3:
    def __init__(self, server, region):
        session = botocore.session.Session()
        session.set_config_variable("data_path", str(model.FOLDER))
        session.set_credentials(server.access_key, server.secret_key)
        self.client = boto3.session.Session(
            botocore_session=session).client(
            "kms", region_name=region, endpoint_url=loopback(server.endpoint),
            config=botocore.config.Config(retries={"total_max_attempts": 1}))
        loopback(self.client.meta.endpoint_url)
        self.methods = {operation: method for method, operation in
                        self.client.meta.method_to_api_mapping.items()}

    def __call__(self, operation, request):
        request = {name: base64.b64decode(value) if name in BLOBS else value
                   for name, value in request.items()}
        method = getattr(self.client, self.methods[operation])
        try:
            reply = method(**request)
        except ClientError as error:
            raise Refused(error.response["Error"]["Code"],
                          error.response["Error"]["Message"]) from error
        return {name: b64(value) if isinstance(value, bytes) else value
                for name, value in reply.items()}


class Aws:
    ERROR = re.compile(r"An error occurred \((\w+)\) when calling the \w+ "
                       r"operation(?: \(.*?\))?: (.*)\s*\Z", re.S)

    def __init__(self, server, region):
        self.server, self.region = server, region

    def __call__(self, operation, request):
        command = re.sub("(?<!^)(?=[A-Z])", "-", operation).lower()
        run = aws_cli(self.server, command, "--cli-input-json",
                      json.dumps(request), region=self.region, check=False,
                      data_path=model.FOLDER)
        error = self.ERROR.search(run.stderr)
        if error:
            raise Refused(error[1], error[2].strip())
        if run.returncode:
            raise AssertionError(f"aws {command}: {run.stderr}")
        return json.loads(run.stdout or "{}")


class Story:
    """Calls every operation; each step needs what the steps before it made."""

    def __init__(self, test, client):
        self.test, self.client, self.called = test, client, set()

    def ask(self, operation, **request):
        self.called.add(operation)
        return self.client(operation, request)

    def served(self, operation, **request):
        """The reply, or None if the server says that it does not do this."""
        try:
            return self.ask(operation, **request)
        except Refused as refusal:
            self.test.assertEqual(refusal.code, "UnsupportedOperationException")
            self.test.assertRegex(refusal.message, NOT_SERVED)
            print(f"not served: {refusal.message}")
            return None

    def refused(self, code, operation, **request):
        with self.test.assertRaises(Refused) as caught:
            self.ask(operation, **request)
        self.test.assertEqual(caught.exception.code, code)

    def new_key(self, **request):
        return self.ask("CreateKey", **request)["KeyMetadata"]["KeyId"]

    def tell(self):
        self.key = self.new_key(Description="every operation")
        self.keys()
        self.encryption()
        self.signatures()
        self.rotation()
        self.grants()
        self.imports()
        self.regions()
        self.key_stores()

    def keys(self):
        equal, key = self.test.assertEqual, {"KeyId": self.key}
        alias = {"AliasName": f"alias/{type(self.client).__name__}"}
        self.ask("CreateAlias", TargetKeyId=self.key, **alias)
        other = self.new_key()
        self.ask("UpdateAlias", TargetKeyId=other, **alias)
        listed = self.ask("ListAliases", KeyId=other)["Aliases"]
        equal([entry["AliasName"] for entry in listed], [alias["AliasName"]])
        self.ask("DeleteAlias", **alias)
        self.ask("DisableKey", **key)
        self.ask("UpdateKeyDescription", Description="changed", **key)
        shown = self.ask("DescribeKey", **key)["KeyMetadata"]
        equal((shown["KeyState"], shown["Description"]),
              ("Disabled", "changed"))
        self.ask("EnableKey", **key)
        self.ask("ScheduleKeyDeletion", KeyId=other, PendingWindowInDays=7)
        self.ask("CancelKeyDeletion", KeyId=other)
        self.test.assertIn(self.key, [
            entry["KeyId"] for entry in self.ask("ListKeys")["Keys"]])
        policy = self.ask("GetKeyPolicy", **key)
        equal(policy["PolicyName"], "default")
        self.ask("PutKeyPolicy", Policy=policy["Policy"], **key)
        equal(self.ask("ListKeyPolicies", **key)["PolicyNames"], ["default"])
        tag = {"TagKey": "a", "TagValue": "b"}
        self.ask("TagResource", Tags=[tag], **key)
        equal(self.ask("ListResourceTags", **key)["Tags"], [tag])
        self.ask("UntagResource", TagKeys=["a"], **key)

    def encryption(self):
        equal, key = self.test.assertEqual, {"KeyId": self.key}
        sealed = self.ask("Encrypt", Plaintext=MESSAGE, **key)
        blob = {"CiphertextBlob": sealed["CiphertextBlob"]}
        moved = self.ask("ReEncrypt", DestinationKeyId=self.key,
                         DestinationEncryptionContext={"a": "b"}, **blob)
        opened = self.ask("Decrypt", EncryptionContext={"a": "b"},
                          CiphertextBlob=moved["CiphertextBlob"])
        equal(opened["Plaintext"], MESSAGE)
        self.ask("GenerateDataKey", KeySpec="AES_128", **key)
        self.ask("GenerateDataKeyWithoutPlaintext", NumberOfBytes=24, **key)
        pair = self.ask("GenerateDataKeyPair", KeyPairSpec="ECC_NIST_P256",
                        **key)
        opened = self.ask("Decrypt",
                          CiphertextBlob=pair["PrivateKeyCiphertextBlob"])
        equal(opened["Plaintext"], pair["PrivateKeyPlaintext"])
        self.ask("GenerateDataKeyPairWithoutPlaintext",
                 KeyPairSpec="ECC_NIST_P384", **key)
        drawn = self.ask("GenerateRandom", NumberOfBytes=5)
        equal(len(base64.b64decode(drawn["Plaintext"])), 5)
        used = self.ask("GetKeyLastUsage", **key)
        equal(used["KeyLastUsage"]["Operation"],
              "GenerateDataKeyPairWithoutPlaintext")

    def signatures(self):
        equal = self.test.assertEqual
        key = {"KeyId": self.new_key(KeySpec="ECC_NIST_EDWARDS25519",
                                     KeyUsage="SIGN_VERIFY"),
               "SigningAlgorithm": "ED25519_SHA_512", "Message": MESSAGE}
        signature = self.ask("Sign", **key)["Signature"]
        equal(self.ask("Verify", Signature=signature, **key)
              ["SignatureValid"], True)
        key = {"KeyId": self.new_key(KeySpec="HMAC_256",
                                     KeyUsage="GENERATE_VERIFY_MAC"),
               "MacAlgorithm": "HMAC_SHA_256", "Message": MESSAGE}
        mac = self.ask("GenerateMac", **key)["Mac"]
        equal(self.ask("VerifyMac", Mac=mac, **key)["MacValid"], True)
        ours, theirs = (self.new_key(KeySpec="ECC_NIST_P256",
                                     KeyUsage="KEY_AGREEMENT")
                        for _ in range(2))
        secrets = [self.ask(
            "DeriveSharedSecret", KeyId=one, KeyAgreementAlgorithm="ECDH",
            PublicKey=self.ask("GetPublicKey", KeyId=other)["PublicKey"])
            ["SharedSecret"] for one, other in ((ours, theirs), (theirs, ours))]
        equal(secrets[0], secrets[1])

    def rotation(self):
        equal, key = self.test.assertEqual, {"KeyId": self.key}
        self.ask("EnableKeyRotation", RotationPeriodInDays=90, **key)
        status = self.ask("GetKeyRotationStatus", **key)
        equal(status["RotationPeriodInDays"], 90)
        self.ask("DisableKeyRotation", **key)
        self.ask("RotateKeyOnDemand", **key)
        rotations = self.ask("ListKeyRotations",
                             IncludeKeyMaterial="ALL_KEY_MATERIAL", **key)
        equal([entry["KeyMaterialState"] for entry in rotations["Rotations"]],
              ["NON_CURRENT", "CURRENT"])

    def grants(self):
        user = f"arn:aws:iam::{self.test.account}:user/admin"
        request = {"KeyId": self.key, "GranteePrincipal": user,
                   "RetiringPrincipal": user, "Operations": ["Decrypt"]}
        one, two = (self.ask("CreateGrant", **request) for _ in range(2))
        made = {one["GrantId"], two["GrantId"]}
        for operation, request in (
                ("ListGrants", {"KeyId": self.key}),
                ("ListRetirableGrants", {"RetiringPrincipal": user})):
            listed = self.ask(operation, **request)["Grants"]
            self.test.assertLessEqual(
                made, {grant["GrantId"] for grant in listed})
        self.ask("RetireGrant", GrantToken=one["GrantToken"])
        self.ask("RevokeGrant", KeyId=self.key, GrantId=two["GrantId"])

    def imports(self):
        made = self.served("CreateKey", Origin="EXTERNAL")
        request = {"KeyId": made["KeyMetadata"]["KeyId"] if made else self.key}
        got = self.served("GetParametersForImport", WrappingKeySpec="RSA_2048",
                          WrappingAlgorithm="RSAES_OAEP_SHA_256", **request)
        token, wrapped = MESSAGE, MESSAGE
        if got:
            token = got["ImportToken"]
            wrapped = b64(wrap(base64.b64decode(got["PublicKey"]),
                               os.urandom(32)))
        imported = self.served(
            "ImportKeyMaterial", ImportToken=token,
            EncryptedKeyMaterial=wrapped,
            ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE", **request)
        if imported:
            self.ask("Encrypt", Plaintext=MESSAGE, **request)
        self.served("DeleteImportedKeyMaterial", **request)

    def regions(self):
        made = self.served("CreateKey", MultiRegion=True)
        request = {"KeyId": made["KeyMetadata"]["KeyId"] if made else self.key}
        self.served("ReplicateKey", ReplicaRegion="eu-north-1", **request)
        self.served("UpdatePrimaryRegion", PrimaryRegion="eu-north-1",
                    **request)

    def key_stores(self):
        self.refused("CloudHsmClusterNotFoundException",
                     "CreateCustomKeyStore", CustomKeyStoreName="store",
                     CloudHsmClusterId="cluster-abcdefghijk",
                     TrustAnchorCertificate="-----",
                     KeyStorePassword="kmsPswd1")
        told = self.ask("DescribeCustomKeyStores")
        self.test.assertEqual(told["CustomKeyStores"], [])
        store = {"CustomKeyStoreId": "cks-1234567890abcdef0"}
        for operation in ("ConnectCustomKeyStore", "DisconnectCustomKeyStore",
                          "DeleteCustomKeyStore"):
            self.refused("CustomKeyStoreNotFoundException", operation, **store)
        self.refused("CustomKeyStoreNotFoundException", "UpdateCustomKeyStore",
                     NewCustomKeyStoreName="name", **store)


def wrap(public_key, material):
    """RSAES_OAEP_SHA_256, by openssl."""
    read, write = os.pipe()
    with os.fdopen(write, "wb") as pipe:
        pipe.write(public_key)
    with os.fdopen(read, "rb") as key:
        return subprocess.run(
            ["openssl", "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER",
             "-inkey", f"/dev/fd/{key.fileno()}", "-pkeyopt",
             "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256",
             "-pkeyopt", "rsa_mgf1_md:sha256"],
            input=material, capture_output=True, check=True,
            pass_fds=[key.fileno()]).stdout


class EveryOperation(ServerCase):

    def tell(self, client):
        story = Story(self, client(self.server, self.region))
        story.tell()
        self.assertEqual(story.called,
                         set(model.OPERATIONS) - UNKNOWN_TO_CLIENTS)

    def test_boto3(self):
        self.tell(Boto3)

    def test_aws(self):
        self.tell(Aws)


if __name__ == "__main__":
    unittest.main()
