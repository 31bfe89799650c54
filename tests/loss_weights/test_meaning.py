"""latent_audit.loss_weights: known weights, what cancels, what a person is told, and what is refused."""

import math

import pytest

from latent_audit.base.errors import InputError
from latent_audit.loss_weights.meaning import meaning_of
from latent_audit.loss_weights.words import in_words, number
from latent_audit.loss_weights.written import LOSSES, WrittenLoss, read_shape
from latent_audit.models.settings import pixels_per_unit_beta

MNIST, FACES = (28, 28, 1), (64, 64, 3)
N = 784


def beta_kl(**written) -> float:
    return meaning_of(WrittenLoss(**{"shape": MNIST} | written)).beta_kl


# As a loss stands in somebody's code: beta_kl by hand, n pixel values, weight w, d latent dimensions.
KNOWN = [
    ({"loss": "bce"}, 1),
    ({"loss": "bce", "recon_reduction": "mean", "kl_weight": 0.3}, N * 0.3),
    ({"loss": "mse", "recon_reduction": "mean", "kl_weight": 0.3}, N * 0.3 / 2),
    ({"loss": "mse", "kl_weight": 0.3}, 0.3 / 2),
    ({"loss": "half-mse", "kl_weight": 0.3}, 0.3),
    ({"loss": "l1", "kl_weight": 0.3}, 0.3),
    ({"loss": "bce", "kl_reduction": "mean", "latent_dim": 20}, 1 / 20),
    ({"loss": "mse", "recon_reduction": "mean", "kl_reduction": "mean", "latent_dim": 20}, N / 2 / 20),
    ({"loss": "bce", "recon_reduction": "mean", "recon_weight": 500, "shape": (32, 32, 1)}, 2.048),  # the book
    ({"loss": "mse", "recon_reduction": "mean", "recon_weight": 2000, "shape": (32, 32, 3)}, 0.768),
    ({"loss": "mse", "recon_reduction": "mean", "recon_weight": 2000, "shape": FACES}, 3.072),
    ({"loss": "mse", "pixel_range": 2}, 1 / 8),
    ({"loss": "half-mse", "pixel_range": 2}, 1 / 4),
    ({"loss": "l1", "pixel_range": 2}, 1 / 2),
    ({"loss": "bce", "kl_batch": "sum", "batch_size": 128}, 128),
    ({"loss": "bce", "recon_batch": "sum", "batch_size": 128}, 1 / 128),
]


@pytest.mark.parametrize(("written", "expected"), KNOWN)
def test_a_loss_weighs_what_it_does_by_hand(written, expected):
    assert beta_kl(**written) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_weight_is_that_of_the_loss_written_out_on_numbers(loss):
    """A second opinion: the two coefficients, read off losses that are computed image by image."""
    images, d, batch = [[0.1, 0.9, 0.4], [0.8, 0.2, 0.5]], 4, 2
    reconstructed = [[0.3, 0.6, 0.5], [0.6, 0.1, 0.9]]
    errors = [[a - b for a, b in zip(x, y, strict=True)] for x, y in zip(images, reconstructed, strict=True)]
    range_ = 1 if loss == "bce" else 2

    def bce(x: float, y: float) -> float:
        return -x * math.log(y) - (1 - x) * math.log(1 - y)

    if loss == "bce":
        nll = sum(bce(x, y) for a, b in zip(images, reconstructed, strict=True) for x, y in zip(a, b, strict=True))
        summed = nll
    elif loss == "l1":  # a Laplace of scale 1, without its constant
        nll = sum(abs(e) for row in errors for e in row)
        summed = sum(abs(range_ * e) for row in errors for e in row)
    else:  # a Gaussian of variance 1, without its constant
        nll = sum(e**2 / 2 for row in errors for e in row)
        summed = sum((range_ * e) ** 2 * (0.5 if loss == "half-mse" else 1) for row in errors for e in row)
    kl = 1.7  # of both images and all dimensions together
    as_written = 3 * summed / 3 / batch, 0.2 * kl / d  # 3 x mean over 3 pixels, mean over the batch; 0.2 x mean KL, sum
    plain = nll, kl
    expected = (as_written[1] / plain[1]) / (as_written[0] / plain[0])
    found = beta_kl(
        loss=loss, shape=(3,), recon_reduction="mean", recon_weight=3, kl_weight=0.2, kl_reduction="mean",
        latent_dim=d, kl_batch="sum", batch_size=batch, pixel_range=range_,
    )  # fmt: skip
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("written", "expected"), KNOWN)
def test_what_cancels_changes_nothing(written, expected):
    weights = {name: 7 * written.get(name, 1) for name in ("recon_weight", "kl_weight")}
    assert beta_kl(**written | weights) == pytest.approx(expected, rel=1e-12)
    if "batch_size" not in written:
        both = {"recon_batch": "sum", "kl_batch": "sum"}
        assert beta_kl(**written | both) == expected == pytest.approx(beta_kl(**written, batch_size=64), rel=1e-12)


