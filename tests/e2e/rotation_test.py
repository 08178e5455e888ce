# SPDX-License-Identifier: Apache-2.0
"""Key rotation. Debian's botocore does not know RotateKeyOnDemand and
ListKeyRotations, nor all members of the others: those are called raw."""

import contextlib
import datetime
import re
import sqlite3
import unittest

from testlib import ServerCase
from testlib.case import b64
from testlib.faults import FaultCase, audit_records, wait_until

DAY = 86400


def now():
    return datetime.datetime.now(datetime.timezone.utc).timestamp()


class Schedule(ServerCase):

    def test_is_off_until_enabled(self):
        key = self.new_key()["KeyId"]
        self.assertFalse(
            self.kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"])
        self.kms.enable_key_rotation(KeyId=key)
        self.assertTrue(
            self.kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"])
        self.kms.disable_key_rotation(KeyId=key)
        self.assertEqual(self.call("GetKeyRotationStatus", KeyId=key),
                         {"KeyId": key, "KeyRotationEnabled": False})

    def test_tells_period_and_next_date(self):
        key = self.new_key()["KeyId"]
        for days in (90, 2560, None):
            period = {"RotationPeriodInDays": days} if days else {}
            self.call("EnableKeyRotation", KeyId=key, **period)
            status = self.call("GetKeyRotationStatus", KeyId=key)
            self.assertEqual(set(status), {
                "KeyId", "KeyRotationEnabled", "RotationPeriodInDays",
                "NextRotationDate"})
            self.assertEqual(status["RotationPeriodInDays"], days or 365)
            self.assertAlmostEqual(status["NextRotationDate"],
                                   now() + (days or 365) * DAY, delta=3600)

    def test_refuses_periods_out_of_range(self):
        key = self.new_key()["KeyId"]
        for days, rule in ((89, "greater than or equal to 90"),
                           (2561, "less than or equal to 2560")):
            self.invalid(f"'{days}' at 'rotationPeriodInDays' failed to "
                         f"satisfy constraint: Member must have value {rule}",
                         "EnableKeyRotation", KeyId=key,
                         RotationPeriodInDays=days)

    def test_needs_an_enabled_key(self):
        key = self.new_key()
        name = key["KeyId"]
        self.kms.enable_key_rotation(KeyId=name)
        self.kms.disable_key(KeyId=name)
        methods = (self.kms.enable_key_rotation, self.kms.disable_key_rotation)
        for method in methods:
            self.refuses("DisabledException", f"{key['Arn']} is disabled.",
                         method, KeyId=name)
        self.assertTrue(
            self.kms.get_key_rotation_status(KeyId=name)["KeyRotationEnabled"])
        self.kms.schedule_key_deletion(KeyId=name)
        for method in methods:
            self.refuses("KMSInvalidStateException",
                         f"{key['Arn']} is pending deletion.", method,
                         KeyId=name)
        self.assertFalse(
            self.kms.get_key_rotation_status(KeyId=name)["KeyRotationEnabled"])
        self.kms.cancel_key_deletion(KeyId=name)
        self.assertTrue(
            self.kms.get_key_rotation_status(KeyId=name)["KeyRotationEnabled"])

    def test_refuses_unknown_keys(self):
        for method in (self.kms.enable_key_rotation,
                       self.kms.disable_key_rotation,
                       self.kms.get_key_rotation_status):
            with self.subTest(method=method.__name__):
                self.refuses_unknown_keys(method, aliases=False)


class OnDemand(ServerCase):

    def current(self, key):
        shown = self.call("DescribeKey", KeyId=key)["KeyMetadata"]
        return shown["CurrentKeyMaterialId"]

    def test_old_ciphertexts_stay_readable(self):
        key = self.new_key()
        name = key["KeyId"]
        blobs = {}
        for number in range(5):
            text = b"text %d" % number
            blobs[text] = self.kms.encrypt(
                KeyId=name, Plaintext=text)["CiphertextBlob"]
            before = self.current(name)
            self.assertEqual(self.call("RotateKeyOnDemand", KeyId=name),
                             {"KeyId": key["Arn"]})
            self.assertNotEqual(self.current(name), before)
        for text, blob in blobs.items():
            reply = self.kms.decrypt(CiphertextBlob=blob, KeyId=name)
            self.assertEqual(reply["Plaintext"], text)

    def test_re_encryption_moves_to_the_new_material(self):
        key = self.new_key()["KeyId"]
        blob = self.call("Encrypt", KeyId=key,
                         Plaintext=b64(b"x"))["CiphertextBlob"]
        old = self.current(key)
        self.call("RotateKeyOnDemand", KeyId=key)
        moved = self.call("ReEncrypt", CiphertextBlob=blob,
                          DestinationKeyId=key)
        self.assertEqual(moved["SourceKeyMaterialId"], old)
        self.assertEqual(moved["DestinationKeyMaterialId"], self.current(key))

    def test_has_a_limit(self):
        key = self.new_key()
        for _ in range(25):
            self.call("RotateKeyOnDemand", KeyId=key["KeyId"])
        self.refuses("LimitExceededException",
                     "The on-demand rotations limit has been reached for the "
                     "given keyId. No more on-demand rotations can be "
                     f"performed for this key: {key['Arn']}",
                     "RotateKeyOnDemand", KeyId=key["KeyId"])

    def test_needs_an_enabled_key(self):
        key = self.new_key()
        self.kms.disable_key(KeyId=key["KeyId"])
        self.refuses("DisabledException", f"{key['Arn']} is disabled.",
                     "RotateKeyOnDemand", KeyId=key["KeyId"])

    def test_refuses_unknown_keys(self):
        for operation in ("RotateKeyOnDemand", "ListKeyRotations"):
            self.refuses_unknown_keys(operation, aliases=False)


class ListKeyRotations(ServerCase):

    def test_names_each_rotation(self):
        key = self.new_key()["KeyId"]
        self.assertEqual(self.call("ListKeyRotations", KeyId=key),
                         {"Rotations": [], "Truncated": False})
        for _ in range(3):
            self.call("RotateKeyOnDemand", KeyId=key)
        rotations = self.call("ListKeyRotations", KeyId=key)["Rotations"]
        self.assertEqual([entry["KeyMaterialState"] for entry in rotations],
                         ["NON_CURRENT", "NON_CURRENT", "CURRENT"])
        for entry in rotations:
            self.assertEqual(set(entry), {
                "KeyId", "KeyMaterialId", "KeyMaterialState", "RotationDate",
                "RotationType"})
            self.assertEqual((entry["KeyId"], entry["RotationType"]),
                             (key, "ON_DEMAND"))
            self.assertAlmostEqual(entry["RotationDate"], now(), delta=3600)
        every = self.call("ListKeyRotations", KeyId=key,
                          IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
        self.assertEqual(every[1:], rotations)
        self.assertEqual(set(every[0]),
                         {"KeyId", "KeyMaterialId", "KeyMaterialState"})

    def test_comes_in_pages(self):
        key = self.new_key()["KeyId"]
        for _ in range(3):
            self.call("RotateKeyOnDemand", KeyId=key)
        whole = self.call("ListKeyRotations", KeyId=key)["Rotations"]
        pages, request = [], {}
        while not pages or pages[-1]["Truncated"]:
            page = self.call("ListKeyRotations", KeyId=key, Limit=1, **request)
            pages.append(page)
            request = {"Marker": page.get("NextMarker")}
        self.assertEqual([page["Rotations"] for page in pages],
                         [[entry] for entry in whole])
        self.refuses("InvalidMarkerException", re.compile(".+"),
                     "ListKeyRotations", KeyId=key, Marker="nonsense")


class GetKeyLastUsage(FaultCase):

    def test_survives_a_stop(self):
        server = self.new_server().start()
        key, blob = self.new_key(server)
        unused = self.ask(server, "CreateKey")["KeyMetadata"]["KeyId"]
        self.ask(server, "Decrypt", CiphertextBlob=blob)
        shown = self.ask(server, "GetKeyLastUsage", KeyId=key)
        self.assertEqual(shown["KeyId"], key)
        self.assertEqual(shown["KeyLastUsage"]["Operation"], "Decrypt")
        [record] = [record for record in audit_records(server)
                    if record.get("eventName") == "Decrypt"]
        self.assertEqual(shown["KeyLastUsage"]["CloudTrailEventId"],
                         record["eventID"])
        self.assertEqual(shown["KeyLastUsage"]["KmsRequestId"],
                         record["requestID"])
        self.assertEqual(server.stop(), 0)
        server.start()
        self.assertEqual(self.ask(server, "GetKeyLastUsage", KeyId=key), shown)
        self.assertNotIn("KeyLastUsage",
                         self.ask(server, "GetKeyLastUsage", KeyId=unused))


    def test_survives_a_kill(self):
        server = self.new_server().start()
        key, blob = self.new_key(server)
        self.ask(server, "Decrypt", CiphertextBlob=blob)
        shown = self.ask(server, "GetKeyLastUsage", KeyId=key)
        for _ in range(2):  # From the log, and then from the store.
            self.kill_all(server)
            server.start()
            again = self.ask(server, "GetKeyLastUsage", KeyId=key)
            for usage in (shown["KeyLastUsage"], again["KeyLastUsage"]):
                # The log tells whole seconds.
                usage["Timestamp"] = int(usage["Timestamp"])
            self.assertEqual(again, shown)
        self.assertIn("completed from the audit log", server.log_text())

    def test_a_clean_start_reads_no_log(self):
        server = self.new_server().start()
        self.new_key(server)
        self.assertEqual(server.stop(), 0)
        server.start()
        self.assertNotIn("completed from the audit log", server.log_text())


class Automatic(FaultCase):
    """The store is told that the day has come: the tests have no clock."""

    def test_due_keys_are_rotated_and_recorded_once(self):
        server = self.new_server().start()
        kept = [self.new_key(server) for _ in range(3)]
        off, disabled, on = [key for key, _ in kept]
        for key in (disabled, on):
            self.ask(server, "EnableKeyRotation", KeyId=key)
        self.ask(server, "DisableKey", KeyId=disabled)
        self.assertEqual(server.stop(), 0)
        path = server.dev / "claviger.db"
        with contextlib.closing(sqlite3.connect(path)) as store:
            store.execute("UPDATE keys SET next_rotation = 1 "
                          "WHERE next_rotation IS NOT NULL")
            store.commit()
        server.start()
        self.wait_rotated(server, on)
        self.assertEqual(self.rotations(server, off), [])
        self.assertEqual(self.rotations(server, disabled), [])
        self.ask(server, "EnableKey", KeyId=disabled)
        self.wait_rotated(server, disabled)
        for key in (disabled, on):
            [entry] = self.rotations(server, key)
            self.assertEqual(entry["RotationType"], "AUTOMATIC")
            status = self.ask(server, "GetKeyRotationStatus", KeyId=key)
            self.assertAlmostEqual(status["NextRotationDate"],
                                   now() + 365 * DAY, delta=3600)
        self.check_kept(server, kept)
        recorded = [record["serviceEventDetails"]["keyId"]
                    for record in audit_records(server)
                    if record.get("eventName") == "RotateKey"]
        self.assertEqual(sorted(recorded), sorted([disabled, on]))
        self.check_audit(server)
        self.check_nothing_unknown(server)

    def rotations(self, server, key):
        return self.ask(server, "ListKeyRotations", KeyId=key)["Rotations"]

    def wait_rotated(self, server, key):
        wait_until(lambda: self.rotations(server, key), "the key is rotated")


if __name__ == "__main__":
    unittest.main()
