"""Lists of API objects, as a server answers them."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

from k8srt.apimachinery import scheme
from k8srt.apimachinery.meta import ListMeta
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record, RecordList, decode_record_list
from k8srt.apimachinery.resource import ResourceInfo, parse_info

if TYPE_CHECKING:
    from typing import Self

T = TypeVar("T", bound=Object)
_LISTS: dict[type[Object], type[ObjectList[Any]]] = {}


class ObjectList(Sequence[T], Generic[T]):
    """A list as the server answered it: a sequence of objects, with the list's own `metadata`.

    The objects are made when first asked for, and then belong to this list; `records` are what came.
    """

    item: ClassVar[type[Any]]
    __info__: ClassVar[ResourceInfo | None] = None

    def __init_subclass__(cls, gvk: str | None = None, **facts: Any) -> None:
        super().__init_subclass__()
        for base in getattr(cls, "__orig_bases__", ()):
            args = typing.get_args(base)
            if args and isinstance(args[0], type):
                cls.item = args[0]
                _LISTS.setdefault(args[0], cls)
        if gvk is not None:
            cls.__info__ = parse_info(gvk, **facts)
            scheme.default.add(cls.__info__.gvk, cls)

    def __init__(self, items: Sequence[T] = (), *, metadata: ListMeta | None = None) -> None:
        self.metadata = metadata or ListMeta()
        self._items: list[T] | None = list(items)
        self._records: list[Record] = []
        self._class: type[Any] = getattr(type(self), "item", Object)

    @classmethod
    def of(cls, item: type[T], found: RecordList) -> ObjectList[T]:
        """The list class of a kind, over a decoded response."""
        made = object.__new__(_LISTS.get(item, cls))
        made.metadata = found.metadata
        made._items = None
        made._records = found.records
        made._class = item
        return made

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a list response. Raises DecodeError."""
        return cls.of(cls.item, decode_record_list(data))  # type: ignore[return-value]

    @property
    def items(self) -> list[T]:
        if self._items is None:
            self._items = [self._class.from_record(record) for record in self._records]
            self._records = []
        return self._items

    @property
    def records(self) -> list[Record]:
        if self._items is None:
            return self._records
        return [item.to_record() for item in self._items]

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self._records if self._items is None else self._items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self.items[index]

    def to_dict(self) -> dict[str, Any]:
        """The plain JSON form, a `List` of complete objects."""
        info = self.__info__
        return {
            "apiVersion": info.api_version if info else "v1",
            "kind": info.kind if info else "List",
            "metadata": self.metadata.to_dict(),
            "items": [item.to_dict() for item in self.items],
        }

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)}{_version_text(self.metadata)}>"


def _version_text(metadata: ListMeta) -> str:
    return f" rv={metadata.resource_version}" if metadata.resource_version else ""
