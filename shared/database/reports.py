from sqlalchemy.ext.asyncio import AsyncConnection


class ReportRows:
    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
