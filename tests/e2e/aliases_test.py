# SPDX-License-Identifier: Apache-2.0
"""CreateAlias, UpdateAlias, DeleteAlias, ListAliases."""

import re
import unittest

from testlib import ServerCase, boto3_client

PREFIX = ('Alias must start with the prefix "alias/". Please see '
          "https://docs.aws.amazon.com/kms/latest/developerguide/"
          "kms-alias.html")
PATTERN = ("failed to satisfy constraint: Member must satisfy regular "
           "expression pattern: ^[a-zA-Z0-9:/_-]+$")


class CreateAlias(ServerCase):

    def test_names_a_key(self):
        key = self.new_key()
        for name, target in (("alias/plain", key["KeyId"]),
                             ("alias/of/a/path/", key["Arn"]),
                             ("alias/-_", key["KeyId"]),
                             ("alias/" + "n" * 250, key["KeyId"])):
            with self.subTest(name=name[:20]):
                self.kms.create_alias(AliasName=name, TargetKeyId=target)
                for form in (name, self.alias_arn(name)):
                    shown = self.kms.describe_key(KeyId=form)["KeyMetadata"]
                    self.assertEqual(shown["Arn"], key["Arn"])

    def test_names_are_case_sensitive(self):
        first, second = self.new_key(), self.new_key()
        self.kms.create_alias(AliasName="alias/Case",
                              TargetKeyId=first["KeyId"])
        self.kms.create_alias(AliasName="alias/case",
                              TargetKeyId=second["KeyId"])
        shown = self.kms.describe_key(KeyId="alias/Case")["KeyMetadata"]
        self.assertEqual(shown["KeyId"], first["KeyId"])

    def test_each_region_has_its_own(self):
        name = "alias/everywhere"
        other = boto3_client(self.server, "sa-east-1")
        here = self.new_key()
        there = other.create_key()["KeyMetadata"]
        self.kms.create_alias(AliasName=name, TargetKeyId=here["KeyId"])
        other.create_alias(AliasName=name, TargetKeyId=there["KeyId"])
        self.assertEqual(
            other.describe_key(KeyId=name)["KeyMetadata"]["Arn"], there["Arn"])

    def test_is_refused_twice(self):
        key = self.new_key()["KeyId"]
        self.kms.create_alias(AliasName="alias/once", TargetKeyId=key)
        for target in (key, self.new_key()["KeyId"]):
            self.refuses("AlreadyExistsException",
                         "An alias with the name " +
                         self.alias_arn("alias/once") + " already exists",
                         self.kms.create_alias, AliasName="alias/once",
                         TargetKeyId=target)

    def test_refuses_bad_names(self):
        create = self.kms.create_alias
        key = self.new_key()["KeyId"]
        for name in ("plain", "Alias/x", "/alias/x"):
            self.refuses("ValidationException", PREFIX, create, AliasName=name,
                         TargetKeyId=key)
        self.refuses("ValidationException",
                     "alias/my:alias contains invalid characters for an alias",
                     create, AliasName="alias/my:alias", TargetKeyId=key)
        for name in ("alias/aws/mine", "alias/aws/"):
            self.refuses("NotAuthorizedException", None, create,
                         AliasName=name, TargetKeyId=key)
        for name in ("alias/a b", "alias/\u00fc", "alias/a.b"):
            self.invalid(f"'{name}' at 'aliasName' " + PATTERN, create,
                         AliasName=name, TargetKeyId=key)
        self.invalid("'alias/" + "n" * 251 + "' at 'aliasName' failed to "
                     "satisfy constraint: Member must have length less than or "
                     "equal to 256", create, AliasName="alias/" + "n" * 251,
                     TargetKeyId=key)
        self.invalid("null at 'aliasName' failed to satisfy constraint: Member "
                     "must not be null", create, TargetKeyId=key)
        self.refuses("ValidationException",
                     re.compile(".+"), create, AliasName="alias/",
                     TargetKeyId=key)

    def test_refuses_bad_targets(self):
        create = self.kms.create_alias
        self.kms.create_alias(AliasName="alias/a-target",
                              TargetKeyId=self.new_key()["KeyId"])
        for target in ("alias/a-target", self.alias_arn("alias/a-target")):
            self.refuses("ValidationException",
                         "Aliases must refer to keys. Not aliases", create,
                         AliasName="alias/of-an-alias", TargetKeyId=target)
        absent = self.key_arn("01234567-89ab-4cde-8f01-23456789abcd")
        self.refuses("NotFoundException", f"Key '{absent}' does not exist",
                     create, AliasName="alias/of-nothing", TargetKeyId=absent)
        self.refuses("NotFoundException", "Invalid keyId 'nonsense'", create,
                     AliasName="alias/of-nothing", TargetKeyId="nonsense")
        self.invalid("null at 'targetKeyId' failed to satisfy constraint: "
                     "Member must not be null", create,
                     AliasName="alias/of-nothing")

    def test_at_most_50_for_a_key(self):
        key = self.new_key()["KeyId"]
        for number in range(50):
            self.kms.create_alias(AliasName=f"alias/many-{number}",
                                  TargetKeyId=key)
        self.refuses("LimitExceededException", re.compile(".+"),
                     self.kms.create_alias, AliasName="alias/many-51",
                     TargetKeyId=key)


