"""Backups as chains of gzip members, read and written by the description in src/backup/member.h and
archive.h alone: what the program makes must be what they say, and a test can make one that lies."""

import hashlib
import struct
import zlib
from pathlib import Path

from .backups import rewrite_manifest

TEXT, COPY_BEGIN, ROWS, COPY_END, INDEX, LOCATOR = range(6)
KINDS = ["text", "begin", "rows", "end"]
NO_TABLE = 0xFFFFFFFF
HEADER_BYTES = 64
ENTRIES_MAX = 584  # in one index member


def _header(kind, table, part, packed, raw, rows, digest, extra=0):
    start = struct.pack("<4sIBBH", b"\x1f\x8b\x08\x04", 0, 0, 255, 52 + extra)
    start += struct.pack("<2sHBBH", b"VX", 48, 1, kind, 0)
    start += struct.pack("<IIQQQQ", table, part, packed, raw, rows, digest)
    return start + struct.pack("<I", zlib.crc32(start))


class Member:
    """`raw` is what gunzip makes of it; `packed` the bytes in the file."""

    def __init__(self, packed):
        assert struct.unpack_from("<I", packed, 60)[0] == zlib.crc32(packed[:60])
        self.kind = packed[17]
        self.table, self.part, length, raw, self.rows, self.digest = struct.unpack_from("<IIQQQQ", packed, 20)
        assert length == len(packed)
        self.packed = packed
        self.raw = zlib.decompress(packed, wbits=31)
        assert len(self.raw) == raw

    def change(self, raw):
        """Other statements in a member of text."""
        assert self.kind == TEXT
        squeeze = zlib.compressobj(wbits=-15)
        data = squeeze.compress(raw) + squeeze.flush()
        length = HEADER_BYTES + len(data) + 8
        self.raw = raw
        self.packed = _header(TEXT, NO_TABLE, 0, length, len(raw), 0, 0) + data
        self.packed += struct.pack("<II", zlib.crc32(raw), len(raw))

    def entry(self):
        numbers = (self.kind, self.table, self.part, 0, len(self.packed), len(self.raw), self.rows)
        sha256 = hashlib.sha256(self.packed).hexdigest().encode()
        return struct.pack("<IIIIQQQQ64s", *numbers, self.digest, sha256)


def read(path):
    """All members, with those of the index."""
    data = Path(path).read_bytes()
    found = []
    at = 0
    while at < len(data):
        length = struct.unpack_from("<Q", data, at + 28)[0]
        found.append(Member(data[at : at + length]))
        at += length
    return found


def _carrier(kind, part, rows, carried):
    carried += struct.pack("<I", zlib.crc32(carried))
    length = HEADER_BYTES + 4 + len(carried) + 10
    header = _header(kind, NO_TABLE, part, length, 0, rows, 0, extra=4 + len(carried))
    return header + struct.pack("<2sH", b"VI", len(carried)) + carried + b"\x03" + bytes(9)


def tail(members):
    """The index of members, as bytes."""
    chunks = [members[at : at + ENTRIES_MAX] for at in range(0, len(members), ENTRIES_MAX)]
    written = b"".join(
        _carrier(INDEX, part, len(chunk), b"".join(member.entry() for member in chunk))
        for part, chunk in enumerate(chunks)
    )
    sizes = [sum(len(member.packed) for member in members), sum(len(member.raw) for member in members)]
    return written + _carrier(LOCATOR, len(chunks), len(members), struct.pack("<QQ", *sizes))


def _listed(members):
    """The index as the manifest has it."""
    at = 0
    for member in members:
        sha256 = hashlib.sha256(member.packed).hexdigest()
        table = "-" if member.table == NO_TABLE else member.table
        row = f"{at} {len(member.packed)} {sha256} {len(member.raw)} {KINDS[member.kind]} {table} "
        is_rows = member.kind == ROWS
        row += f"{member.part} {member.rows} {member.digest:016x}" if is_rows else "- - -"
        at += len(member.packed)
        yield row


def write(path, members):
    """A file of these members, with all that goes with it: nothing but their content can be wrong."""
    path = Path(path)
    data = b"".join(member.packed for member in members) + tail(members)
    path.write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    Path(f"{path}.sha256").write_text(f"{sha256}  {path.name}\n")

    def follow(manifest):
        manifest["sha256"] = sha256
        manifest["packed_bytes"] = len(data)
        manifest["raw_bytes"] = sum(len(member.raw) for member in members)
        manifest["members"] = list(_listed(members))

    rewrite_manifest(Path(f"{path}.json"), follow)
