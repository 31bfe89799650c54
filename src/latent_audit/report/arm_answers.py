"""What the audits of each arm's replicates answer, and how much of its code it uses: sentences and a table."""

import pandas as pd
from markupsafe import Markup

from latent_audit.claims.judgements import arm_judgement
from latent_audit.claims.spectrum import spectrum_over_seeds, units_of_arm
from latent_audit.report.study import Study
from latent_audit.report.tables import data_table, number

MOST_RANKS = 30  # dimensions in the table, those of largest KL
PLANE = 2  # dimensions up to which the figures show each one


def arm_answers(study: Study) -> list[tuple[str, str]]:
    """Name and sentences of each arm: what may be sampled, by its audits, and how many dimensions are active."""
    found = []
    for arm, name in study.names.items():
        verdicts, spectrum = _of(study, "verdict", arm), _of(study, "spectrum", arm)
        parts = [arm_judgement(verdicts).sentence] if len(verdicts) else []
        parts += [_capital(units_of_arm(spectrum).sentence)] if len(spectrum) else []
        found += [(name, " ".join(parts))] if parts else []
    return found


def spectrum_table(study: Study) -> Markup | None:
    """Mean KL of the dimension of each rank, and in how many seeds it is active; None up to two dimensions."""
    columns = {}
    for arm, name in study.names.items():
        spectrum = _of(study, "spectrum", arm)
        if len(spectrum) and study.arms[arm]["latent_dim"] > PLANE:
            ranks = spectrum_over_seeds(spectrum).set_index("rank")
            columns[name] = [
                f"{number(row['kl_nats'])} ({int(row['active_seeds'])} of {int(row['n_seeds'])})"
                for row in ranks.head(MOST_RANKS).to_dict("records")
            ]
    if not columns:
        return None
    table = pd.DataFrame({name: pd.Series(cells) for name, cells in columns.items()}).fillna("")
    table.insert(0, "rank", [str(rank) for rank in range(1, len(table) + 1)])
    caption = (
        f"KL of the posterior by dimension, nats, the largest first (at most {MOST_RANKS}), mean over seeds; in "
        "brackets the seeds in which the dimension of that rank is active (its means vary by more than 0.01)"
    )
    return data_table(table, caption=caption)


def _of(study: Study, name: str, arm: str) -> pd.DataFrame:
    table = study.tables.get(name)
    return pd.DataFrame() if table is None else table[table["arm"] == arm]


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
