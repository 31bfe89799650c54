"""The command `latent-audit kl-weight`: a loss as written in, its meaning out."""

import json
from collections.abc import Callable

from latent_audit.loss_weights.meaning import meaning_of
from latent_audit.loss_weights.words import as_json, in_words
from latent_audit.loss_weights.written import WrittenLoss


def kl_weight(written: WrittenLoss, *, json_wanted: bool = False, say: Callable[[str], None] = print) -> None:
    """Say what a loss means as a weight on the KL: lines for a person, or one JSON object."""
    meaning = meaning_of(written)
    if json_wanted:
        say(json.dumps(as_json(written, meaning), indent=2))
        return
    for line in in_words(written, meaning):
        say(line)
