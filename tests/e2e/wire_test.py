# SPDX-License-Identifier: Apache-2.0
"""What stands on the wire: authentication, framing, headers, error bodies."""

import concurrent.futures
import http.client
import re
import socket
import unittest
import urllib.parse

from testlib import ServerCase, boto3_client, call, send, signed

UUID = r"\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"
JSON = "application/x-amz-json-1.1"


class Authentication(ServerCase):

    def error(self, reply):
        self.assertGreaterEqual(reply.status, 400, reply.text)
        self.assertLess(reply.status, 500, reply.text)
        return reply.json["__type"]

    def test_an_unsigned_request(self):
        reply = send(self.server, "POST", "/", {
            "Content-Type": JSON, "X-Amz-Target": "TrentService.ListKeys"},
            b"{}")
        self.assertEqual(self.error(reply),
                         "MissingAuthenticationTokenException")

    def test_an_unknown_access_key(self):
        reply = call(self.server, "ListKeys", {},
                     access_key="AKIAUNKNOWNUNKNOWN00")
        self.assertEqual(self.error(reply), "UnrecognizedClientException")

    def test_a_wrong_secret(self):
        reply = call(self.server, "ListKeys", {}, secret_key="x" * 40)
        self.assertEqual(self.error(reply), "InvalidSignatureException")

    def test_every_signed_part_counts(self):
        body = b'{"Limit":5}'
        good = signed(self.server, "ListKeys", body)
        self.assertEqual(
            send(self.server, "POST", "/", good, body).status, 200)
        date = good["X-Amz-Date"]
        for name, headers, sent in (
                ("body", good, b'{"Limit":6}'),
                ("target", {**good, "X-Amz-Target": "TrentService.ListAliases"},
                 body),
                ("date", {**good, "X-Amz-Date": date[:-2] + (
                    "0Z" if date[-2] != "0" else "1Z")}, body),
                ("signature", {**good, "Authorization": re.sub(
                    ".$", lambda end: "0" if end[0] != "0" else "1",
                    good["Authorization"])}, body)):
            with self.subTest(name):
                reply = send(self.server, "POST", "/", headers, sent)
                self.assertEqual(self.error(reply),
                                 "InvalidSignatureException")

    def test_a_signature_for_another_service_or_an_old_one(self):
        body = b"{}"
        good = signed(self.server, "ListKeys", body)
        for old, new in (("/kms/aws4_request", "/s3/aws4_request"),
                         ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
                         ("SignedHeaders=", "SignedHeader=")):
            headers = {**good, "Authorization":
                       good["Authorization"].replace(old, new)}
            with self.subTest(new):
                reply = send(self.server, "POST", "/", headers, body)
                self.assertIn(self.error(reply), {
                    "InvalidSignatureException", "IncompleteSignatureException",
                    "MissingAuthenticationTokenException"})

    def test_a_signature_of_yesterday(self):
        body = b"{}"
        headers = signed(self.server, "ListKeys", body)
        # The signature is wrong as well; what matters is that a date which is
        # not today's is refused whatever the scope says.
        for name in ("X-Amz-Date", "Authorization"):
            headers[name] = re.sub(r"20\d{6}(?=T|/)", "20200101",
                                   headers[name])
        reply = send(self.server, "POST", "/", headers, body)
        self.assertEqual(self.error(reply), "InvalidSignatureException")


class Replies(ServerCase):

    def test_headers(self):
        good = call(self.server, "ListKeys", {})
        bad = call(self.server, "DescribeKey", {"KeyId": "x"})
        for reply in (good, bad):
            self.assertEqual(reply.headers["content-type"], JSON)
            self.assertRegex(reply.headers["x-amzn-requestid"], UUID)
        self.assertNotEqual(good.headers["x-amzn-requestid"],
                            bad.headers["x-amzn-requestid"])

    def test_an_error_body_has_two_members(self):
        reply = call(self.server, "DescribeKey", {"KeyId": "x"})
        self.assertEqual((reply.status, reply.json), (400, {
            "__type": "NotFoundException", "message": "Invalid keyId 'x'"}))

    def test_an_error_without_message_has_one(self):
        key = self.new_key()["KeyId"]
        blob = self.call("Encrypt", KeyId=key, Plaintext="eA==",
                         EncryptionContext={"a": "b"})["CiphertextBlob"]
        reply = call(self.server, "Decrypt", {"CiphertextBlob": blob})
        self.assertEqual((reply.status, reply.json), (400, {
            "__type": "InvalidCiphertextException"}))

    def test_operations_without_output_have_no_body(self):
        key = self.new_key()["KeyId"]
        for operation, request in (
                ("DisableKey", {"KeyId": key}), ("EnableKey", {"KeyId": key}),
                ("UpdateKeyDescription", {"KeyId": key, "Description": "d"}),
                ("CreateAlias", {"AliasName": "alias/no-body",
                                 "TargetKeyId": key}),
                ("UpdateAlias", {"AliasName": "alias/no-body",
                                 "TargetKeyId": key}),
                ("DeleteAlias", {"AliasName": "alias/no-body"}),
                ("TagResource", {"KeyId": key, "Tags": [
                    {"TagKey": "a", "TagValue": "b"}]}),
                ("UntagResource", {"KeyId": key, "TagKeys": ["a"]})):
            with self.subTest(operation):
                reply = call(self.server, operation, request)
                self.assertEqual((reply.status, reply.text), (200, ""))

    def test_unknown_operations(self):
        for operation in ("Nonsense", "", "listkeys", "ListKeys.More"):
            with self.subTest(operation):
                reply = call(self.server, operation, {})
                self.assertEqual((reply.status, reply.json["__type"]),
                                 (400, "UnknownOperationException"))
        reply = call(self.server, "ListKeys", {}, service="DynamoDB_20120810")
        self.assertEqual(reply.json["__type"], "UnknownOperationException")

    def test_a_custom_key_store_that_is_not_there(self):
        for operation in ("ConnectCustomKeyStore", "DeleteCustomKeyStore"):
            reply = call(self.server, operation, {"CustomKeyStoreId": "cks-1"})
            self.assertEqual((reply.status, reply.json), (400, {
                "__type": "CustomKeyStoreNotFoundException",
                "message": "Custom key store cks-1 does not exist."}))

    def test_bodies_that_are_not_the_operation_s_json(self):
        for body in (b"{", b"[]", b"1", b"null", b'"x"', b'{"KeyId":5}',
                     b'{"KeyId":["x"]}', b'{"KeyId":"x"}{}', b"{'KeyId':'x'}",
                     b'{"KeyId":"x",}', b'{"KeyId":"x"/**/}',
                     b'{"KeyId":"\xff"}', b'{"KeyId":"\\ud800"}', b"[" * 2000):
            with self.subTest(body=body[:20]):
                reply = call(self.server, "DescribeKey", body)
                self.assertEqual((reply.status, reply.json["__type"]),
                                 (400, "SerializationException"))

    def test_an_empty_body_is_an_empty_object(self):
        self.assertEqual(call(self.server, "ListKeys", b"").status, 200)

    def test_unknown_members_are_ignored(self):
        self.assertEqual(
            call(self.server, "ListKeys", {"NoSuch": {"a": 1}}).status, 200)


