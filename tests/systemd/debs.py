# SPDX-License-Identifier: Apache-2.0
"""Packages for the tests: the real one, and such as the next release might be, good and bad.

A newer Anna is the real one with another version and build in her binaries (of the same length, so
nothing moves): that answers over RPC as a new one would, without compiling everything again.
"""

import hashlib
import re
import shutil
import subprocess

BROKEN = """#!/bin/sh
# annad of a bad release: all that can be checked beforehand is right, but it does not start.
case "$*" in
--version) echo "annad {version} (build {build})" ;;
*--check*|*--show*) exec "${{0%/*}}/../lib/anna/annad.real" "$@" ;;
*) {end} ;;
esac
"""


class Packages:
    def __init__(self, real, folder):
        self.real = real
        self.folder = folder
        said = subprocess.run(["dpkg-deb", "-f", str(real), "Version"], capture_output=True, text=True,
            check=True).stdout.strip()
        self.version = said
        self.number = re.match(r"[0-9.]+", said)[0]

    @staticmethod
    def sum(tree):
        """The sums of all files but conffiles, as dpkg wants them."""
        lines = [f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n"
            for path in sorted(tree.rglob("*")) if path.is_file() and not path.is_symlink()
            and path.relative_to(tree).parts[0] not in ("DEBIAN", "etc")]
        (tree / "DEBIAN/md5sums").write_text("".join(lines))

    def make(self, name, change, version=None, is_whole=True):
        """A package with change(tree) done to what is in it; made once."""
        path = self.folder / f"anna_{name}.deb"
        if path.exists():
            return path
        tree = self.folder / f"tree-{name}"
        subprocess.run(["dpkg-deb", "-R", str(self.real), str(tree)], check=True)
        if version:
            control = tree / "DEBIAN/control"
            control.write_text(re.sub(r"^Version: .*$", f"Version: {version}", control.read_text(),
                flags=re.M))
        change(tree)
        if is_whole:
            self.sum(tree)
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", str(tree), str(path)],
            check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(tree)
        return path

    def build(self):
        """What the real annad calls its build."""
        if not hasattr(self, "real_build"):
            tree = self.folder / "ask"
            subprocess.run(["dpkg-deb", "-x", str(self.real), str(tree)], check=True)
            said = subprocess.run([tree / "usr/sbin/annad", "--version"], capture_output=True,
                text=True, check=True).stdout
            shutil.rmtree(tree)
            self.real_build = re.search(r"\(build (.*)\)", said)[1]
        return self.real_build

    def next_number(self, step=1):
        head, last = self.number.rsplit(".", 1)
        return f"{head}.{int(last) + step}"

    def restamp(self, tree, number, build):
        """The binaries say another version and build."""
        old_build = self.build().encode()
        new_build = build.encode().ljust(len(old_build), b"0")[:len(old_build)]
        for binary in ("usr/sbin/annad", "usr/bin/annactl"):
            path = tree / binary
            content = path.read_bytes()
            assert len(number) == len(self.number)
            changed = content.replace(self.number.encode(), number.encode())
            changed = changed.replace(old_build, new_build)
            assert changed != content
            path.write_bytes(changed)
        return new_build.decode()

    def newer(self, step=1):
        """A good next release."""
        number = self.next_number(step)
        return self.make(f"newer-{step}", lambda tree: self.restamp(tree, number, f"new{step}"),
            number)

    def broken(self, name, end, step=2):
        """A next release whose annad ends or hangs instead of starting."""
        number = self.next_number(step)

        def change(tree):
            self.restamp(tree, number, name)
            annad = tree / "usr/sbin/annad"
            annad.rename(tree / "usr/lib/anna/annad.real")
            annad.write_text(BROKEN.format(version=number, build=name.ljust(len(self.build()), "0"),
                end=end))
            annad.chmod(0o755)
        return self.make(f"broken-{name}", change, number)
