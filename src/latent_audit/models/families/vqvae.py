"""Vector-quantised autoencoder: every position of a grid holds the nearest entry of a codebook.

The vectors come from the first head, (batch, width x positions), channel by channel, as the architecture `grid` gives
them. The codebook follows them by its own loss or by moving averages; the encoder is tied to it by a commitment loss,
and the decoder's gradient goes past the choice to the encoder (straight through).

References: van den Oord et al. (2017), arXiv:1711.00937, equation 3 and appendix A.1 (moving averages); Dhariwal et al.
(2020), arXiv:2005.00341, section 3 (restarts).
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from latent_audit.base.errors import InputError
from latent_audit.models.autoencoder import Autoencoder, ModelSpec
from latent_audit.models.elbo import PIXEL_LOSS, recon_nll
from latent_audit.models.family import Batch, Encoded, Family, Objective, Terms

SETTINGS: Mapping[str, Any] = {
    "entries": 128,
    "positions": 64,  # of the grid: 8 x 8
    "update": "ema",  # or "loss"
    "restart": False,  # give an entry that nothing chooses the place of a vector of the batch
    "commitment": 0.25,
    "weight": 10.0,  # of the mean pixel loss: about one over the variance of the pixels of digits
}
REACH = 0.05  # of the first entries: uniform, as in Keras' example
DECAY, SMOOTHING = 0.99, 1e-5  # of the moving averages, appendix A.1
DEAD = 0.1  # of the even share of a batch's vectors: an entry chosen less often, by its moving average, is restarted


class Codebook(nn.Module):
    """entries x width vectors, with how often and by what each was chosen, as moving averages over batches."""

    weight: Tensor
    count: Tensor
    total: Tensor

    def __init__(self, entries: int, width: int, *, trained: bool):
        super().__init__()
        self.trained = trained
        if trained:
            self.weight = nn.Parameter(torch.zeros(entries, width))
        else:
            self.register_buffer("weight", torch.zeros(entries, width))
        self.register_buffer("count", torch.ones(entries))
        self.register_buffer("total", torch.zeros(entries, width))

    @torch.no_grad()
    def nearest(self, vectors: Tensor) -> Tensor:
        """Index (...) of the nearest entry of each vector (..., width); of equally near ones the first."""
        flat = vectors.reshape(-1, vectors.shape[-1])
        square = self.weight.square().sum(dim=1) - 2 * flat @ self.weight.T  # |v|^2 is the same for all entries
        return square.argmin(dim=1).reshape(vectors.shape[:-1])

    @torch.no_grad()
    def follow(self, vectors: Tensor, index: Tensor) -> None:
        """Move the averages, and without a loss of its own each entry, to the mean of the vectors that chose it."""
        flat, chosen = vectors.reshape(-1, vectors.shape[-1]), index.reshape(-1)
        n_entries = len(self.count)
        count = torch.bincount(chosen, minlength=n_entries).to(flat)
        total = torch.zeros_like(self.total).index_add_(0, chosen, flat)
        self.count.mul_(DECAY).add_((1 - DECAY) * count)
        self.total.mul_(DECAY).add_((1 - DECAY) * total)
        if not self.trained:
            whole = self.count.sum()
            smoothed = (self.count + SMOOTHING) / (whole + n_entries * SMOOTHING) * whole
            self.weight.copy_(self.total / smoothed[:, None])

    @torch.no_grad()
    def restart(self, vectors: Tensor, noise: Tensor) -> None:
        """Put vectors of the batch in the place of entries that are chosen too rarely; noise (batch, 1) says which."""
        flat, n_positions = vectors.reshape(-1, vectors.shape[-1]), vectors.shape[1]
        even = len(flat) / len(self.count)
        dead = (self.count < DEAD * even).nonzero()[:, 0][: len(flat)]
        if not len(dead):
            return
        steps = torch.arange(1, n_positions + 1, device=noise.device, dtype=torch.float64)
        order = (noise.double() * steps).remainder(1).reshape(-1).argsort(stable=True)  # one draw orders all positions
        fresh = flat[order[: len(dead)]]
        self.weight[dead] = fresh
        self.count[dead] = even
        self.total[dead] = fresh * even


def settings_of(spec: ModelSpec) -> dict[str, Any]:
    """The family's settings, whole and checked.

    Raises
    ------
    InputError : a value out of range, or a code size that does not divide into the positions.
    """
    chosen = {**SETTINGS, **spec.family_settings}
    for name in ("entries", "positions"):
        if type(chosen[name]) is not int or not 1 <= chosen[name] <= 65_536:
            raise InputError(f"family_settings.{name}: must be a whole number from 1 to 65,536, got {chosen[name]!r}")
    if chosen["update"] not in ("loss", "ema"):
        raise InputError(f"family_settings.update: must be loss or ema, got {chosen['update']!r}")
    if type(chosen["restart"]) is not bool:
        raise InputError(f"family_settings.restart: must be true or false, got {chosen['restart']!r}")
    for name in ("commitment", "weight"):
        if type(chosen[name]) not in (int, float) or not 0 < chosen[name] < 1e6:
            raise InputError(f"family_settings.{name}: must be a number above 0, got {chosen[name]!r}")
    if spec.latent_dim % chosen["positions"]:
        raise InputError(
            f"family 'vqvae': latent_dim {spec.latent_dim} is not a multiple of its {chosen['positions']} positions; "
            "latent_dim is positions x width of an entry."
        )
    return chosen


def modules(spec: ModelSpec) -> Mapping[str, nn.Module]:
    """The codebook."""
    chosen = settings_of(spec)
    width = spec.latent_dim // chosen["positions"]
    return {"codebook": Codebook(chosen["entries"], width, trained=chosen["update"] == "loss")}


def initialise(model: Autoencoder, generator: torch.Generator) -> None:
    """Entries uniform in a small cube; each counts as chosen once by itself."""
    book = codebook_of(model)
    with torch.no_grad():
        book.weight.uniform_(-REACH, REACH, generator=generator)
        book.count.fill_(1.0)
        book.total.copy_(book.weight)


def codebook_of(model: Autoencoder) -> Codebook:
    """The model's codebook."""
    book = model.own["codebook"]
    assert isinstance(book, Codebook)
    return book


