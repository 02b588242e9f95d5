from sqlalchemy.ext.asyncio import AsyncConnection


class UpkeepRows:
    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
