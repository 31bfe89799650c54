"""latent_audit.models.architectures.dense: the layers by hand, and what it refuses."""

import pytest
import torch
from torch import nn

from latent_audit.base.errors import InputError
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape

IMAGE = ImageShape(1, 28, 28)


def make(family: str = "vae", image: ImageShape = IMAGE, **settings):
    return build(ModelSpec(family, "dense", image, 20, settings), seed=0)


def pictures(n: int, image: tuple[int, int, int]) -> torch.Tensor:
    return torch.rand(n, *image, generator=torch.Generator().manual_seed(0))


def sizes(module: nn.Module) -> list[tuple[int, int]]:
    return [(m.in_features, m.out_features) for m in module.modules() if isinstance(m, nn.Linear)]


def test_the_network_of_every_tutorial_by_hand():
    model = make()
    assert sizes(model.encoder.top) == [(784, 512), (512, 256)]
    assert sizes(model.encoder.heads) == [(256, 20), (256, 20)]
    assert sizes(model.decoder) == [(20, 256), (256, 512), (512, 784)]
    assert sizes(make(widths=(256, 128)).decoder) == [(20, 128), (128, 256), (256, 784)]
    assert sizes(make(widths=()).decoder) == [(20, 784)]  # a linear autoencoder is PCA


def test_it_is_the_written_out_network():
    model, x = make("ae", widths=(9, 7), activation="tanh").double(), pictures(3, IMAGE).double()
    first, second, head = (model.encoder.top[0], model.encoder.top[2], model.encoder.heads["mu"])
    expected = torch.tanh(second(torch.tanh(first(x.reshape(3, 784)))))
    code = model.encode(x)[0]
    torch.testing.assert_close(code, expected @ head.weight.T + head.bias)
    one, _, two, _, last, _ = model.decoder
    torch.testing.assert_close(model.decode(code), last(torch.tanh(two(torch.tanh(one(code))))).reshape(3, *IMAGE))


@pytest.mark.parametrize("image", [(3, 64, 64), (1, 7, 5)])
def test_any_image_will_do(image):
    model = make("vae", ImageShape(*image), norm="batch")
    assert model.decode(model.encode(pictures(4, image))[0]).shape == (4, *image)


def test_a_code_may_have_an_activation():
    code = make("vae", code_activation="sigmoid").heads(pictures(4, IMAGE))
    assert code["mu"].min() > 0
    assert code["mu"].max() < 1
    assert code["logvar"].min() < 0  # the other heads have none


@pytest.mark.parametrize("setting", ["kernel", "hidden", "decoder_hidden"])
def test_a_setting_of_another_architecture_is_refused_by_name(setting):
    with pytest.raises(
        InputError, match=rf"model\.{setting}: the architecture 'dense' has no such setting; it has widths"
    ):
        make(**{setting: 3})
