# SPDX-License-Identifier: Apache-2.0
"""`claviger policy evaluate`: written cases in, answers out, in their order."""

import json
import subprocess
import unittest

from testlib.clients import SECONDS
from testlib.server import BIN

COMMAND = [str(BIN / "claviger"), "policy", "evaluate"]
MOST = 4 << 20  # Bytes of a line.

ALICE = "arn:aws:iam::111122223333:user/alice"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/k"


def case(number, effect="Allow", **members):
    return json.dumps({
        "id": number,
        "request": {"principal": ALICE, "action": "kms:Decrypt",
                    "resource": {"resource": KEY}},
        "resourcePolicy": {"Version": "2012-10-17", "Statement": [
            {"Sid": f"S{number}", "Effect": effect,
             "Principal": {"AWS": ALICE}, "Action": "kms:*",
             "Resource": "*"}]},
        **members}).encode()


def evaluate(text, **options):
    """The exit status, and the answers."""
    run = subprocess.run(COMMAND, input=text, capture_output=True,
                         timeout=SECONDS, env={}, **options)
    assert run.stderr == b"", run.stderr
    return run.returncode, [json.loads(line)
                            for line in run.stdout.splitlines()]


class PolicyEvaluate(unittest.TestCase):

    def test_answers_each_line_in_order(self):
        count = 5000  # Several batches.
        lines = [case(i, "Deny" if i % 3 == 0 else "Allow")
                 for i in range(count)]
        status, answers = evaluate(b"\n".join(lines) + b"\n")
        self.assertEqual(status, 0)
        self.assertEqual(len(answers), count)
        for i, answer in enumerate(answers):
            self.assertEqual(answer, {
                "id": i, "by": "resource-based policy", "sid": f"S{i}",
                "result": "ExplicitlyDenied" if i % 3 == 0 else "Allowed"})

    def test_takes_a_last_line_without_its_break(self):
        status, answers = evaluate(case(1) + b"\r\n" + case(2))
        self.assertEqual(status, 0)
        self.assertEqual([answer["id"] for answer in answers], [1, 2])

    def test_answers_nothing_with_nothing(self):
        self.assertEqual(evaluate(b""), (0, []))
        self.assertEqual(evaluate(b"\n \t\r\n\n"), (0, []))

    def test_says_which_line_is_no_case_and_goes_on(self):
        status, answers = evaluate(b"\n".join([
            case(1), b"{", case("x", identityPolicys=[]), case(4)]))
        self.assertEqual(status, 1)
        self.assertEqual(answers[1], {"id": None, "error": "not JSON"})
        self.assertEqual(answers[2], {
            "id": "x", "error": "unknown member 'identityPolicys' in a case"})
        self.assertEqual([answer.get("result") for answer in answers],
                         ["Allowed", None, None, "Allowed"])

    def test_bounds_the_length_of_a_line(self):
        longest = case(1) + b" " * (MOST - len(case(1)))
        status, answers = evaluate(longest + b"\n" + longest)
        self.assertEqual(status, 0)
        self.assertEqual([answer["id"] for answer in answers], [1, 1])
        status, answers = evaluate(
            longest + b" \n" + case(2) + b"\n" + b"x" * 3 * MOST)
        self.assertEqual(status, 1)
        self.assertEqual(
            [answer.get("error", answer["id"]) for answer in answers],
            ["the line is longer than 4 MiB", 2,
             "the line is longer than 4 MiB"])

    def test_answers_who_waits_for_it(self):
        with subprocess.Popen(COMMAND, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, env={}) as process:
            for i in range(3):
                # The start of a next line must not hold an answer back.
                process.stdin.write(case(i) + b"\n ")
                process.stdin.flush()
                self.assertEqual(json.loads(process.stdout.readline())["id"], i)
            process.stdin.close()
            self.assertEqual(process.stdout.read(), b"")
            self.assertEqual(process.wait(SECONDS), 0)

    def test_ends_when_nobody_reads_on(self):
        with subprocess.Popen(COMMAND, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={}) as process:
            process.stdout.close()
            try:
                process.stdin.write(b"{}\n" * 100_000)
                process.stdin.close()
            except BrokenPipeError:
                pass
            self.assertEqual(process.wait(SECONDS), 3)
            self.assertEqual(process.stderr.read(),
                             b"claviger: cannot write: Broken pipe\n")

    def test_refuses_closed_standard_streams(self):
        for redirection, stream in ((">&-", "standard output"), ("<&-", "-")):
            run = subprocess.run(
                ["/bin/sh", "-c", f'echo "{{}}" | ("$@" {redirection})', "sh",
                 *COMMAND],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                timeout=SECONDS, check=False)
            self.assertEqual(run.returncode, 3)
            self.assertEqual(run.stderr,
                             f"claviger: {stream}: Bad file descriptor\n")


if __name__ == "__main__":
    unittest.main()
