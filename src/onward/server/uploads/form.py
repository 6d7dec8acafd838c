"""A form with one file, taken apart while it arrives: the file goes to disk, the rest stays small."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import TYPE_CHECKING, BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from onward.errors import UserError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

__all__ = ["FormReader"]

FILE = "file"
LONGEST_FIELD = 400
MOST_PARTS = 20
LONGEST_HEADER = 4096


@dataclass
class _Part:
    headers: dict[str, str] = field(default_factory=dict)
    name: str = ""
    filename: str | None = None
    value: bytearray = field(default_factory=bytearray)


class FormReader:
    """Reads ``multipart/form-data`` piece by piece.

    Parameters
    ----------
    boundary
        Of the content type.
    open_file
        Called once with the name that the client gave, returns where the file is written to.
    allowed
        Names of the other fields.

    Attributes
    ----------
    fields
        Text by name, once `finish` was called.
    """

    def __init__(
        self, boundary: bytes, open_file: Callable[[str], BinaryIO], allowed: frozenset[str]
    ) -> None:
        self.fields: dict[str, str] = {}
        self._open_file, self._allowed = open_file, allowed
        self._sink: BinaryIO | None = None
        self._ended = False
        self._parts = 0
        self._part = _Part()
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        try:
            self._parser = MultipartParser(boundary, self._callbacks())
        except MultipartParseError as error:
            raise _malformed(str(error)) from error

    @property
    def has_file(self) -> bool:
        """Whether a file came."""
        return self._sink is not None

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the body.

        Raises
        ------
        UserError
            When it is no such form, a field is unknown or too long, or a second file comes.
        """
        try:
            self._parser.write(piece)
        except MultipartParseError as error:
            raise _malformed(str(error)) from error

    def finish(self) -> Mapping[str, str]:
        """Return the other fields.

        Raises
        ------
        UserError
            When the body ended before its last boundary, or held no file.
        """
        if not self._ended:
            raise _malformed("the body ends before its last boundary")
        if not self.has_file:
            raise UserError(
                "the form holds no file",
                got=", ".join(sorted(self.fields)) or "an empty form",
                allowed=f"a part named {FILE!r} with a file name",
                remedy="Send it as: curl -F file=@bars.csv",
            )
        return self.fields

    def _callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._grow(self._header[0], data[start:end]),
            "on_header_value": lambda data, start, end: self._grow(self._header[1], data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._opened,
            "on_part_data": lambda data, start, end: self._data(data[start:end]),
            "on_part_end": self._end,
            "on_end": self._finished,
        }

    def _begin(self) -> None:
        self._part, self._parts = _Part(), self._parts + 1
        if self._parts > MOST_PARTS:
            raise _malformed(f"it has more than {MOST_PARTS} parts")

    @staticmethod
    def _grow(text: bytearray, more: bytes) -> None:
        text += more
        if len(text) > LONGEST_HEADER:
            raise _malformed("a header of a part is too long")

    def _header_end(self) -> None:
        name, value = (bytes(one).decode("utf-8", "replace") for one in self._header)
        self._part.headers[name.lower()] = value
        self._header = (bytearray(), bytearray())

    def _opened(self) -> None:
        message = Message()
        message["content-disposition"] = self._part.headers.get("content-disposition", "")
        self._part.name = str(message.get_param("name", "", "content-disposition"))
        self._part.filename = message.get_filename()
        if self._part.name == FILE and self._part.filename is not None:
            if self.has_file:
                raise UserError(
                    "a form holds one file", got="a second one", remedy="Send one request a file."
                )
            self._sink = self._open_file(self._part.filename)
        elif self._part.name not in self._allowed:
            raise UserError(
                "the form has no such field",
                got=ascii(self._part.name)[:80],
                allowed=", ".join([f"{FILE} (a file)", *sorted(self._allowed)]),
            )

    def _data(self, piece: bytes) -> None:
        if self._is_file:
            assert self._sink is not None
            self._sink.write(piece)
            return
        self._part.value += piece
        if len(self._part.value) > LONGEST_FIELD:
            raise UserError(
                f"the field {self._part.name} is too long", allowed=f"{LONGEST_FIELD} bytes at most"
            )

    def _end(self) -> None:
        if self._is_file:
            return
        try:
            text = self._part.value.decode()
        except UnicodeDecodeError:
            raise UserError(f"the field {self._part.name} is no text", allowed="UTF-8") from None
        if not text.isprintable():
            raise UserError(f"the field {self._part.name} holds what cannot be printed", got=ascii(text)[:80])
        self.fields[self._part.name] = text

    def _finished(self) -> None:
        self._ended = True

    @property
    def _is_file(self) -> bool:
        return self._part.name == FILE and self._part.filename is not None


def _malformed(why: str) -> UserError:
    return UserError(
        "the body is not the form that its content type promises",
        got=why,
        allowed="multipart/form-data with a part named 'file'",
        remedy="Send it as: curl -F file=@bars.csv",
    )
