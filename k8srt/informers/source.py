"""A resource client as what a reflector reads from."""

from __future__ import annotations

import threading
from typing import Any

from k8srt.apimachinery.record import RecordList
from k8srt.tools.cache.listwatch import ListOptions, Tweak, WatchStream, tweaked, watch_list_unsupported


class ClientSource:
    """A `ListerWatcher` over anything like a `ResourceClient`: with `list_records` and `watch_records`.

    `tweak` changes the options of every list and watch last of all. Contract: INF-58.
    """

    def __init__(self, client: Any, tweak: Tweak | None = None) -> None:
        self._client = client
        self._tweak = tweak

    def list(self, options: ListOptions, stop: threading.Event) -> RecordList:
        found: RecordList = self._client.list_records(**tweaked(options, self._tweak).as_dict(), stop=stop)
        return found

    def watch(self, options: ListOptions, stop: threading.Event) -> WatchStream:
        options.watch = True
        asked = tweaked(options, self._tweak).as_dict()
        asked.pop("watch", None)
        stream: WatchStream = self._client.watch_records(**asked, stop=stop)
        return stream

    def is_watch_list_semantics_unsupported(self) -> bool:
        return watch_list_unsupported(self._client)

    def __repr__(self) -> str:
        return f"<ClientSource of {self._client!r}>"
