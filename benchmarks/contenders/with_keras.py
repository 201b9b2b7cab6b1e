"""Keras 3 on the backend that is the contender's variant; data in memory."""

import os
from collections.abc import Callable

from arrays import train_arrays


def run(begin: Callable[[], None], backend: str) -> None:
    """Train for ever, calling `begin` before every epoch."""
    os.environ["KERAS_BACKEND"] = backend  # read when keras is imported
    import keras  # noqa: PLC0415
    from keras import layers  # noqa: PLC0415

    class Begin(keras.callbacks.Callback):
        def on_epoch_begin(self, *_: object) -> None:
            begin()

    net = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="sigmoid"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="sigmoid"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="sigmoid"),
            layers.Dense(84, activation="sigmoid"),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.SGD(0.9), loss, metrics=["accuracy"])
    images, labels = train_arrays()
    net.fit(images, labels, batch_size=256, epochs=10**6, verbose=0, callbacks=[Begin()])
