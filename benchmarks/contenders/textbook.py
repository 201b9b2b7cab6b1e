"""The textbook's loop in PyTorch: torchvision, a DataLoader, and nothing else.

As a script it is a whole run: `python benchmarks/contenders/textbook.py EPOCHS`.
"""

import os
import sys
from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms

WORKERS = 2
DEVICE = os.environ.get("BENCHMARK_DEVICE", "cpu")


def net() -> nn.Sequential:
    """Return the chapter's net as its prose describes it."""
    layers = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2, 2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2, 2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
    return layers.to(DEVICE)


def loader(*, train: bool, workers: int) -> DataLoader:
    """Return batches of 256 from torchvision's data set."""
    root = os.environ["LENETCTL_DATA"]
    dataset = datasets.FashionMNIST(root, train=train, transform=transforms.ToTensor())
    if train and "BENCHMARK_IMAGES" in os.environ:
        dataset = Subset(dataset, range(int(os.environ["BENCHMARK_IMAGES"])))
    return DataLoader(dataset, 256, shuffle=train, num_workers=workers)


def on_device(batches: DataLoader) -> Iterator[list[torch.Tensor]]:
    """Yield the batches where the net is."""
    return ([part.to(DEVICE) for part in batch] for batch in batches)


def epoch(layers: nn.Module, batches: DataLoader, optimizer: torch.optim.Optimizer) -> None:
    """Train on every batch once, with the running sums that the book prints."""
    loss_sum = right = 0.0
    for images, labels in on_device(batches):
        optimizer.zero_grad()
        logits = layers(images)
        loss = nn.functional.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(labels)
        right += (logits.argmax(1) == labels).sum().item()


def run(begin: Callable[[], None], workers: str) -> None:
    """Train for ever, calling `begin` before every epoch."""
    layers, batches = net(), loader(train=True, workers=int(workers))
    optimizer = torch.optim.SGD(layers.parameters(), lr=0.9)
    while True:
        begin()
        epoch(layers, batches, optimizer)


def whole(epochs: int) -> None:
    """Train and test `epochs` times."""
    layers, batches = net(), loader(train=True, workers=WORKERS)
    optimizer = torch.optim.SGD(layers.parameters(), lr=0.9)
    for number in range(epochs):
        epoch(layers, batches, optimizer)
        right = 0
        with torch.no_grad():
            for images, labels in on_device(loader(train=False, workers=WORKERS)):
                right += int((layers(images).argmax(1) == labels).sum())
        print(f"epoch {number + 1}: test acc {right / 10_000:.3f}")


if __name__ == "__main__":
    whole(int(sys.argv[1]))
