"""Zip archives as `save` writes them: entries that are not compressed, one after the other."""

import zipfile

Entries = dict[str, zipfile.ZipInfo]


def entries_of(archive: zipfile.ZipFile, size: int) -> Entries:
    """Return the entries of an archive of `size` bytes by name.

    Raises a ValueError if an entry is compressed, encrypted or repeated, or if the entries are larger than the archive.
    So no archive takes more memory than its size.
    """
    entries: Entries = {}
    for entry in archive.infolist():
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            remedy = "save a state_dict() in place of a TorchScript"
            raise ValueError(f"{entry.filename!r} is compressed or encrypted, which save never does; {remedy}")
        if entry.filename in entries:
            raise ValueError(f"there are two entries {entry.filename!r}")
        entries[entry.filename] = entry
    if (total := sum(max(entry.file_size, entry.compress_size) for entry in entries.values())) > size:
        raise ValueError(f"the entries have {total} bytes, but the whole file has {size}; it is damaged or a trap")
    return entries


def add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Write an entry. Its date is always the same, so that equal states make equal files."""
    with archive.open(zipfile.ZipInfo(name), "w", force_zip64=len(data) >= zipfile.ZIP64_LIMIT) as entry:
        entry.write(data)
