"""Decoders and encoders of many architectures: what the page's script makes against what PyTorch computes."""

from math import prod

import numpy as np
import pytest

from latent_audit.base.layers import Layer
from page_scripts import NODE, through_page

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from latent_audit.decoding.decoder import CODE_TOLERANCE, PIXEL_TOLERANCE  # noqa: E402
from latent_audit.decoding.stepped import stepped  # noqa: E402
from latent_audit.models.layers import Crop, Pad, exported  # noqa: E402

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


def conv() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(2, 2048), nn.Unflatten(1, (128, 4, 4)),
        nn.ConvTranspose2d(128, 128, 3, stride=2, padding=1, output_padding=1), nn.ReLU(),
        nn.ConvTranspose2d(128, 64, 3, stride=2, padding=1, output_padding=1), nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1), nn.ReLU(),
        nn.Conv2d(32, 1, 3, padding=1),
    )  # fmt: skip


def dense() -> nn.Sequential:
    hidden = nn.Sequential(nn.Linear(16, 256), nn.ReLU(), nn.Linear(256, 512), nn.Tanh())
    return nn.Sequential(hidden, nn.Linear(512, 784), nn.Unflatten(1, (1, 28, 28)))


def batch_norm() -> nn.Sequential:
    up = [
        part
        for n_in, n_out in ((64, 64), (64, 48), (48, 32), (32, 24))
        for part in (
            nn.ConvTranspose2d(n_in, n_out, 3, stride=2, padding=1, output_padding=1, bias=n_out != 32),
            nn.BatchNorm2d(n_out),
            nn.LeakyReLU(0.2),
        )
    ]
    first = (nn.Linear(20, 64 * 4 * 4), nn.BatchNorm1d(64 * 4 * 4), nn.LeakyReLU(), nn.Unflatten(-1, (64, 4, 4)))
    return nn.Sequential(*first, nn.Sequential(*up), nn.Conv2d(24, 3, 3, padding=1))


def odd_sizes() -> nn.Sequential:
    """Kernels, strides and sides that differ, norms that cannot be folded, everything that a chain may hold."""
    return nn.Sequential(
        nn.ELU(0.7), nn.Dropout(), nn.Linear(3, 5 * 3 * 4, bias=False), nn.Unflatten(1, (5, -1, 4)), nn.BatchNorm2d(5),
        nn.ConvTranspose2d(5, 9, (4, 5), stride=(3, 2), padding=(1, 0), output_padding=(2, 1)), nn.ELU(),
        nn.BatchNorm2d(9, affine=False), nn.Identity(), nn.Conv2d(9, 11, (5, 3), padding="same"), nn.Tanh(),
        Pad(16, 15), nn.Sigmoid(), nn.Conv2d(11, 2, (2, 3), stride=(1, 2), padding=(2, 1)), Crop(13, 7),
        nn.ConvTranspose2d(2, 3, (2, 4), stride=(1, 2), padding=1), nn.Conv2d(3, 6, 1, padding="valid"),
        nn.Flatten(), nn.Linear(6 * 12 * 14, 3 * 6 * 7), nn.Unflatten(1, (3, 6, 7)),
    )  # fmt: skip


