# SPDX-License-Identifier: Apache-2.0
"""A file system in user space whose files answer, except those told to hang: the smallest server of
the kernel's FUSE protocol (include/uapi/linux/fuse.h, version 7.8 and up). Needs root.

    with HungFolder(path, {"temp1_input": b"42000\\n"}, hanging={"temp2_input"}) as folder:
        ...
        folder.release()  # what hung gets its answer now
"""

import ctypes
import errno
import os
import select
import struct
import threading

LIBC = ctypes.CDLL(None, use_errno=True)
MNT_DETACH = 2
HEADER = struct.Struct("=IIQQIIII")  # len, opcode, unique, nodeid, uid, gid, pid, padding
LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR = (
    1, 2, 3, 14, 15, 18, 25, 26, 27, 28, 29)
ATTRIBUTES = struct.Struct("=QQQQQQIIIIIIIIII")


class HungFolder:
    def __init__(self, path, files, hanging=()):
        self.path = str(path)
        self.names = sorted(set(files) | set(hanging))
        self.files = dict(files)
        self.hanging = set(hanging)
        self.waiting = []
        self.asked = threading.Event()  # somebody hangs now
        self.fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        self.stop_read, self.stop_write = os.pipe()
        options = f"fd={self.fd},rootmode=40755,user_id=0,group_id=0,allow_other"
        if LIBC.mount(b"hung", self.path.encode(), b"fuse", 0, options.encode()) != 0:
            number = ctypes.get_errno()
            os.close(self.fd)
            raise OSError(number, f"mount: {os.strerror(number)}")
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def attributes(self, node):
        is_folder = node == 1
        size = 0 if is_folder else 4096
        mode = 0o040755 if is_folder else 0o100444
        return ATTRIBUTES.pack(node, size, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def reply(self, unique, body=b"", error=0):
        try:
            os.write(self.fd, struct.pack("=IiQ", 16 + len(body), -error, unique) + body)
        except OSError:
            pass  # who asked has gone

    def entries(self, offset, size):
        out = b""
        for i, name in enumerate(self.names):
            raw = name.encode()
            if i < offset:
                continue
            entry = struct.pack("=QQII", i + 2, i + 1, len(raw), 8) + raw
            entry += b"\0" * (-len(entry) % 8)
            if len(out) + len(entry) > size:
                break
            out += entry
        return out

    def handle(self, opcode, unique, node, body):
        if opcode == INIT:
            self.reply(unique, struct.pack("=IIIIHHIIHHI", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, 0)
                + b"\0" * 28)
        elif opcode == LOOKUP:
            name = body.rstrip(b"\0").decode()
            if name not in self.names:
                self.reply(unique, error=errno.ENOENT)
                return
            number = self.names.index(name) + 2
            self.reply(unique, struct.pack("=QQQQII", number, 0, 0, 0, 0, 0) + self.attributes(number))
        elif opcode == GETATTR:
            self.reply(unique, struct.pack("=QII", 0, 0, 0) + self.attributes(node))
        elif opcode in (OPEN, OPENDIR):
            self.reply(unique, struct.pack("=QII", 0, 1, 0))  # direct I/O, as sysfs
        elif opcode == READDIR:
            offset, size = struct.unpack_from("=QI", body, 8)
            self.reply(unique, self.entries(offset, size))
        elif opcode == READ:
            name, offset = self.names[node - 2], struct.unpack_from("=Q", body, 8)[0]
            if name in self.hanging:
                self.waiting.append(unique)
                self.asked.set()
                return
            self.reply(unique, self.files[name][offset:])
        elif opcode in (RELEASE, RELEASEDIR, FLUSH):
            self.reply(unique)
        elif opcode != FORGET:
            self.reply(unique, error=errno.ENOSYS)

    def serve(self):
        while True:
            ready, _, _ = select.select([self.fd, self.stop_read], [], [])
            if self.stop_read in ready:
                return
            try:
                request = os.read(self.fd, 1 << 17)
            except OSError:
                return
            _, opcode, unique, node, *_ = HEADER.unpack_from(request)
            self.handle(opcode, unique, node, request[HEADER.size:])

    def release(self):
        """What hangs is answered, and hangs no more."""
        for name in self.hanging:
            self.files.setdefault(name, b"1000\n")
        self.hanging.clear()
        for unique in self.waiting:
            self.reply(unique, b"1000\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        LIBC.umount2(self.path.encode(), MNT_DETACH)
        os.write(self.stop_write, b"x")
        self.thread.join(5)
        os.close(self.fd)  # ends what still waits
        os.close(self.stop_read)
        os.close(self.stop_write)
