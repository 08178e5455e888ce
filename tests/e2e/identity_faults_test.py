# SPDX-License-Identifier: Apache-2.0
"""Faults in the midst of changes of identities and key policies: kill -9 at any
moment, a full disk, and many changes of one entity at once.

CLAVIGER_KILLS and CLAVIGER_SEED as in crash_test.
"""

import concurrent.futures
import json
import os
import random
import resource
import subprocess
import threading
import unittest

from botocore.exceptions import BotoCoreError, ClientError

from testlib.clients import boto3_client
from testlib.faults import (BIN, PATIENCE_SECONDS, POLL_SECONDS, FaultCase,
                            Threads, audit_records, wait_until)

KILLS = int(os.environ.get("CLAVIGER_KILLS", "6"))
SEED = int(os.environ.get("CLAVIGER_SEED", random.SystemRandom().randrange(
    2 ** 32)))
DESCRIBE = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Resource": "*", "Action": "kms:DescribeKey"}]})
# Only a role that nobody has: whoever puts it locks everybody out.
NOBODY = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*",
     "Resource": "*",
     "Condition": {"StringEquals": {"aws:PrincipalTag/never": "there"}}}]})
REFUSED_KEY = "UnrecognizedClientException"


def code_of(error):
    return error.response["Error"]["Code"]


class Clients:
    """boto3's clients of a server, which moves to another port when it is
    started again."""

    def __init__(self, server):
        self.server = server
        self._made = {}
        self._lock = threading.Lock()

    def get(self, service, credentials=None):
        with self._lock:
            key = (self.server.endpoint, service,
                   credentials and credentials["AccessKeyId"])
            if key not in self._made:
                self._made[key] = boto3_client(
                    self.server, service=service, credentials=credentials)
            return self._made[key]

    def close(self):
        for client in self._made.values():
            client.close()


class Changes(Threads):
    """Threads that make users with a policy and an access key, use the key and
    revoke every other one, and remember what was acknowledged."""

    THREADS = 2

    def __init__(self, clients, key):
        super().__init__()
        self.clients = clients
        self.key = key
        self.users = {}  # Name: whether its policy was acknowledged.
        self.access_keys = []  # Acknowledged, and nobody tried to revoke them.
        self.revoked = []
        self.wrong = []

    @property
    def acknowledged(self):
        return len(self.users) + len(self.access_keys) + len(self.revoked)

    def _run(self):
        while not self._stop.is_set():
            try:
                self._round(next(self._numbers))
            except BotoCoreError:
                self._stop.wait(POLL_SECONDS)  # The server was killed.
            except ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                if status < 500:
                    self.wrong.append(str(error))
                self._stop.wait(POLL_SECONDS)

    def _round(self, number):
        iam = self.clients.get("iam")
        name = f"user-{number}"
        iam.create_user(UserName=name)
        self.users[name] = False
        iam.put_user_policy(UserName=name, PolicyName="inline",
                            PolicyDocument=DESCRIBE)
        self.users[name] = True
        access_key = iam.create_access_key(UserName=name)["AccessKey"]
        # It holds from its acknowledgement on.
        self.clients.get("kms", access_key).describe_key(KeyId=self.key)
        if number % 2 == 0:
            self.access_keys.append(access_key)
            return
        iam.delete_access_key(UserName=name,
                              AccessKeyId=access_key["AccessKeyId"])
        self.revoked.append(access_key)


class IdentityFaultCase(FaultCase):

    def setUp(self):
        self.server = self.new_server().start()
        self.random = random.Random(SEED)
        self.clients = Clients(self.server)
        self.addCleanup(self.clients.close)
        self.key = self.ask(self.server, "CreateKey")["KeyMetadata"]["KeyId"]

    @property
    def iam(self):
        return self.clients.get("iam")

    def restart(self):
        self.kill_all(self.server)
        self.server.start()
        self.wait_ready(self.server)

    def refusal(self, method, **request):
        """The code of the error that this call gives; None if it succeeds."""
        try:
            method(**request)
        except ClientError as error:
            return code_of(error)
        return None


