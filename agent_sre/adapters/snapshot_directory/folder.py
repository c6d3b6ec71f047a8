"""Safe reading of a snapshot's files, whether they lie in a directory or in a ``.tar.gz``.

An archive is unpacked into a temporary folder first, because gzip has no way to reach a member without reading what
comes before it. Archives come from strangers: only plain files with plain relative names are accepted, and their
number and sizes are bounded while they are written, not after. Every refusal is a PermanentError of one line that names
the file.
"""

import gzip
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar, cast

from agent_sre.domain.errors import PermanentError

T = TypeVar("T")
MAX_MEMBERS = 50_000
MAX_UNPACKED = 4 * 1024**3
MAX_DOCUMENT = 256 * 1024**2
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of one snapshot. ``name`` is what the operator called it, for messages.

    ``scratch`` is the temporary folder an archive was unpacked into; None where the operator's own files are read.
    """

    root: Path
    name: str
    scratch: Path | None = None
    max_document: int = MAX_DOCUMENT

    def find(self, name: str) -> Path | None:
        """The path of ``name`` or of ``name.gz``; None where there is neither."""
        for candidate in (self.root / name, self.root / f"{name}.gz"):
            if candidate.is_file():
                return self._inside(candidate)
        return None

    def read(self, name: str) -> bytes | None:
        """The whole content of a document, unpacked; None where it is missing."""
        path = self.find(name)
        if path is None:
            return None
        with self._opened(path) as file:
            content = file.read(self.max_document + 1)
        if len(content) > self.max_document:
            raise PermanentError(f"{self.name}/{path.name}: more than {self.max_document} bytes unpacked; not read")
        return content

    def stream(self, name: str, take: Callable[[IO[bytes]], T]) -> T | None:
        """What ``take`` makes of the plain bytes of a file that may be too large to hold; None where it is missing."""
        path = self.find(name)
        if path is None:
            return None
        with self._opened(path) as file:
            return take(file)

    @contextmanager
    def _opened(self, path: Path) -> Iterator[IO[bytes]]:
        try:
            with open_plain(path) as file:
                yield file
        except (OSError, EOFError, zlib.error) as error:
            raise PermanentError(f"{self.name}/{path.name}: cannot be read: {error}") from None

    def below(self, name: str) -> Iterator[tuple[PurePosixPath, Path]]:
        """All files below a sub-folder, sorted, with their path relative to it."""
        top = self.root / name
        for path in sorted(top.rglob("*")):
            if path.is_file():
                yield PurePosixPath(path.relative_to(top).as_posix()), self._inside(path)

    def _inside(self, path: Path) -> Path:
        resolved = path.resolve()
        if not resolved.is_relative_to(self.root.resolve()):
            raise PermanentError(f"{self.name}/{path.relative_to(self.root)}: is a link that leads out of the snapshot")
        return resolved


def open_plain(path: Path) -> IO[bytes]:
    """Open a file for reading its plain content, whether it is gzipped or not."""
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path))  # it reads whole and by lines; typeshed gives it no common base
    return path.open("rb")


def open_folder(path: Path, *, max_members: int = MAX_MEMBERS, max_unpacked: int = MAX_UNPACKED) -> Folder:
    """The snapshot's files; those of an archive in a temporary folder (``scratch``) that the caller removes.

    Raises PermanentError where there is no snapshot at the path or the archive is not safe to unpack.
    """
    if path.is_dir():
        return Folder(path, str(path))
    if not path.is_file():
        raise PermanentError(f"{path}: no such snapshot; give a directory or a .tar.gz with a snapshot.yaml in it")
    with ExitStack() as undo:
        target = Path(tempfile.mkdtemp(prefix="agent-sre-snapshot-"))
        undo.callback(shutil.rmtree, target, ignore_errors=True)
        _unpack(path, target, max_members, max_unpacked)
        undo.pop_all()
    return Folder(_top(target), str(path), target)


def _top(target: Path) -> Path:
    """The folder with snapshot.yaml: archives often wrap everything in one directory."""
    if not any((target / f"snapshot.yaml{suffix}").is_file() for suffix in ("", ".gz")):
        inner = list(target.iterdir())
        if len(inner) == 1 and inner[0].is_dir():
            return inner[0]
    return target


def _unpack(path: Path, target: Path, max_members: int, max_unpacked: int) -> None:
    left = max_unpacked
    try:
        with tarfile.open(path, "r|*") as archive:
            for count, member in enumerate(archive, 1):
                if count > max_members:
                    raise PermanentError(f"{path}: more than {max_members} members; not unpacked")
                if member.isdir():
                    continue
                destination = target / _safe(path, member)
                source = archive.extractfile(member)
                if source is None:
                    raise PermanentError(f"{path}: member {member.name!r} has no content")
                left -= member.size
                if left < 0:
                    raise PermanentError(f"{path}: more than {max_unpacked} bytes unpacked; not unpacked")
                destination.parent.mkdir(parents=True, exist_ok=True)
                with destination.open("wb") as file:
                    shutil.copyfileobj(source, file, _CHUNK)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise PermanentError(f"{path}: not a readable .tar.gz: {error}") from None


def _safe(path: Path, member: tarfile.TarInfo) -> PurePosixPath:
    """The member's name, if it is a plain file below the archive's top; PermanentError otherwise."""
    name = PurePosixPath(member.name)
    if not member.isfile():
        raise PermanentError(f"{path}: member {member.name!r} is a link or device; a snapshot holds plain files only")
    if name.is_absolute() or ".." in name.parts or "\\" in member.name or "\0" in member.name or not name.parts:
        raise PermanentError(f"{path}: member {member.name!r} leads out of the snapshot; not unpacked")
    return name
