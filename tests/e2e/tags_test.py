# SPDX-License-Identifier: Apache-2.0
"""TagResource, UntagResource, ListResourceTags."""

import re
import unittest

from testlib import ServerCase


def tag(key, value=""):
    return {"TagKey": key, "TagValue": value}


class Tags(ServerCase):

    def tags(self, key):
        return self.kms.list_resource_tags(KeyId=key)["Tags"]

    def test_adding_and_replacing(self):
        key = self.new_key()
        self.kms.tag_resource(KeyId=key["KeyId"],
                              Tags=[tag("a", "1"), tag("b", "2")])
        self.kms.tag_resource(KeyId=key["Arn"],
                              Tags=[tag("a", "3"), tag("c", "4")])
        self.assertEqual(self.tags(key["KeyId"]),
                         [tag("a", "3"), tag("b", "2"), tag("c", "4")])

    def test_keys_and_values_are_taken_as_they_are(self):
        key = self.new_key()["KeyId"]
        tags = [tag("Case", "x"), tag("case", "y"), tag("\u00fc \U0001f511", " z "),
                tag("k" * 128, "v" * 256), tag("empty")]
        self.kms.tag_resource(KeyId=key, Tags=tags)
        self.assertEqual(self.tags(key), tags)

    def test_removing(self):
        key = self.new_key(Tags=[tag("a"), tag("b"), tag("c")])["KeyId"]
        self.kms.untag_resource(KeyId=key, TagKeys=["b", "absent"])
        self.assertEqual(self.tags(key), [tag("a"), tag("c")])
        self.kms.untag_resource(KeyId=key, TagKeys=["a", "c"])
        self.assertEqual(self.tags(key), [])

    def test_the_listing(self):
        key = self.new_key(Tags=[tag("a", "1")])["KeyId"]
        self.assertEqual(self.call("ListResourceTags", KeyId=key),
                         {"Tags": [tag("a", "1")], "Truncated": False})
        self.assertEqual(
            self.call("ListResourceTags", KeyId=self.new_key()["KeyId"]),
            {"Tags": [], "Truncated": False})

    def test_at_most_50_for_a_key(self):
        key = self.new_key(Tags=[tag(f"k{n}") for n in range(50)])["KeyId"]
        self.refuses("TagException", "Too many tags", self.kms.tag_resource,
                     KeyId=key, Tags=[tag("one-more")])
        self.kms.tag_resource(KeyId=key, Tags=[tag("k7", "replaced")])
        self.assertEqual(len(self.tags(key)), 50)

    def test_refuses_bad_tags(self):
        key = self.new_key()["KeyId"]
        tag_resource = self.kms.tag_resource
        for name in ("aws:x", "AWS:x", "Aws:"):
            self.refuses("TagException", "Tags beginning with aws: are reserved",
                         tag_resource, KeyId=key, Tags=[tag(name)])
        self.refuses("TagException", "Duplicate tag keys", tag_resource,
                     KeyId=key, Tags=[tag("a", "1"), tag("a", "2")])
        long = "failed to satisfy constraint: Member must have length "
        self.invalid(f"'{'k' * 129}' at 'tags.1.member.tagKey' {long}less than "
                     "or equal to 128", tag_resource, KeyId=key,
                     Tags=[tag("k" * 129)])
        self.invalid(f"'{'v' * 257}' at 'tags.2.member.tagValue' {long}less "
                     "than or equal to 256", tag_resource, KeyId=key,
                     Tags=[tag("a"), tag("b", "v" * 257)])
        self.invalid(f"'' at 'tags.1.member.tagKey' {long}greater than or equal "
                     "to 1", tag_resource, KeyId=key, Tags=[tag("")])
        self.invalid("null at 'tags.1.member.tagValue' failed to satisfy "
                     "constraint: Member must not be null", tag_resource,
                     KeyId=key, Tags=[{"TagKey": "a"}])
        self.invalid("null at 'tags' failed to satisfy constraint: Member must "
                     "not be null", tag_resource, KeyId=key)
        self.invalid("null at 'tagKeys' failed to satisfy constraint: Member "
                     "must not be null", self.kms.untag_resource, KeyId=key)
        self.assertEqual(self.tags(key), [])

    def test_refuses_unknown_keys(self):
        self.refuses_unknown_keys(self.kms.tag_resource, aliases=False,
                                  Tags=[tag("a")])
        self.refuses_unknown_keys(self.kms.untag_resource, aliases=False,
                                  TagKeys=["a"])
        self.refuses_unknown_keys(self.kms.list_resource_tags, aliases=False)

    def test_works_on_a_disabled_key(self):
        key = self.new_key()["KeyId"]
        self.kms.disable_key(KeyId=key)
        self.kms.tag_resource(KeyId=key, Tags=[tag("a")])
        self.kms.untag_resource(KeyId=key, TagKeys=["a"])
        self.assertEqual(self.tags(key), [])

    def test_aliases_have_no_tags(self):
        key = self.new_key()["KeyId"]
        self.kms.create_alias(AliasName="alias/untaggable", TargetKeyId=key)
        self.refuses("NotFoundException", re.compile(".+"),
                     self.kms.tag_resource, KeyId="alias/untaggable",
                     Tags=[tag("a")])


if __name__ == "__main__":
    unittest.main()
