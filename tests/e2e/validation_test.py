# SPDX-License-Identifier: Apache-2.0
"""Every member of every operation's request, in every way that is wrong.

The requests and the answers are made from AWS's service model. All requests of
an operation go over one connection, which must go on working; and nothing may
come of any of them.
"""

import http.client
import json
import re
import unittest
import urllib.parse

from testlib import ServerCase, model, send, signed
from testlib.faults import audit_records

# By the type of a shape: JSON of other types.
WRONG = {
    "string": (5, 1.5, True, {}, ["x"]),
    "blob": (5, True, {}, ["eA=="], "no base64!", "eA=", "e", "eA==eA==",
             "e_-4", " eA=="),
    "integer": ("5", 1.5, True, {}, [5], 2 ** 63, -2 ** 63 - 1, 1e3),
    "boolean": ("true", 0, 1, {}, [True]),
    "map": ("x", 5, ["x"], True, {"a": 1}, {"a": {}}, {"a": ["x"]},
            {"a": None}),
    "list": ("x", 5, {}, True),
    "structure": ("x", 5, ["x"], True),
    "timestamp": ("1500000000", True, {}, [1.5e9]),
}
# What a body may have, docs/http.md; an AttestationDocument may have more.
BODY_BYTES = 256 * 1024
ODD_CHARACTERS = ("!", " ", "\u00e9", "\u0100", "\n", "\u007f", "/", "\0", "_",
                  "\U0001f511")
NOT_ENUMERATORS = ("", "NO_SUCH_VALUE", "SM2")


def walk(name, path=""):
    """Yields (shape, path, put) for each member below the structure `name`;
    put(value) is a request that is good but for `value` in that place."""
    shape = model.SHAPES[name]
    for member, reference in shape["members"].items():
        def put(value, member=member):
            return {**model.request(name), member: value}

        yield from below(reference["shape"],
                         path + model.camel(member), put)


def below(name, path, put):
    yield name, path, put
    shape = model.SHAPES[name]
    if shape["type"] == "list":
        # The second item: the first is good.
        item = shape["member"]["shape"]
        yield from below(item, f"{path}.2.member",
                         lambda value: put([model.good(item), value]))
    if shape["type"] == "structure":
        for inner, inner_path, inner_put in walk(name, path + "."):
            yield inner, inner_path, (
                lambda value, inner_put=inner_put: put(inner_put(value)))


def edges(name):
    """Values at and beyond the bounds of the shape, good and bad."""
    shape = model.SHAPES[name]
    kind, low, high = model.constraints(name)
    if "enum" in shape:
        yield from shape["enum"]
        yield from NOT_ENUMERATORS
        yield shape["enum"][0].swapcase()
        yield shape["enum"][0] + " "
        return
    make = {"string": lambda size: model.text_of(name, size),
            "blob": model.blob, "integer": lambda number: number,
            "list": lambda size: size * [
                model.good(shape["member"]["shape"])]}.get(kind)
    if not make:
        return
    for bound, beyond in ((low, -1), (high, 1)):
        if bound is not None:
            yield make(bound)
            if bound + beyond >= 0 or kind == "integer":
                yield make(bound + beyond)
    if "pattern" in shape:
        text = model.good(name)
        for odd in ODD_CHARACTERS:
            middle = len(text) // 2
            yield text[:middle] + odd + text[middle + 1:]
            yield text[:-1] + odd
            yield odd + text[1:]


def spoiled(name, path, request):
    """The request with another member broken, and the sentence for that; the
    same and None if it has no other."""
    shape = model.SHAPES[name]
    for member, reference in sorted(shape["members"].items()):
        if model.camel(member) == path.split(".")[0]:
            continue
        for value in edges(reference["shape"]):
            wrong = model.broken(reference["shape"], value,
                                 model.camel(member))
            if wrong:
                return {**request, member: value}, wrong
    return request, None


