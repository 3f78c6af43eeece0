"""What an error itself says, without the statements and values that databases quote in it.

A table of failures holds texts of errors: a row of it that is refused would else decide by its content.
"""

_DATA = ("[SQL: ", "Failing row contains (", "\nLINE ")  # a statement, a row or a piece of one follows
_OF_VALUES = "rror binding parameter"  # here the values are what is wrong
_QUOTED = (  # what stands before and after a value, by database
    ("Duplicate entry '", "' for key"),
    (")=(", ") already exists"),
    (")=(", ") is not present"),
    (")=(", ") is still referenced"),
    ("near '", "' at line"),
)
_WORDS = 3  # a value of so many words may say anything; shorter ones are keys, which explanations show


def words_of(message: str, type_: str = "") -> str:
    """The message up to a quoted statement, long values left out; linear in its length.

    An assertion's message is whole: what it compares is what it says.
    """
    if type_ == "AssertionError":
        return message
    for sign in _DATA:
        at = message.find(sign)
        if at > 0 and message.find(_OF_VALUES, 0, at) < 0:
            message = message[:at].rstrip()
    for before, after in _QUOTED:
        if before in message:
            message = _without(message, before, after)
    return message


def _without(message: str, before: str, after: str) -> str:
    """The first value between the two, up to the last place where it could end, is left out if it is long."""
    start = message.find(before) + len(before)
    end = message.rfind(after, start)
    if end < 0 or message.count(" ", start, end) < _WORDS - 1:
        return message
    return f"{message[:start]}...{message[end:]}"