@pytest.mark.parametrize(("written", "expected"), KNOWN)
def test_the_weight_to_write_gives_the_plain_elbo(written, expected):
    loss = WrittenLoss(**{"shape": MNIST} | written)
    weight = meaning_of(loss).kl_weight_for_elbo
    cured = meaning_of(WrittenLoss(**{"shape": MNIST} | written | {"kl_weight": weight}))
    assert cured.beta_kl == pytest.approx(1, rel=1e-12)
    assert (cured.direction, cured.factor, cured.mistakes) == ("plain", 1, ())
    as_printed = meaning_of(WrittenLoss(**{"shape": MNIST} | written | {"kl_weight": float(f"{weight:.6g}")}))
    assert as_printed.direction == "plain"


def test_the_other_numbers_that_say_the_same():
    faces = meaning_of(WrittenLoss(loss="mse", shape=FACES, recon_reduction="mean", recon_weight=2000, latent_dim=200))
    assert faces.beta == pytest.approx(2000)
    assert faces.beta * faces.beta_kl == pytest.approx(pixels_per_unit_beta(12288, "mse"))
    assert faces.beta_normalised == pytest.approx(3.072 * 200 / 12288)
    assert faces.sigma == pytest.approx(math.sqrt(3.072))
    assert faces.scale is None
    half = meaning_of(WrittenLoss(loss="half-mse", shape=FACES, kl_weight=0.01))
    assert half.sigma == pytest.approx(0.1)
    assert half.beta == pytest.approx(12288 / 2 / 0.01)
    laplace = meaning_of(WrittenLoss(loss="l1", shape=FACES, kl_weight=0.5))
    assert (laplace.sigma, laplace.scale, laplace.beta) == (None, 0.5, 12288 / 0.5)
    bernoulli = meaning_of(WrittenLoss(loss="bce", shape=(32, 32, 1), recon_reduction="mean", recon_weight=500))
    assert bernoulli.beta == pytest.approx(500)
    assert (bernoulli.sigma, bernoulli.scale, bernoulli.beta_normalised) == (None, None, None)


MISTAKES = [
    ({"loss": "bce"}, "plain", ()),
    ({"loss": "bce", "recon_reduction": "mean"}, "heavier", ("mean-over-pixels",)),
    ({"loss": "bce", "recon_reduction": "mean", "kl_weight": 0.00128}, "heavier", ()),  # nearly 1/784
    ({"loss": "mse", "recon_reduction": "mean", "kl_weight": 1 / 784}, "lighter", ("squared-error-without-half",)),
    ({"loss": "mse", "recon_reduction": "mean"}, "heavier", ("mean-over-pixels", "squared-error-without-half")),
    ({"loss": "mse", "pixel_range": 2}, "lighter", ("squared-error-without-half", "pixels-from-minus-one")),
    ({"loss": "bce", "kl_reduction": "mean", "latent_dim": 20}, "lighter", ("mean-over-latent",)),
    ({"loss": "bce", "kl_batch": "sum", "batch_size": 64}, "heavier", ("kl-summed-over-batch",)),
    ({"loss": "bce", "recon_batch": "sum", "batch_size": 64}, "lighter", ("kl-averaged-over-batch",)),
    ({"loss": "bce", "kl_weight": 4}, "heavier", ()),  # a beta that was chosen
    ({"loss": "bce", "recon_batch": "sum", "batch_size": 784, "recon_reduction": "mean"}, "plain", ()),
]


@pytest.mark.parametrize(("written", "direction", "mistakes"), MISTAKES)
def test_a_mistake_is_what_the_weights_do_not_make_up_for(written, direction, mistakes):
    meaning = meaning_of(WrittenLoss(shape=MNIST, **written))
    assert (meaning.direction, meaning.mistakes) == (direction, mistakes)
    assert math.prod(meaning.factors.values()) == pytest.approx(meaning.beta_kl)
    assert meaning.factor >= 1


def test_a_fraction_is_shown_as_one_and_nothing_else_is():
    assert number(1 / 784) == "0.00127551 (1/784)"
    assert number(0.00128) == "0.00128"
    assert number(0.5) == "0.5"
    assert number(3.072) == "3.072"


def test_the_lines_name_the_change_and_the_decoder():
    mean = WrittenLoss(loss="mse", shape=MNIST, recon_reduction="mean")
    lines = dict(line.split(maxsplit=1) for line in in_words(mean, meaning_of(mean)))
    assert "(--kl-weight 0.00255102)" in lines["line"]
    assert lines["decoder"].startswith(f"sigma {math.sqrt(392):.6g} ")
    assert "392 times heavier" in lines["direction"]
    plain = WrittenLoss(loss="bce", shape=MNIST)
    lines = dict(line.split(maxsplit=1) for line in in_words(plain, meaning_of(plain)))
    assert lines["direction"] == "plain ELBO"
    assert lines["line"] == "to change   none"
    assert "not defined" in lines["decoder"]


@pytest.mark.parametrize("image", ["28", "28x", "x28", "28x28x", "28x28x1x1", "28 x 28", "-28x28", "2.5x4", "", "٢x٢"])
def test_what_is_no_size_of_an_image_is_refused(image):
    with pytest.raises(InputError, match="must be HxW or HxWxC"):
        read_shape(image, None)


def test_a_size_is_read():
    assert read_shape("28x30", None) == (28, 30, 1)
    assert read_shape("64X64X3", None) == (64, 64, 3)
    assert read_shape(None, 784) == (784,)
    assert read_shape(None, None) == ()
