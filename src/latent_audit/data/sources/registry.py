"""The data sets by name. A new one is a file in this folder and a line here."""

from latent_audit.base.errors import InputError
from latent_audit.data.sources import idx
from latent_audit.data.sources.celeba import CELEBA
from latent_audit.data.sources.dataset import Dataset
from latent_audit.data.sources.digits import DIGITS
from latent_audit.data.sources.folder import FOLDER
from latent_audit.data.sources.sprites import SPRITES

DATASETS: dict[str, Dataset] = {
    "digits": DIGITS,
    "fashion_mnist": idx.dataset("fashion_mnist", "FashionMNIST", terms="MIT", classes=idx.CLOTHES),
    "mnist": idx.dataset("mnist", "MNIST", terms="CC BY-SA 3.0", classes=idx.NUMBERS),
    "kmnist": idx.dataset("kmnist", "KMNIST", terms="CC BY-SA 4.0", classes=idx.HIRAGANA),
    "celeba": CELEBA,
    "sprites": SPRITES,
    "folder": FOLDER,
}


def find(name: str) -> Dataset:
    """The data set called `name`; an InputError lists the names there are."""
    if name not in DATASETS:
        raise InputError(f"dataset: no data set is called {name!r}; there are {', '.join(DATASETS)}.")
    return DATASETS[name]
