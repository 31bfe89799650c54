"""Read YAML that others wrote: small, shallow, without doubled keys; anything else is an error in words, at once."""

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from latent_audit.base.errors import InputError

MOST_BYTES, MOST_VALUES, DEEPEST = 200_000, 20_000, 20
# what ruamel.yaml lets through from values that contradict their tag, such as `!!timestamp x` or `!!int x`
DAMAGED = (YAMLError, ValueError, TypeError, AttributeError, LookupError, AssertionError, OverflowError, RecursionError)


def read_yaml(content: bytes | str, source: str) -> Any:
    """The content of a YAML 1.2 document, as DVC reads it.

    Parameters
    ----------
    content : UTF-8 bytes, or text. source : the file or option, for the message.

    Raises
    ------
    InputError : not UTF-8 or not YAML, a key twice, too long, too deep, or aliases that stand for too many values.
    """
    if len(content) > MOST_BYTES:
        raise InputError(f"{source} has {len(content):,} bytes; at most {MOST_BYTES:,} are read as parameters")
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        _refuse_too_many(text, source)
        return YAML(typ="safe", pure=True).load(text)
    except UnicodeDecodeError as error:
        raise InputError(f"{source} cannot be read as a UTF-8 text file ({error}); save it as UTF-8") from None
    except InputError:
        raise
    except DAMAGED as error:
        raise InputError(f"{source} is not valid YAML: {error}; mend it and run again") from None


def _refuse_too_many(text: str, source: str) -> None:
    """Count the values as if every alias were written out, without building any of them."""
    named: dict[str, int] = {}  # anchor -> the values below it
    counts, anchors = [0], [None]
    for event in YAML(typ="safe", pure=True).parse(text):
        size = 0
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            counts.append(1)
            anchors.append(event.anchor)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            size, anchor = counts.pop(), anchors.pop()
            named |= {anchor: size} if anchor else {}
        elif isinstance(event, ScalarEvent):
            size = 1
            named |= {event.anchor: 1} if event.anchor else {}
        elif isinstance(event, AliasEvent):
            if event.anchor in anchors:
                raise InputError(f"{source}: *{event.anchor} stands within itself; write the values out")
            size = named.get(event.anchor, 1)
        counts[-1] += size
        if len(counts) > DEEPEST:
            raise InputError(f"{source}: nested more than {DEEPEST} deep; parameters are at most a few levels deep")
        if sum(counts) > MOST_VALUES:
            raise InputError(
                f"{source}: more than {MOST_VALUES:,} values, with its aliases written out; parameters are a few dozen"
            )