def awake(model: nn.Sequential) -> nn.Sequential:
    """`model` in evaluation mode, with weights and running statistics that give pictures of full contrast."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for part in model.modules():
            for name, values in (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)):
                if values.ndim > 1:
                    fan = values[0].numel()  # numbers that meet in one output
                    if isinstance(part, nn.ConvTranspose2d):
                        fan = values[:, 0].numel() / prod(part.stride)
                    values.normal_(0, (2 / fan) ** 0.5, generator=generator)
                elif name in {"running_var", "weight"}:
                    values.uniform_(0.5, 1.5, generator=generator)
                elif values.is_floating_point():
                    values.normal_(0, 0.3, generator=generator)
    return model.eval()


@pytest.mark.parametrize(
    ("make", "latent_dim", "shape"),
    [(conv, 2, (1, 32, 32)), (dense, 16, (1, 28, 28)), (batch_norm, 20, (3, 64, 64)), (odd_sizes, 3, (3, 6, 7))],
)
@pytest.mark.parametrize(("exact", "tolerance"), [(True, 1e-5), (False, 2e-3)])
def test_every_architecture_decodes_as_in_pytorch(make, latent_dim, shape, exact, tolerance):
    with torch.random.fork_rng(devices=[]):
        model = awake(make())
    z = np.random.default_rng(0).standard_normal((16, latent_dim)).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(z)).sigmoid().numpy()
    layers = [*exported(model, (latent_dim,)), Layer("activation", {"function": "sigmoid"})]
    assert expected.std() > 0.1  # pictures with contrast, or agreement means nothing
    for_page = layers if exact else stepped(layers, z, tolerance=PIXEL_TOLERANCE)
    assert exact or any("steps" in layer.settings for layer in for_page)
    assert np.abs(through_page(for_page, z, shape, exact=exact) - expected).max() < tolerance


def conv_encoder() -> nn.Sequential:
    """That of the study: three stages, then the head of the code."""
    stages = [
        part for n_in, n_out in ((1, 32), (32, 64), (64, 128)) for part in (nn.Conv2d(n_in, n_out, 3, 2, 1), nn.ReLU())
    ]
    return nn.Sequential(*stages, nn.Flatten(), nn.Linear(2048, 2))


def normed_encoder() -> nn.Sequential:
    """Padding, norms that fold and one that does not, three channels, hidden layers, a bounded code."""
    return nn.Sequential(
        Pad(32, 28), nn.Conv2d(3, 24, 4, 2, 1), nn.BatchNorm2d(24), nn.LeakyReLU(0.2),
        nn.Conv2d(24, 40, 4, 2, 1), nn.ELU(), nn.BatchNorm2d(40),
        nn.Flatten(), nn.Linear(40 * 8 * 7, 64), nn.ReLU(), nn.Linear(64, 5), nn.Tanh(),
    )  # fmt: skip


def dense_encoder() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 20))


@pytest.mark.parametrize(
    ("make", "shape", "latent_dim"),
    [(conv_encoder, (1, 32, 32), 2), (normed_encoder, (3, 30, 28), 5), (dense_encoder, (1, 28, 28), 20)],
)
@pytest.mark.parametrize(("exact", "tolerance"), [(True, 1e-5), (False, 1.5 * CODE_TOLERANCE)])
def test_every_architecture_encodes_as_in_pytorch(make, shape, latent_dim, exact, tolerance):
    """To 0.015 standard deviations of the codes: far less than the dot that stands for one."""
    with torch.random.fork_rng(devices=[]):
        model = awake(make())
    x = rectangles(16, shape)
    with torch.no_grad():
        expected = model(torch.from_numpy(x)).numpy()
    layers, spread = exported(model, shape), float(expected.std(axis=0).mean())
    for_page = layers if exact else stepped(layers, x, tolerance=CODE_TOLERANCE * spread)
    assert exact or any("steps" in layer.settings for layer in for_page)
    assert np.abs(through_page(for_page, x, (latent_dim,), exact=exact) - expected).max() < tolerance * spread


def rectangles(n: int, shape: tuple[int, int, int]) -> np.ndarray:
    """Images of four grey or coloured rectangles each, as unlike one another as drawings are."""
    rng = np.random.default_rng(0)
    images = np.zeros((n, *shape), dtype=np.float32)
    for image in images:
        for _ in range(4):
            (top, bottom), (left, right) = (np.sort(rng.integers(0, side + 1, 2)) for side in shape[1:])
            image[:, top:bottom, left:right] = rng.random((shape[0], 1, 1))
    return images


def test_whole_numbers_choose_rows_of_a_table():
    with torch.random.fork_rng(devices=[]):
        model = nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Linear(6, 4), nn.Unflatten(1, (1, 2, 2))).eval()
    z = np.array([[0, 6], [3, 3], [5, 1]])
    with torch.no_grad():
        expected = model(torch.from_numpy(z)).numpy()
    np.testing.assert_allclose(through_page(exported(model, (2,)), z, (1, 2, 2)), expected, atol=2e-3)


def test_a_picture_does_not_depend_on_the_one_before():
    pad = {"top": 1, "left": 1, "height": 4, "width": 4}  # sigmoid turns its zeros to 0.5: they must be zeros again
    layers = [Layer("reshape", {"shape": [1, 2, 2]}), Layer("pad", pad), Layer("activation", {"function": "sigmoid"})]
    first, second, third = through_page(layers, np.array([[1.0, 2, 3, 4], [0, 0, 0, 0], [1, 2, 3, 4]]), (1, 4, 4))
    np.testing.assert_array_equal(first, third)
    np.testing.assert_array_equal(second, np.full((1, 4, 4), 0.5))
