#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Joins the sources of a target, so that the compiler reads the headers of many
only once.

Usage: join_sources.py FOLDER SOURCE...

Writes FOLDER/0.cc and so on, each of which includes some of the sources, and
prints what is to be compiled in their place, one name a line. Sources that
define a name twice are not joined; should the compiler know better, name one of
the two otherwise. A source that has something to say to the headers that it
includes stays alone.
"""

import pathlib
import re
import sys

import sources
import tidy_groups

DEFINE = re.compile(r"^#\s*define (\w+)", re.M)
INCLUDE = re.compile(r"^#\s*include ", re.M)


def is_alone(text):
    define, includes = DEFINE.search(text), [*INCLUDE.finditer(text)]
    return bool(define and includes
                and define.start() < includes[-1].start())


def joined(paths):
    """Groups of sources, those that stay alone among them."""
    found = []
    for path in paths:
        text = sources.read(path)
        names = tidy_groups.names(path) | set(DEFINE.findall(text))
        if is_alone(text):
            found.append(([path], None))
            continue
        for group, taken in found:
            if (taken is not None and len(group) < tidy_groups.SIZE
                    and not taken & names):
                group.append(path)
                taken |= names
                break
        else:
            found.append(([path], names))
    return [group for group, _ in found]


def write(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    paths = [pathlib.Path(name).resolve() for name in sys.argv[2:]]
    for number, group in enumerate(joined(paths)):
        if len(group) == 1:
            print(group[0])
            continue
        place = folder / f"{number}.cc"
        # From the root, so that the text is the same in every clone.
        write(place, "".join(
            f'#include "{path.relative_to(sources.ROOT)}"\n'
            for path in group))
        print(place)


main()
