"""The book's autoencoder in Keras on the prepared Fashion-MNIST: test mean BCE after 3 epochs, a line per seed.

What `params/book.yaml` is held against, on this machine. Needs the extra `[bench]` and `dvc repro preprocess`.

    python benchmarks/book.py 0 1 2
"""

import os
import sys
from pathlib import Path

import numpy as np

from network import LATENT, SIDE, WIDTHS

PREPARED = Path("data/prepared/fashion_mnist")


def images(split: str) -> np.ndarray:
    """(N, 32, 32, 1) in [0, 1]."""
    return np.load(PREPARED / f"{split}_images.npy").transpose(0, 2, 3, 1).astype("float32") / 255


def main(seeds: list[int]) -> None:
    """Train and evaluate one autoencoder per seed."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    from keras import layers

    train, test = images("train"), images("test")
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        x = inputs = keras.Input((SIDE, SIDE, 1))
        for width in WIDTHS:
            x = layers.Conv2D(width, 3, strides=2, activation="relu", padding="same")(x)
        x = layers.Dense(16 * WIDTHS[-1])(layers.Dense(LATENT)(layers.Flatten()(x)))
        x = layers.Reshape((4, 4, WIDTHS[-1]))(x)
        for width in reversed(WIDTHS):
            x = layers.Conv2DTranspose(width, 3, strides=2, activation="relu", padding="same")(x)
        model = keras.Model(inputs, layers.Conv2D(1, 3, activation="sigmoid", padding="same")(x))
        model.compile(optimizer="adam", loss="binary_crossentropy")
        model.fit(train, train, batch_size=100, epochs=3, shuffle=True, verbose=0)
        print(f"seed {seed}: test mean BCE {model.evaluate(test, test, batch_size=100, verbose=0):.4f}", flush=True)


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]])
