# SPDX-License-Identifier: Apache-2.0
"""Debian's unmodified `aws`: every operation, good and refused.

The texts of errors are tested with boto3; here it matters that the command line
client understands what we send.
"""

import base64
import json
import pathlib
import unittest

from testlib import ServerCase, aws_cli


class AwsCli(ServerCase):

    def aws(self, *arguments):
        return aws_cli(self.server, *arguments)

    def aws_refuses(self, code, operation, *arguments):
        run = aws_cli(self.server, *arguments, check=False)
        self.assertEqual(run.returncode, 254, run.stderr)
        self.assertIn(f"An error occurred ({code}) when calling the {operation} "
                      "operation", run.stderr)
        return run.stderr

    def file(self, name, content):
        path = pathlib.Path(self.server.folder, name)
        path.write_bytes(content)
        return f"fileb://{path}"

    def create(self, *arguments):
        return self.aws("create-key", *arguments)["KeyMetadata"]

    def test_keys(self):
        key = self.create("--description", "by the command line",
                          "--tags", "TagKey=a,TagValue=b")
        name = key["KeyId"]
        self.assertEqual(self.aws("describe-key", "--key-id", key["Arn"])
                         ["KeyMetadata"], key)
        listed = self.aws("list-keys")["Keys"]
        self.assertIn({"KeyId": name, "KeyArn": key["Arn"]}, listed)
        self.assertIsNone(self.aws("update-key-description", "--key-id", name,
                                   "--description", "changed"))
        self.assertIsNone(self.aws("disable-key", "--key-id", name))
        shown = self.aws("describe-key", "--key-id", name)["KeyMetadata"]
        self.assertEqual((shown["Description"], shown["KeyState"]),
                         ("changed", "Disabled"))
        self.aws_refuses("DisabledException", "GenerateDataKey",
                         "generate-data-key", "--key-id", name, "--key-spec",
                         "AES_256")
        self.assertIsNone(self.aws("enable-key", "--key-id", name))
        self.aws_refuses("NotFoundException", "DescribeKey", "describe-key",
                         "--key-id", "alias/no-such")

    def test_deletion(self):
        key = self.create()
        reply = self.aws("schedule-key-deletion", "--key-id", key["KeyId"],
                         "--pending-window-in-days", "7")
        self.assertEqual((reply["KeyId"], reply["KeyState"]),
                         (key["Arn"], "PendingDeletion"))
        self.aws_refuses("KMSInvalidStateException", "EnableKey", "enable-key",
                         "--key-id", key["KeyId"])
        self.assertEqual(self.aws("cancel-key-deletion", "--key-id",
                                  key["KeyId"]), {"KeyId": key["Arn"]})
        self.aws_refuses("KMSInvalidStateException", "CancelKeyDeletion",
                         "cancel-key-deletion", "--key-id", key["KeyId"])

    def test_aliases(self):
        first, second = self.create()["KeyId"], self.create()["KeyId"]
        name = ("--alias-name", "alias/cli")
        self.assertIsNone(self.aws("create-alias", *name, "--target-key-id",
                                   first))
        self.aws_refuses("AlreadyExistsException", "CreateAlias",
                         "create-alias", *name, "--target-key-id", second)
        self.assertIsNone(self.aws("update-alias", *name, "--target-key-id",
                                   second))
        [entry] = self.aws("list-aliases", "--key-id", second)["Aliases"]
        self.assertEqual((entry["AliasName"], entry["TargetKeyId"]),
                         ("alias/cli", second))
        self.assertIsNone(self.aws("delete-alias", *name))
        self.aws_refuses("NotFoundException", "DeleteAlias", "delete-alias",
                         *name)

    def test_encryption(self):
        key, other = self.create(), self.create()
        context = ("--encryption-context", "tenant=a,purpose=cli")
        blob = self.aws("encrypt", "--key-id", key["KeyId"], "--plaintext",
                        self.file("plain", b"\0\1message"), *context)
        self.assertEqual(blob["KeyId"], key["Arn"])
        sealed = self.file("sealed", base64.b64decode(blob["CiphertextBlob"]))
        opened = self.aws("decrypt", "--ciphertext-blob", sealed, *context)
        self.assertEqual(base64.b64decode(opened["Plaintext"]), b"\0\1message")
        self.aws_refuses("InvalidCiphertextException", "Decrypt", "decrypt",
                         "--ciphertext-blob", sealed)
        self.aws_refuses("IncorrectKeyException", "Decrypt", "decrypt",
                         "--ciphertext-blob", sealed, *context, "--key-id",
                         other["KeyId"])
        again = self.aws("re-encrypt", "--ciphertext-blob", sealed,
                         "--source-encryption-context", "tenant=a,purpose=cli",
                         "--destination-key-id", other["KeyId"])
        self.assertEqual((again["SourceKeyId"], again["KeyId"]),
                         (key["Arn"], other["Arn"]))
        sealed = self.file("again", base64.b64decode(again["CiphertextBlob"]))
        opened = self.aws("decrypt", "--ciphertext-blob", sealed)
        self.assertEqual(base64.b64decode(opened["Plaintext"]), b"\0\1message")

    def test_data_keys(self):
        key = self.create()["KeyId"]
        made = self.aws("generate-data-key", "--key-id", key, "--key-spec",
                        "AES_256")
        sealed = self.file("key", base64.b64decode(made["CiphertextBlob"]))
        self.assertEqual(self.aws("decrypt", "--ciphertext-blob", sealed)
                         ["Plaintext"], made["Plaintext"])
        made = self.aws("generate-data-key-without-plaintext", "--key-id", key,
                        "--number-of-bytes", "24")
        self.assertNotIn("Plaintext", made)
        self.aws_refuses("ValidationException", "GenerateDataKey",
                         "generate-data-key", "--key-id", key)
        drawn = self.aws("generate-random", "--number-of-bytes", "20")
        self.assertEqual(len(base64.b64decode(drawn["Plaintext"])), 20)
        self.aws_refuses("ValidationException", "GenerateRandom",
                         "generate-random")

    def test_tags(self):
        key = ("--key-id", self.create()["KeyId"])
        self.assertIsNone(self.aws(
            "tag-resource", *key, "--tags", "TagKey=a,TagValue=1",
            "TagKey=b,TagValue=2"))
        self.assertIsNone(self.aws("untag-resource", *key, "--tag-keys", "a"))
        self.assertEqual(self.aws("list-resource-tags", *key)["Tags"],
                         [{"TagKey": "b", "TagValue": "2"}])
        self.aws_refuses("TagException", "TagResource", "tag-resource", *key,
                         "--tags", "TagKey=aws:x,TagValue=1")

    def test_policies(self):
        key = ("--key-id", self.create()["KeyId"])
        name = ("--policy-name", "default")
        self.assertEqual(self.aws("list-key-policies", *key)["PolicyNames"],
                         ["default"])
        policy = self.aws("get-key-policy", *key, *name)["Policy"]
        self.assertEqual(json.loads(policy)["Id"], "key-default-1")
        self.assertIsNone(self.aws("put-key-policy", *key, *name, "--policy",
                                   policy.replace("default-1", "mine")))
        policy = self.aws("get-key-policy", *key, *name)["Policy"]
        self.assertEqual(json.loads(policy)["Id"], "key-mine")
        self.aws_refuses("MalformedPolicyDocumentException", "PutKeyPolicy",
                         "put-key-policy", *key, *name, "--policy", "{}")

    def test_pages(self):
        keys = {self.create()["KeyId"] for _ in range(3)}
        listed = self.aws("list-keys", "--page-size", "1")["Keys"]
        self.assertLessEqual(keys, {key["KeyId"] for key in listed})
        page = self.aws("list-keys", "--no-paginate", "--limit", "1")
        self.assertEqual(len(page["Keys"]), 1)
        self.assertIs(page["Truncated"], True)


if __name__ == "__main__":
    unittest.main()
