"""What supervised processes of tests do."""

import os
import time
from multiprocessing.connection import Connection


def echo(connection: Connection) -> None:
    connection.send(connection.recv())


def end_by(connection: Connection, number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(60)


def leave(connection: Connection) -> None:
    os._exit(0)


def sleep(connection: Connection) -> None:
    time.sleep(600)
