# SPDX-License-Identifier: Apache-2.0
"""Joins sources so that clang-tidy reads the headers of many only once.

Nine tenths of its time goes into headers: a dozen sources joined cost a fifth
of the same sources one by one.
"""

import bisect
import re
import shlex

import sources

SIZE = 12

# What a line at the left margin defines. A name too many only costs a place in
# a group; a name too few is found by the compiler, and the group is split.
TEST = re.compile(r"^TEST(?:_[FP])?\((\w+), (\w+)\)", re.M)
TYPE = re.compile(r"^(?:class|struct|union|enum|enum class) (\w+)", re.M)
OTHER = re.compile(
    r"^(?!TEST|INSTANTIATE|static_assert|class |struct |union |enum |namespace "
    r"|using [\w:]+;|using namespace )"
    r"(?=[A-Za-z_])[^\n=;{(]*?(?<![\w:~])([\w:~]+)\s*[=;{(\[]", re.M)


def names(path):
    """What a source defines, as far as one can tell without a compiler."""
    text = sources.read(path)
    return {*TEST.findall(text), *TYPE.findall(text), *OTHER.findall(text)}


def settings(path):
    """Every .clang-tidy that is in force for a source, the nearest first."""
    return [folder / ".clang-tidy" for folder in path.parents
            if (folder / ".clang-tidy").is_file()]


def arguments(command):
    """A compile command without the compiler, the source and its object."""
    words = shlex.split(command)[1:]
    skipped = {at + 1 for at, word in enumerate(words) if word == "-o"}
    return tuple(word for at, word in enumerate(words)
                 if at not in skipped and word not in ("-o", "-c")
                 and not word.endswith(".cc"))


def groups(paths, commands):
    """Divides sources into groups of one command, one .clang-tidy and no name
    twice."""
    open_groups = {}
    for path in sorted(paths):
        defined = names(path)
        alike = settings(path)[0], arguments(commands[path])
        mates = open_groups.setdefault(alike, [])
        for group, taken in mates:
            if len(group) < SIZE and not taken & defined:
                group.append(path)
                taken |= defined
                break
        else:
            mates.append(([path], set(defined)))
    return [group for mates in open_groups.values() for group, _ in mates]


class Joined:
    """Several sources written as one, and the way back."""

    def __init__(self, group, place):
        self.group = group
        self.path = place
        self.starts = []
        line, texts = 1, []
        for path in group:
            text = sources.read(path)
            text += "" if text.endswith("\n") else "\n"
            self.starts.append(line)
            line += text.count("\n")
            texts.append(text)
        place.write_text("".join(texts), encoding="utf-8")
        self.where = re.compile(rf"{re.escape(str(place))}:(\d+)")

    def translate(self, said):
        """Names the sources in what was said about the joined one."""
        def back(match):
            line = int(match[1])
            at = bisect.bisect(self.starts, line) - 1
            return f"{self.group[at]}:{line - self.starts[at] + 1}"
        return self.where.sub(back, said)
