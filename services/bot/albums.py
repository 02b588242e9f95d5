"""An album comes as many messages and is answered once."""

from collections import OrderedDict

REMEMBERED = 512


class RecentAlbums:
    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[int, str], None] = OrderedDict()

    def is_first(self, chat_id: int, media_group_id: str | None) -> bool:
        """True for a message outside albums and for the first one of an album."""
        if media_group_id is None:
            return True
        key = (chat_id, media_group_id)
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True
