from sqlalchemy.ext.asyncio import AsyncConnection


class OperatorRows:
    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
