"""The study's own words, each defined once: marked where they are used, and listed at the end of the page."""

import re
from collections.abc import Mapping

from markupsafe import Markup, escape

from latent_audit.base.measures import Metric

TERMS = {
    "arm": "one kind of model that the study trains, such as the AE, with all its seeds",
    "prior": "N(0, I), the standard normal law from which codes are to be drawn",
    "hole": "a place under the prior that is further from every test code than 99% of true draws of the prior are from "
    "one another",
    "critic": "a small classifier, trained on the real images, that judges decoded ones",
    "margin": "how large an effect must be to matter; fixed before the results were seen",
    "mixture": "ten Gaussians fitted to the codes of the training images",
    "nats": "the natural unit of information: 1 nat is 1.44 bits",
    "interval": "95% interval of the mean over seeds, by Student’s t",
}
OF_METRICS = {  # words of the page -> a metric whose registered words define them
    "FD-clf": "fd_clf_prior",
    "KS distance": "ks_d_max",
    "total correlation": "total_correlation",
    "coverage": "coverage_prior",
}


def definitions(metrics: Mapping[str, Metric], *, classes: bool = True) -> dict[str, str]:
    """Term -> definition; those of metrics as the registry has them. classes : whether there is a critic at all."""
    found = {term: words for term, words in TERMS.items() if classes or term != "critic"}
    for term, name in OF_METRICS.items():
        if name in metrics:
            metric = metrics[name]
            found[term] = metric.sentence or metric.phrase
    return found


def marked(text: str | Markup, defined: Mapping[str, str]) -> Markup:
    """The text escaped, the first use of each term as a `dfn` that shows its definition under a pointer or in focus."""
    plain, seen = str(escape(text)), set[str]()
    terms = {term.lower(): term for term in defined}
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, terms))})(s?)\b(?![^<]*>)", re.IGNORECASE)

    def mark(match: re.Match) -> str:
        term = terms[match[1].lower()]
        if term in seen:
            return match[0]
        seen.add(term)
        return f'<dfn class="term" tabindex="0" data-tip="{escape(defined[term])}">{match[0]}</dfn>'

    return Markup(pattern.sub(mark, plain))
