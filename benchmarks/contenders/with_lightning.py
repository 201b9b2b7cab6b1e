"""Lightning's Trainer on the textbook's net and loader."""

import logging
from collections.abc import Callable

import lightning
import textbook
import torch
from torch import nn


class Module(lightning.LightningModule):
    """The textbook's net as Lightning wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.net = textbook.net()

    def training_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        """Return the loss of a batch."""
        return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the baseline's optimizer."""
        return torch.optim.SGD(self.parameters(), lr=0.9)


def run(begin: Callable[[], None], workers: str) -> None:
    """Train for ever, calling `begin` before every epoch."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Begin(lightning.Callback):
        def on_train_epoch_start(self, *_: object) -> None:
            begin()

    trainer = lightning.Trainer(
        accelerator="cpu" if textbook.DEVICE == "cpu" else "gpu",
        max_epochs=-1,
        callbacks=[Begin()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Module(), textbook.loader(train=True, workers=int(workers)))
