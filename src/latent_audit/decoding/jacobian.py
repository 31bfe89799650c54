"""The derivatives of a decoder at points of its code space."""

import warnings
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

BATCH = 500  # points at a time, over the number of latent dimensions


@torch.no_grad()
def jacobian_singular_values(
    decode: Callable[[Tensor], Tensor], z: Float[Tensor, "sample latent"], unit: Float[Tensor, " latent"]
) -> Float[np.ndarray, "sample singular"]:
    """Singular values of d decode(z) / d z diag(unit) at each point, in decreasing order.

    By one forward-mode derivative per latent dimension, batched over points, and the eigenvalues of J'J in float64:
    values below 1e-7 of the largest are rounding noise.

    References: Kumar & Poole (2020), arXiv:2002.00041; Baydin et al. (2018) for forward mode.
    """
    values = []
    for points in z.split(max(1, BATCH // z.shape[1])):
        columns = torch.stack([_derivative(decode, points, j, length) for j, length in enumerate(unit)], dim=2).double()
        squares = torch.linalg.eigvalsh(columns.mT @ columns).clamp(min=0).flip(dims=[1])
        values.append(squares.sqrt().cpu().numpy())
    return np.concatenate(values)


def _derivative(decode: Callable[[Tensor], Tensor], points: Tensor, dim: int, length: Tensor) -> Tensor:
    tangent = torch.zeros_like(points)
    tangent[:, dim] = length
    with warnings.catch_warnings():
        # torch's own: forward mode imports its decompositions with torch.jit.script, which torch 2.14 deprecates
        warnings.filterwarnings("ignore", "`torch.jit.script", category=FutureWarning)
        warnings.filterwarnings("ignore", "`torch.jit.script", category=DeprecationWarning)
        return torch.func.jvp(decode, (points,), (tangent,))[1].flatten(start_dim=1)
