# SPDX-License-Identifier: Apache-2.0
"""CreateGrant, ListGrants, ListRetirableGrants, RetireGrant, RevokeGrant."""

import re
import unittest

from testlib import ServerCase

DRY_RUN = "The request would have succeeded, but the DryRun option is set."


class Grants(ServerCase):

    def setUp(self):
        self.key = self.new_key()
        self.user = self.user_arn("alice")
        self.role = self.role_arn("worker")

    def create(self, **more):
        request = {"KeyId": self.key["KeyId"], "GranteePrincipal": self.user,
                   "Operations": ["Decrypt", "Encrypt"], **more}
        return self.kms.create_grant(**request)

    def grants(self, **more):
        return self.kms.list_grants(KeyId=self.key["KeyId"], **more)["Grants"]

    def test_the_life_of_a_grant(self):
        context = {"Department": "Finance"}
        made = self.create(Name="first", RetiringPrincipal=self.role,
                           Constraints={"EncryptionContextSubset": context})
        self.assertRegex(made["GrantId"], "^[0-9a-f]{64}$")
        [grant] = self.grants()
        created = grant.pop("CreationDate")
        self.assertGreaterEqual(created, self.key["CreationDate"])
        self.assertEqual(grant, {
            "KeyId": self.key["Arn"], "GrantId": made["GrantId"],
            "Name": "first", "GranteePrincipal": self.user,
            "RetiringPrincipal": self.role,
            "IssuingAccount": f"arn:aws:iam::{self.account}:root",
            "Operations": ["Decrypt", "Encrypt"],
            "Constraints": {"EncryptionContextSubset": context}})
        self.kms.revoke_grant(KeyId=self.key["Arn"], GrantId=made["GrantId"])
        self.assertEqual(self.grants(), [])

    def test_replies_have_the_members_of_the_model_only(self):
        made = self.call("CreateGrant", KeyId=self.key["KeyId"],
                         GranteePrincipal=self.user, Operations=["Encrypt"])
        self.assertEqual(set(made), {"GrantId", "GrantToken"})
        listed = self.call("ListGrants", KeyId=self.key["KeyId"])
        self.assertEqual(set(listed), {"Grants", "Truncated"})
        self.assertEqual(listed["Grants"][0]["Name"], "")
        self.assertNotIn("Constraints", listed["Grants"][0])

    def test_a_name_makes_it_repeatable(self):
        one, two = self.create(Name="n"), self.create(Name="n")
        self.assertEqual(one["GrantId"], two["GrantId"])
        self.assertNotEqual(one["GrantToken"], two["GrantToken"])
        other = self.create(Name="n", Operations=["Decrypt"])
        self.assertNotEqual(other["GrantId"], one["GrantId"])
        self.assertNotEqual(self.create()["GrantId"], self.create()["GrantId"])

    def test_tokens(self):
        made = self.create()
        self.kms.describe_key(KeyId=self.key["KeyId"],
                              GrantTokens=[made["GrantToken"]])
        blob = self.kms.encrypt(KeyId=self.key["KeyId"], Plaintext=b"x",
                                GrantTokens=[made["GrantToken"]])
        self.assertEqual(self.kms.decrypt(
            CiphertextBlob=blob["CiphertextBlob"],
            GrantTokens=[made["GrantToken"]])["Plaintext"], b"x")
        self.refuses("InvalidGrantTokenException", re.compile(".+"),
                     self.kms.describe_key, KeyId=self.key["KeyId"],
                     GrantTokens=["bm8gdG9rZW4="])
        self.kms.retire_grant(GrantToken=made["GrantToken"])
        self.assertEqual(self.grants(), [])
        for method, request in (
                (self.kms.describe_key, {"KeyId": self.key["KeyId"],
                                         "GrantTokens": [made["GrantToken"]]}),
                (self.kms.retire_grant, {"GrantToken": made["GrantToken"]})):
            self.refuses("InvalidGrantTokenException", re.compile(".+"),
                         method, **request)

    def test_retiring_by_ids(self):
        made = self.create()
        retire = self.kms.retire_grant
        self.refuses("InvalidArnException", re.compile(".+"), retire,
                     KeyId=self.key["KeyId"], GrantId=made["GrantId"])
        self.refuses("ValidationException", re.compile(".+"), retire,
                     GrantId=made["GrantId"])
        retire(KeyId=self.key["Arn"], GrantId=made["GrantId"])
        self.refuses("NotFoundException",
                     f"Grant ID {made['GrantId']} not found", retire,
                     KeyId=self.key["Arn"], GrantId=made["GrantId"])

    def test_dry_runs(self):
        made = self.create()
        for operation, request in (
                ("CreateGrant", {"KeyId": self.key["KeyId"],
                                 "GranteePrincipal": self.user,
                                 "Operations": ["Decrypt"]}),
                ("RevokeGrant", {"KeyId": self.key["KeyId"],
                                 "GrantId": made["GrantId"]}),
                ("RetireGrant", {"GrantToken": made["GrantToken"]})):
            self.refuses("DryRunOperationException", DRY_RUN, operation,
                         DryRun=True, **request)
        self.assertEqual(len(self.grants()), 1)

    def test_refuses_what_does_not_fit(self):
        create = self.create
        for more in ({"Operations": ["Sign"]}, {"Operations": ["CreateGrant"]},
                     {"Constraints": {"EncryptionContextEquals": {},
                                      "EncryptionContextSubset": {"a": "b"}}}):
            self.refuses("ValidationException", re.compile(".+"), create,
                         **more)
        self.invalid("'no' at 'operations.2.member' failed to satisfy "
                     "constraint: Member must satisfy enum value set: ",
                     create, Operations=["Encrypt", "no"])
        self.invalid("null at 'operations' failed to satisfy constraint: "
                     "Member must not be null", "CreateGrant",
                     KeyId=self.key["KeyId"], GranteePrincipal=self.user)
        self.refuses("InvalidArnException", re.compile(".+"), create,
                     GranteePrincipal="alice")
        self.refuses("InvalidGrantIdException", re.compile(".+"),
                     self.kms.revoke_grant, KeyId=self.key["KeyId"],
                     GrantId="x")
        self.assertEqual(self.grants(), [])

    def test_refuses_unknown_keys(self):
        self.refuses_unknown_keys("CreateGrant", aliases=False,
                                  GranteePrincipal=self.user,
                                  Operations=["Decrypt"])
        self.refuses_unknown_keys("ListGrants", aliases=False)
        self.refuses_unknown_keys("RevokeGrant", aliases=False,
                                  GrantId="0" * 64)

    def test_key_states(self):
        made = self.create()
        self.kms.disable_key(KeyId=self.key["KeyId"])
        self.refuses("DisabledException", f"{self.key['Arn']} is disabled.",
                     self.create)
        self.kms.schedule_key_deletion(KeyId=self.key["KeyId"])
        self.refuses("KMSInvalidStateException",
                     f"{self.key['Arn']} is pending deletion.", self.create)
        self.assertEqual(len(self.grants()), 1)
        self.kms.revoke_grant(KeyId=self.key["KeyId"], GrantId=made["GrantId"])

    def test_listing_pages_and_filters(self):
        ids = sorted(self.create()["GrantId"] for _ in range(5))
        pages = self.kms.get_paginator("list_grants").paginate(
            KeyId=self.key["KeyId"], PaginationConfig={"PageSize": 2})
        self.assertEqual(
            [grant["GrantId"] for page in pages for grant in page["Grants"]],
            ids)
        other = self.create(GranteePrincipal=self.role)["GrantId"]
        self.assertEqual([grant["GrantId"] for grant in
                          self.grants(GranteePrincipal=self.role)], [other])
        self.assertEqual([grant["GrantId"] for grant in
                          self.grants(GrantId=ids[3])], [ids[3]])

    def test_retirable_grants_of_all_keys(self):
        principal = self.role_arn("retirable")
        made = {self.create(RetiringPrincipal=principal)["GrantId"],
                self.create(RetiringPrincipal=principal,
                            KeyId=self.new_key()["KeyId"])["GrantId"]}
        self.create(RetiringPrincipal=self.role)
        grants = self.kms.list_retirable_grants(
            RetiringPrincipal=principal)["Grants"]
        self.assertEqual({grant["GrantId"] for grant in grants}, made)
        self.refuses("InvalidArnException", re.compile(".+"),
                     self.kms.list_retirable_grants, RetiringPrincipal="x")


if __name__ == "__main__":
    unittest.main()