def vectors_of(model: Autoencoder, inputs: Tensor) -> Tensor:
    """(batch, position, width): what the encoder gives at each position."""
    flat = model.heads(inputs)["mu"]
    return flat.unflatten(1, (-1, settings_of(model.spec)["positions"])).transpose(1, 2)


def loss(model: Autoencoder, batch: Batch, draws: Mapping[str, Tensor], objective: Objective) -> Terms:
    """weight x mean pixel loss + commitment x |v - sg(e)|^2 (+ |sg(v) - e|^2), means over positions and width.

    In training the codebook's averages move, and with `restart` its dead entries; evaluation leaves them alone.
    """
    chosen, book = settings_of(model.spec), codebook_of(model)
    vectors = vectors_of(model, batch.inputs)
    if model.training and chosen["restart"]:
        book.restart(vectors.detach(), draws["restart"])
    index = book.nearest(vectors.detach())
    entry = book.weight[index]
    logits = model.decode(_laid_out(vectors + (entry - vectors).detach()))
    n_pixels = model.spec.image.n_pixels
    pixel_loss = PIXEL_LOSS[objective.reconstruction](logits, batch.x)
    commitment = (vectors - entry.detach()).square().mean(dim=(1, 2))
    minimised = chosen["weight"] * pixel_loss / n_pixels + chosen["commitment"] * commitment
    if book.trained:
        minimised = minimised + (vectors.detach() - entry).square().mean(dim=(1, 2))
    if model.training:
        book.follow(vectors.detach(), index)
    nll = recon_nll(pixel_loss, objective.reconstruction, n_pixels)
    return {"objective": minimised, "recon_nll": nll, "quantisation": commitment}


def encode(model: Autoencoder, batch: Batch, draws: Mapping[str, Tensor]) -> Encoded:
    """The indices of the nearest entries, (batch, position), which are code and mean alike."""
    index = codebook_of(model).nearest(vectors_of(model, batch.inputs))
    code = index.to(torch.float32)
    return Encoded(code, {"mu": code, "indices": index})


def decode(model: Autoencoder, code: Tensor, labels: Tensor | None) -> Tensor:
    """Pixel logits of indices (batch, position); what lies between or beyond them is brought to the nearest."""
    book = codebook_of(model)
    index = code.round().long().clamp(0, len(book.count) - 1)
    return model.decode(_laid_out(book.weight[index]))


def _laid_out(vectors: Tensor) -> Tensor:
    """(batch, position, width) as the decoder takes them: (batch, width x position), channel by channel."""
    return vectors.transpose(1, 2).flatten(start_dim=1)


FAMILY = Family(
    name="vqvae",
    terms=("objective", "recon_nll", "quantisation"),
    heads=lambda latent_dim: {"mu": latent_dim},
    draws=lambda latent_dim: {"restart": (1,)},
    loss=loss,
    encode=encode,
    decode=decode,
    code="discrete",
    role="other",
    has_kl=False,
    modules=modules,
    initialise=initialise,
    priors=("uniform", "marginal", "autoregressive"),
    left_out=frozenset({"anomaly", "continuity", "denoising", "generation", "likelihood", "traversal"}),  # of a size
    per_image=False,
    settings=SETTINGS,
)
