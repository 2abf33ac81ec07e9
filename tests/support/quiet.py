"""A reporter for tests: it remembers what was said and shows nothing."""


class Quiet:
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def begin(self, task: str, total: int) -> None:
        pass

    def advance(self, detail: str = "") -> None:
        pass

    def end(self) -> None:
        pass