class Framing(ServerCase):

    def address(self):
        parts = urllib.parse.urlsplit(self.server.endpoint)
        return parts.hostname, parts.port

    def test_one_connection_serves_many_requests(self):
        link = http.client.HTTPConnection(*self.address(), timeout=60)
        for _ in range(5):
            headers = signed(self.server, "ListKeys", b"{}")
            reply = send(self.server, "POST", "/", headers, b"{}", link)
            self.assertEqual(reply.status, 200)
        link.close()

    def test_other_methods_and_paths(self):
        self.assertEqual(send(self.server, "GET", "/healthz").status, 200)
        self.assertEqual(send(self.server, "GET", "/readyz").status, 200)
        metrics = send(self.server, "GET", "/metrics")
        self.assertEqual(metrics.status, 200)
        self.assertIn("# TYPE ", metrics.text)
        self.assertRegex(metrics.text, r"\nclaviger_connections [1-9]")
        for method, path in (("GET", "/nowhere"), ("POST", "/nowhere"),
                             ("PUT", "/"), ("DELETE", "/")):
            reply = send(self.server, method, path)
            self.assertIn(reply.status, (403, 404, 405), (method, path))

    def raw(self, text):
        """Sends bytes and returns the first line of the answer, or b""."""
        with socket.create_connection(self.address(), timeout=60) as link:
            link.sendall(text)
            link.shutdown(socket.SHUT_WR)
            received = b""
            while b"\r\n" not in received:
                more = link.recv(4096)
                if not more:
                    break
                received += more
        return received.split(b"\r\n")[0]

    def test_ambiguous_requests_are_refused(self):
        head = b"POST / HTTP/1.1\r\nHost: x\r\n"
        for text in (
                head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
                head + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"
                       b"\r\n0\r\n\r\n",
                head + b"Transfer-Encoding: xchunked\r\n\r\n{}",
                head + b"Content-Length: -1\r\n\r\n",
                head + b"Content-Length: 9999999999\r\n\r\n",
                head + b"A: " + b"a" * 70000 + b"\r\n\r\n",
                head + b"A : b\r\nContent-Length: 0\r\n\r\n",
                b"nonsense\r\n\r\n", b"\0" * 100 + b"\r\n\r\n"):
            with self.subTest(text=text[:70]):
                self.assertRegex(self.raw(text), rb"\A(|HTTP/1\.1 4\d\d .*)\Z")
        # And it still serves.
        self.assertEqual(call(self.server, "ListKeys", {}).status, 200)

    def test_a_body_beyond_all_bounds(self):
        reply = None
        try:
            reply = call(self.server, "Encrypt", b"x" * (5 << 20))
        except OSError:
            pass  # It may close before it has read all.
        if reply:
            self.assertIn(reply.status, (400, 413))
        self.assertEqual(call(self.server, "ListKeys", {}).status, 200)

    def test_many_at_once(self):
        key = self.new_key()["KeyId"]

        def work(number):
            kms = boto3_client(self.server)
            message = f"message {number}".encode()
            for _ in range(5):
                blob = kms.encrypt(KeyId=key, Plaintext=message)
                opened = kms.decrypt(CiphertextBlob=blob["CiphertextBlob"])
                if opened["Plaintext"] != message:
                    return False
            return True

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            self.assertTrue(all(pool.map(work, range(32))))


if __name__ == "__main__":
    unittest.main()