class UpdateAlias(ServerCase):

    def test_moves_the_name(self):
        old, new = self.new_key(), self.new_key()
        self.kms.create_alias(AliasName="alias/moving",
                              TargetKeyId=old["KeyId"])
        self.kms.update_alias(AliasName="alias/moving", TargetKeyId=new["Arn"])
        shown = self.kms.describe_key(KeyId="alias/moving")["KeyMetadata"]
        self.assertEqual(shown["KeyId"], new["KeyId"])
        entry = self.kms.list_aliases(KeyId=new["KeyId"])["Aliases"][0]
        self.assertGreaterEqual(entry["LastUpdatedDate"],
                                entry["CreationDate"])
        self.assertEqual(self.kms.list_aliases(KeyId=old["KeyId"])["Aliases"],
                         [])

    def test_away_from_a_key_that_is_pending_deletion(self):
        old, new = self.new_key(), self.new_key()
        self.kms.create_alias(AliasName="alias/rescued",
                              TargetKeyId=old["KeyId"])
        self.kms.schedule_key_deletion(KeyId=old["KeyId"])
        self.kms.update_alias(AliasName="alias/rescued",
                              TargetKeyId=new["KeyId"])
        pending = self.pending_deletion()
        self.refuses("KMSInvalidStateException",
                     f"{pending['Arn']} is pending deletion.",
                     self.kms.update_alias, AliasName="alias/rescued",
                     TargetKeyId=pending["KeyId"])

    def test_refuses(self):
        update = self.kms.update_alias
        key = self.new_key()["KeyId"]
        self.refuses("NotFoundException",
                     f"Alias {self.alias_arn('alias/no-such')} is not found.",
                     update, AliasName="alias/no-such", TargetKeyId=key)
        self.refuses("ValidationException", PREFIX, update, AliasName="plain",
                     TargetKeyId=key)
        self.invalid("null at 'aliasName' failed to satisfy constraint: Member "
                     "must not be null", update, TargetKeyId=key)
        self.kms.create_alias(AliasName="alias/staying", TargetKeyId=key)
        absent = self.key_arn("01234567-89ab-4cde-8f01-23456789abcd")
        self.refuses("NotFoundException", f"Key '{absent}' does not exist",
                     update, AliasName="alias/staying", TargetKeyId=absent)
        self.assertEqual(
            self.kms.describe_key(KeyId="alias/staying")["KeyMetadata"]
            ["KeyId"], key)


class DeleteAlias(ServerCase):

    def test_frees_the_name_and_keeps_the_key(self):
        key = self.new_key()
        for _ in range(2):
            self.kms.create_alias(AliasName="alias/brief",
                                  TargetKeyId=key["KeyId"])
            self.kms.delete_alias(AliasName="alias/brief")
        arn = self.alias_arn("alias/brief")
        self.refuses("NotFoundException", f"Alias {arn} is not found.",
                     self.kms.describe_key, KeyId="alias/brief")
        self.refuses("NotFoundException", f"Alias {arn} is not found.",
                     self.kms.delete_alias, AliasName="alias/brief")
        self.assertEqual(self.state(key["KeyId"]), "Enabled")

    def test_of_a_key_that_is_pending_deletion(self):
        key = self.new_key()["KeyId"]
        self.kms.create_alias(AliasName="alias/last", TargetKeyId=key)
        self.kms.schedule_key_deletion(KeyId=key)
        self.kms.delete_alias(AliasName="alias/last")
        self.assertEqual(self.kms.list_aliases(KeyId=key)["Aliases"], [])

    def test_refuses(self):
        self.refuses("ValidationException", PREFIX, self.kms.delete_alias,
                     AliasName="plain")
        self.refuses("NotAuthorizedException", None, self.kms.delete_alias,
                     AliasName="alias/aws/mine")
        self.invalid("null at 'aliasName' failed to satisfy constraint: Member "
                     "must not be null", self.kms.delete_alias)


class ListAliases(ServerCase):

    def test_the_reply(self):
        key = self.new_key()
        self.kms.create_alias(AliasName="alias/listed",
                              TargetKeyId=key["KeyId"])
        for name in (key["KeyId"], key["Arn"]):
            reply = self.call("ListAliases", KeyId=name)
            self.assertEqual(set(reply), {"Aliases", "Truncated"})
            self.assertIs(reply["Truncated"], False)
            [entry] = reply["Aliases"]
            self.assertEqual(set(entry), {
                "AliasName", "AliasArn", "TargetKeyId", "CreationDate",
                "LastUpdatedDate"})
            self.assertEqual(
                (entry["AliasName"], entry["AliasArn"], entry["TargetKeyId"]),
                ("alias/listed", self.alias_arn("alias/listed"), key["KeyId"]))

    def test_lists_the_aliases_of_all_keys(self):
        names = {f"alias/all-{number}" for number in range(3)}
        for name in names:
            self.kms.create_alias(AliasName=name,
                                  TargetKeyId=self.new_key()["KeyId"])
        pages = self.kms.get_paginator("list_aliases").paginate(
            PaginationConfig={"PageSize": 2})
        listed = [alias["AliasName"] for page in pages
                  for alias in page["Aliases"]]
        self.assertLessEqual(names, set(listed))
        self.assertEqual(len(listed), len(set(listed)))

    def test_refuses(self):
        absent = self.key_arn("01234567-89ab-4cde-8f01-23456789abcd")
        self.refuses("NotFoundException", f"Key '{absent}' does not exist",
                     self.kms.list_aliases, KeyId=absent)
        self.refuses("NotFoundException", "Invalid keyId 'nonsense'",
                     self.kms.list_aliases, KeyId="nonsense")


if __name__ == "__main__":
    unittest.main()
