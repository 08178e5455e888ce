# SPDX-License-Identifier: Apache-2.0
"""What the lints read, and how they report."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPP = (".h", ".cc")


def files(*suffixes):
    """Paths, from the root, of all files that are in git or could be added."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(
        pathlib.Path(name) for name in set(listed.split("\0"))
        if name and (ROOT / name).is_file()
        and (not suffixes or name.endswith(suffixes)))


def read(path):
    """The text of a file, or "" if it is not text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def finish(findings):
    """Prints the findings, one a line, and exits with the matching status."""
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)