class Crash(IdentityFaultCase):

    def test_no_acknowledged_change_is_lost(self):
        with Changes(self.clients, self.key) as changes:
            for _ in range(KILLS):
                goal = changes.acknowledged + self.random.randrange(1, 12)
                wait_until(lambda: changes.acknowledged >= goal,
                           "the server serves again")
                self.restart()
            goal = changes.acknowledged + 8
            wait_until(lambda: changes.acknowledged >= goal, "a last load")
        print(f"\nseed {SEED}: {len(changes.users)} users, "
              f"{len(changes.access_keys)} keys, {len(changes.revoked)} "
              "revoked keys acknowledged")
        self.assertEqual(changes.wrong, [])
        self.check(changes)
        self.restart()
        self.check(changes)

    def check(self, changes):
        listed = [user["UserName"]
                  for page in self.iam.get_paginator("list_users").paginate()
                  for user in page["Users"]]
        self.assertEqual(len(listed), len(set(listed)))
        for name, has_policy in changes.users.items():
            self.assertIn(name, listed)
            policies = self.iam.list_user_policies(UserName=name)
            if has_policy:
                self.assertEqual(policies["PolicyNames"], ["inline"])
        for access_key in changes.access_keys:
            self.clients.get("kms", access_key).describe_key(KeyId=self.key)
        for access_key in changes.revoked:
            self.assertEqual(
                self.refusal(self.clients.get("kms", access_key).describe_key,
                             KeyId=self.key), REFUSED_KEY)
        self.check_recorded_once(changes)
        self.check_audit(self.server)

    def check_recorded_once(self, changes):
        made = [record["requestParameters"]["userName"]
                for record in audit_records(self.server)
                if record.get("eventName") == "CreateUser"
                and "errorCode" not in record]
        for name in changes.users:
            self.assertEqual(made.count(name), 1, name)

    def test_a_policy_is_reset_wholly_or_not_at_all(self):
        kms = self.clients.get("kms")
        for _ in range(KILLS):
            kms.put_key_policy(KeyId=self.key, PolicyName="default",
                               Policy=NOBODY,
                               BypassPolicyLockoutSafetyCheck=True)
            reset = self.start_reset()
            self.wait_a_little()
            self.restart()
            done = reset.wait(PATIENCE_SECONDS) == 0
            kms = self.clients.get("kms")
            refused = self.refusal(kms.describe_key, KeyId=self.key)
            self.assertIn(refused, [None] if done
                          else [None, "AccessDeniedException"])
            self.assertEqual(self.start_reset().wait(PATIENCE_SECONDS), 0)
            kms.describe_key(KeyId=self.key)
        self.check_audit(self.server)

    def wait_a_little(self):
        """Up to 20 ms: a reset takes about half of it."""
        threading.Event().wait(self.random.random() / 50)

    def start_reset(self):
        return subprocess.Popen(
            [BIN / "claviger", "--endpoint",
             self.server.dev / "clavigerd.sock", "policy", "reset", self.key],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)


class FullDisk(IdentityFaultCase):

    def test_no_identity_is_half_made(self):
        self.iam.create_user(UserName="before")
        old = self.iam.create_access_key(UserName="before")["AccessKey"]
        self.limit(self.server, 0)
        revoke = {"UserName": "before", "AccessKeyId": old["AccessKeyId"]}
        for method, request in (
                (self.iam.create_user, {"UserName": "during"}),
                (self.iam.create_access_key, {"UserName": "before"}),
                (self.iam.put_user_policy,
                 {"UserName": "before", "PolicyName": "p",
                  "PolicyDocument": DESCRIBE}),
                (self.iam.delete_access_key, revoke)):
            self.assertEqual(self.refusal(method, **request),
                             "ServiceFailure", method.__name__)
        self.limit(self.server, resource.RLIM_INFINITY)
        self.wait_ready(self.server)
        self.check_unchanged(old)
        self.restart()
        self.check_unchanged(old)
        self.iam.create_user(UserName="during")
        self.iam.delete_access_key(**revoke)
        self.check_audit(self.server)

    def check_unchanged(self, old):
        self.assertEqual(
            self.refusal(self.iam.get_user, UserName="during"), "NoSuchEntity")
        [kept] = self.iam.list_access_keys(
            UserName="before")["AccessKeyMetadata"]
        self.assertEqual(kept["AccessKeyId"], old["AccessKeyId"])
        self.assertEqual(
            self.iam.list_user_policies(UserName="before")["PolicyNames"], [])


