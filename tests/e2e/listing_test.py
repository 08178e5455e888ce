# SPDX-License-Identifier: Apache-2.0
"""ListKeys, and what all listings have in common: Limit, Marker, Truncated."""

import re
import unittest

from testlib import ServerCase


class Listings(ServerCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = [cls.kms.create_key(Tags=[
            {"TagKey": f"k{number}", "TagValue": "v"} for number in range(7)])
            ["KeyMetadata"] for _ in range(7)]
        for number in range(7):
            cls.kms.create_alias(AliasName=f"alias/page-{number}",
                                 TargetKeyId=cls.keys[0]["KeyId"])
        # operation, its other members, the result's member, largest Limit
        cls.listings = [
            ("ListKeys", {}, "Keys", 1000),
            ("ListAliases", {"KeyId": cls.keys[0]["KeyId"]}, "Aliases", 100),
            ("ListResourceTags", {"KeyId": cls.keys[0]["KeyId"]}, "Tags", 50)]

    def walk(self, operation, request, member, limit):
        """All items by pages of at most `limit`."""
        items, marker = [], {}
        while True:
            reply = self.call(operation, Limit=limit, **request, **marker)
            self.assertLessEqual(len(reply[member]), limit)
            items += reply[member]
            if not reply["Truncated"]:
                self.assertNotIn("NextMarker", reply)
                return items
            self.assertEqual(set(reply), {member, "NextMarker", "Truncated"})
            marker = {"Marker": reply["NextMarker"]}

    def test_list_keys(self):
        reply = self.call("ListKeys")
        self.assertEqual(set(reply), {"Keys", "Truncated"})
        listed = {entry["KeyId"]: entry for entry in reply["Keys"]}
        for key in self.keys:
            self.assertEqual(listed[key["KeyId"]], {
                "KeyId": key["KeyId"], "KeyArn": key["Arn"]})

    def test_lists_keys_in_every_state(self):
        disabled, pending = self.new_key(), self.pending_deletion()
        self.kms.disable_key(KeyId=disabled["KeyId"])
        listed = {entry["KeyId"] for entry in self.call("ListKeys")["Keys"]}
        self.assertLessEqual({disabled["KeyId"], pending["KeyId"]}, listed)

    def test_pages_add_up_to_the_whole(self):
        for operation, request, member, _ in self.listings:
            whole = self.call(operation, **request)[member]
            for limit in (1, 2, 3, 7, 50):
                with self.subTest(operation=operation, limit=limit):
                    self.assertEqual(
                        self.walk(operation, request, member, limit), whole)

    def test_refuses_limits_out_of_range(self):
        for operation, request, _, largest in self.listings:
            with self.subTest(operation=operation):
                self.invalid("'0' at 'limit' failed to satisfy constraint: "
                             "Member must have value greater than or equal to "
                             "1", operation, Limit=0, **request)
                self.invalid("'1001' at 'limit' failed to satisfy constraint: "
                             "Member must have value less than or equal to "
                             "1000", operation, Limit=1001, **request)
                if largest < 1000:
                    self.refuses("ValidationException", re.compile(".+"),
                                 operation, Limit=largest + 1, **request)
                reply = self.call(operation, Limit=largest, **request)
                self.assertIs(reply["Truncated"], False)

    def test_refuses_markers_that_it_did_not_give(self):
        for operation, request, _, _ in self.listings:
            for marker in ("nonsense", "AAAA", "%", "{}", "a" * 1024):
                with self.subTest(operation=operation, marker=marker[:9]):
                    self.refuses("InvalidMarkerException", re.compile(".*"),
                                 operation, Marker=marker, **request)
            self.invalid("'' at 'marker' failed to satisfy constraint: Member "
                         "must have length greater than or equal to 1",
                         operation, Marker="", **request)

    def test_a_marker_belongs_to_its_listing(self):
        marker = self.call("ListKeys", Limit=1)["NextMarker"]
        self.refuses("InvalidMarkerException", re.compile(".*"), "ListAliases",
                     Marker=marker)


if __name__ == "__main__":
    unittest.main()