class Validation(ServerCase):

    def setUp(self):
        host = urllib.parse.urlsplit(self.server.endpoint).netloc
        self.link = http.client.HTTPConnection(host, timeout=60)
        self.link.connect()
        self.socket = self.link.sock
        self.before = self.everything()

    def tearDown(self):
        self.assertEqual(self.everything(), self.before)
        # Still the first connection.
        self.assertIs(self.link.sock, self.socket)
        self.link.close()

    def ask(self, operation, body):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = signed(self.server, operation, body)
        return send(self.server, "POST", "/", headers, body, self.link)

    def everything(self):
        keys = self.ask("ListKeys", {"Limit": 1000}).json["Keys"]
        return keys, self.ask("ListAliases", {}).json["Aliases"]

    def check_sentences(self, operation, body, sentences):
        reply = self.ask(operation, body)
        self.assertEqual((reply.status, reply.json["__type"]),
                         (400, "ValidationException"), reply.text[:500])
        self.assertEqual(model.normal(reply.json["message"]),
                         model.validation_error(sentences))

    def check_serialization(self, operation, body):
        reply = self.ask(operation, body)
        self.assertEqual((reply.status, reply.json["__type"]),
                         (400, "SerializationException"), reply.text[:500])

    def check_value(self, operation, name, path, value, body):
        """A value that is good or bad, in a request that is else good."""
        if len(json.dumps(body)) > BODY_BYTES:
            return
        wrong = model.broken(name, value, path)
        if wrong:
            self.check_sentences(operation, body, wrong)
            return
        # A good one: only what else is wrong is said.
        body, other = spoiled(model.OPERATIONS[operation], path, body)
        if other:
            self.check_sentences(operation, body, other)
            return
        reply = self.ask(operation, body)
        self.assertNotRegex(reply.text, "validation error|Serialization")

    def check_member(self, operation, name, path, put):
        for value in edges(name):
            with self.subTest(path=path, value=str(value)[:80]):
                self.check_value(operation, name, path, value, put(value))
        for value in WRONG[model.SHAPES[name]["type"]]:
            with self.subTest(path=path, wrong=str(value)):
                self.check_serialization(operation, put(value))
        if model.SHAPES[name]["type"] in ("string", "blob"):
            with self.subTest(path=path, utf8=False):
                for bad in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"a\x00"):
                    self.check_serialization(operation, json.dumps(
                        put("\u2603")).encode().replace(b"\\u2603", bad))

    def check_twice(self, operation):
        """A member that is there twice, by its own name or escaped."""
        name = model.OPERATIONS[operation]
        for member, reference in model.SHAPES[name]["members"].items():
            value = json.dumps(model.good(reference["shape"]))
            request = {**model.request(name), member: json.loads(value)}
            for again in (member, f"\\u{ord(member[0]):04x}{member[1:]}"):
                with self.subTest(twice=again):
                    text = json.dumps(request)[:-1] + f',"{again}":{value}}}'
                    self.check_serialization(operation, text.encode())

    def check_absent(self, operation):
        name = model.OPERATIONS[operation]
        shape = model.SHAPES[name]
        required = shape.get("required", [])
        whole = model.request(name)
        for member in required:
            for null in (False, True):
                with self.subTest(missing=member, null=null):
                    body = {key: value for key, value in whole.items()
                            if key != member}
                    if null:
                        body[member] = None
                    self.check_sentences(operation, body,
                                         [model.missing(model.camel(member))])
        everything = [model.missing(model.camel(member))
                      for member in required]
        if everything:
            self.check_sentences(operation, {}, everything)
            # Optional members that are null are not there, and members that
            # nobody knows are not looked at.
            nulls = dict.fromkeys(shape["members"])
            self.check_sentences(operation, nulls, everything)
            self.check_sentences(
                operation, {"NoSuch": {"a": [1]}, "keyId": 5, "": None},
                everything)

    def check_whole(self, operation):
        """What is wrong with the body itself."""
        depth = 32  # Of arrays and objects, with the request's own.
        inside = b"[" * (depth - 1) + b"]" * (depth - 1)
        name = model.OPERATIONS[operation]
        body, sentences = spoiled(name, "", {})
        sentences = sentences + [
            model.missing(model.camel(member))
            for member in model.SHAPES[name].get("required", [])
            if member not in body]
        text = json.dumps(body)[1:-1].encode()
        self.check_sentences(operation, b'{"No":%s,%s}' % (inside, text),
                             sentences)
        for bad in (b'{"No":[%s],%s}' % (inside, text), b"[" * 100000,
                    b'{"a":' * 50000, b'{"No":{"b":1,"b":2},%s}' % text,
                    b'{"No":"\xff"}', b"\xef\xbb\xbf{}", b"{}\0", b"[]",
                    b"null", b'"x"', b"{", b'{"a"}', b'{"a":1,}', b"{}{}",
                    b'{"a":01}', b'{"a":1e999999}', b'{"a":"\\ud800"}'):
            with self.subTest(body=bad[:60]):
                self.check_serialization(operation, bad)


def test_of(operation):
    def test(self):
        for name, path, put in walk(model.OPERATIONS[operation]):
            self.check_member(operation, name, path, put)
        self.check_twice(operation)
        self.check_absent(operation)
        self.check_whole(operation)
    return test


for each in model.OPERATIONS:
    setattr(Validation, f"test_{each}", test_of(each))


class Secrets(ServerCase):

    def test_no_message_shows_a_secret(self):
        secret = "Tr0ub4dor-" * 4
        for operation, request in (
                ("UpdateCustomKeyStore", {"CustomKeyStoreId": "cks-1",
                                          "KeyStorePassword": secret}),
                ("UpdateCustomKeyStore", {
                    "CustomKeyStoreId": "cks-1",
                    "XksProxyAuthenticationCredential": {
                        "AccessKeyId": secret,
                        "RawSecretAccessKey": secret}}),
                ("RetireGrant", {"GrantToken": secret * 300}),
                ("DescribeKey", {"KeyId": "x",
                                 "GrantTokens": [secret * 300]})):
            with self.subTest(operation):
                self.refuses("ValidationException",
                             re.compile("(?!.*Tr0ub).*"),
                             operation, **request)
        for record in audit_records(self.server):
            self.assertNotIn("Tr0ub", json.dumps(record))


if __name__ == "__main__":
    unittest.main()
