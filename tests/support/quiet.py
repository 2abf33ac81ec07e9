"""A reporter for tests: it remembers what was said and shows nothing."""


class Quiet:
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def begin(self, task: str, total: int) -> int:
        return 0

    def advance(self, task: int, detail: str = "", steps: int = 1) -> None:
        pass

    def end(self, task: int) -> None:
        pass
