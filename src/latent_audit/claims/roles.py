"""Which arms may play a claim's roles, and which of them may be compared."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from latent_audit.claims.ledger import Claim

Arms = Mapping[str, Mapping[str, Any]]  # arm -> its arm.json
ROLES = {"autoencoder": "ae", "vae": "vae"}  # arm.json's word -> the ledger's; an `other` arm plays in no claim
CONDITIONAL, DISCRETE = ("cvae",), "discrete"  # families that are told the label; arm.json's word for a codebook's
OF_THE_ROLE = ("arm", "role", "code", "family", "beta", "beta_kl")  # what arms may differ in and still be compared


def playing(arms: Arms) -> dict[str, list[str]]:
    """Role -> the arms that have it, in their order."""
    return {role: [arm for arm, own in arms.items() if ROLES.get(own["role"]) == role] for role in ROLES.values()}


def _players(arms: Arms) -> dict[str, list[str]]:
    """Every role of one arm -> the arms that have it; `conditional` arms are VAEs as well, `discrete` ones are not."""
    conditional = [arm for arm, own in arms.items() if own.get("family") in CONDITIONAL]
    discrete = [arm for arm, own in arms.items() if own.get("code") == DISCRETE]
    return playing(arms) | {"conditional": conditional, "discrete": discrete}


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """The entries of two arm.json beyond the weight on the KL in which they differ, by name and in order.

    Two arms of one role must be of one family; an autoencoder and a VAE cannot be.
    """
    compared = (first.keys() | second.keys()) - set(OF_THE_ROLE)
    if first["role"] == second["role"]:
        compared |= {"family", "code"} & first.keys()
    return sorted(key for key in compared if first.get(key) != second.get(key))


def left_out(arms: Arms) -> dict[tuple[str, ...], list[tuple[str, str]]]:
    """What keeps pairs of arms from being compared -> those pairs; only of arms that play a role."""
    found: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for pair in itertools.combinations(itertools.chain.from_iterable(playing(arms).values()), 2):
        if reasons := differences(*(arms[arm] for arm in pair)):
            found.setdefault(tuple(reasons), []).append(pair)
    return found


def casts(claim: Claim, arms: Arms) -> Iterator[dict[str, str]]:
    """Every way to give the claim's roles to arms, as role -> arm.

    Arms that are compared differ in nothing but the weight on the KL, and in what `claim.across` names. weak, strong :
    two such VAEs that are neighbours in beta_kl.
    """
    by_role = _players(arms)
    roles = list(dict.fromkeys(term.role for term in (claim.left, claim.right) if term is not None))
    if "weak" in roles:
        yield from _neighbours(by_role["vae"], claim, arms)
        return
    for names in itertools.product(*(by_role[role] for role in roles)):
        if _comparable(names, claim, arms):
            yield dict(zip(roles, names, strict=True))


def _neighbours(vaes: Iterable[str], claim: Claim, arms: Arms) -> Iterator[dict[str, str]]:
    """Pairs of VAEs of different weight between which no third, comparable with both, lies."""
    ordered = sorted((arm for arm in vaes if arms[arm]["beta_kl"] is not None), key=lambda arm: arms[arm]["beta_kl"])
    for index, weak in enumerate(ordered):
        stronger = [
            arm
            for arm in ordered[index + 1 :]
            if arms[arm]["beta_kl"] > arms[weak]["beta_kl"] and _comparable((weak, arm), claim, arms)
        ]
        for strong in stronger:
            if arms[strong]["beta_kl"] == arms[stronger[0]]["beta_kl"]:
                yield {"weak": weak, "strong": strong}


def _comparable(names: Iterable[str], claim: Claim, arms: Arms) -> bool:
    return all(
        set(differences(arms[first], arms[second])) <= set(claim.across)
        for first, second in itertools.combinations(names, 2)
    )
