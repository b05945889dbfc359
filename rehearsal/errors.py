"""The rehearsal's error that a person is meant to read. Its own class: the rehearsal imports nothing of the project."""


class UserError(Exception):
    """A mistake or a missing piece that the person at the keyboard can put right.

    Printed as one clear line (and the fix on the next), never as a traceback.

    message: what is wrong, naming the value and the reason.
    fix: what to do about it; empty where the message says it all.
    code: the exit code of the command.
    """

    def __init__(self, message: str, fix: str = "", code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.code = code

    def __str__(self) -> str:
        return f"{self.message}\n  {self.fix}" if self.fix else self.message