class AtOnce(IdentityFaultCase):
    """Changes of one entity that arrive together are made one after another:
    none is lost, and no limit is passed."""

    TIMES = 12

    def at_once(self, method, requests):
        """The code of the error that each of them gave, None for success."""
        barrier = threading.Barrier(len(requests))

        def run(request):
            barrier.wait(PATIENCE_SECONDS)
            return self.refusal(method, **request)

        with concurrent.futures.ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(run, requests))

    def test_one_name_is_given_once(self):
        answers = self.at_once(self.iam.create_user,
                               [{"UserName": "one"}] * self.TIMES)
        self.assertEqual(sorted(map(str, answers)),
                         ["EntityAlreadyExists"] * (self.TIMES - 1) + ["None"])

    def test_no_change_is_lost(self):
        self.iam.create_user(UserName="one")
        answers = self.at_once(
            self.iam.tag_user,
            [{"UserName": "one", "Tags": [{"Key": f"k{n}", "Value": "v"}]}
             for n in range(self.TIMES)])
        self.assertEqual(answers, [None] * self.TIMES)
        answers = self.at_once(
            self.iam.put_user_policy,
            [{"UserName": "one", "PolicyName": f"p{n}",
              "PolicyDocument": DESCRIBE} for n in range(self.TIMES)])
        self.assertEqual(answers, [None] * self.TIMES)
        self.assertEqual(len(self.iam.list_user_tags(UserName="one")["Tags"]),
                         self.TIMES)
        self.assertEqual(
            len(self.iam.list_user_policies(UserName="one")["PolicyNames"]),
            self.TIMES)

    def test_no_limit_is_passed(self):
        self.iam.create_user(UserName="one")
        answers = self.at_once(self.iam.create_access_key,
                               [{"UserName": "one"}] * self.TIMES)
        self.assertEqual(sorted(map(str, answers)),
                         ["LimitExceeded"] * (self.TIMES - 2) + ["None"] * 2)

    def test_a_user_that_is_deleted_gets_nothing_more(self):
        """The deletion comes first and the others find no user, or it finds
        what they made and is refused."""
        for n in range(self.TIMES):
            self.iam.create_user(UserName="one")
            barrier = threading.Barrier(2)

            def run(method):
                barrier.wait(PATIENCE_SECONDS)
                return self.refusal(method, UserName="one")

            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                deleted, made = pool.map(
                    run, [self.iam.delete_user, self.iam.create_access_key])
            self.assertIn((deleted, made), [(None, "NoSuchEntity"),
                                            ("DeleteConflict", None)])
            if deleted:
                self.drop("one")

    def test_a_session_is_none_of_the_role_that_comes_after(self):
        """A role is replaced by one of its name with more rights, while a
        session of it is made: that session is refused for ever."""
        trust = json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "*"},
             "Action": "sts:AssumeRole"}]})
        role = {"RoleName": "one", "AssumeRolePolicyDocument": trust}
        self.iam.create_user(UserName="caller")
        self.iam.put_user_policy(
            UserName="caller", PolicyName="p",
            PolicyDocument=DESCRIBE.replace("kms:DescribeKey",
                                            "sts:AssumeRole"))
        sts = self.clients.get("sts", self.iam.create_access_key(
            UserName="caller")["AccessKey"])
        self.iam.create_role(**role)
        arn = self.iam.get_role(RoleName="one")["Role"]["Arn"]
        sessions = []

        def assume():
            try:
                sessions.append(sts.assume_role(
                    RoleArn=arn, RoleSessionName="racer")["Credentials"])
            except ClientError as error:
                self.assertEqual(code_of(error), "AccessDenied")

        for n in range(self.TIMES):
            sessions.clear()
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                made = pool.submit(assume)
                if n % 2:  # This one is made in any case.
                    made.result()
                    self.assertEqual(len(sessions), 1)
                self.iam.delete_role(RoleName="one")
                made.result()
            self.iam.create_role(**role)
            self.iam.put_role_policy(RoleName="one", PolicyName="p",
                                     PolicyDocument=DESCRIBE)
            for session in sessions:
                self.assertEqual(
                    self.refusal(
                        self.clients.get("kms", session).describe_key,
                        KeyId=self.key), REFUSED_KEY)
            self.iam.delete_role_policy(RoleName="one", PolicyName="p")

    def drop(self, name):
        for key in self.iam.list_access_keys(
                UserName=name)["AccessKeyMetadata"]:
            self.iam.delete_access_key(UserName=name,
                                       AccessKeyId=key["AccessKeyId"])
        self.iam.delete_user(UserName=name)


if __name__ == "__main__":
    unittest.main()
