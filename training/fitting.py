"""The way in which both networks learn: the rate rises first and falls to nothing."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

Batch = TypeVar("Batch")
#: The share of the steps in which the rate rises.
WARM = 0.06
#: The most that the gradient of one step may be long.
LONGEST = 1.0
TOLD_EVERY = 50
QUICKER = 10


def fit(
    network: nn.Module,
    batches: Iterable[Batch],
    loss_of: Callable[[Batch], Tensor],
    *,
    steps: int,
    rate: float,
    new: Sequence[nn.Module] = (),
) -> None:
    """Take so many steps, one for each batch; half the digits (bfloat16) do for what is multiplied.

    What is new knows nothing yet, and learns ten times as fast.
    """
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    quicker = [parameter for module in new for parameter in module.parameters()]
    known = [parameter for parameter in parameters if not any(parameter is other for other in quicker)]
    groups = [{"params": known}, {"params": quicker, "lr": QUICKER * rate}]
    optimizer = torch.optim.AdamW(groups, lr=rate, weight_decay=0.01, fused=True)
    warm = max(1, round(WARM * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / warm) * max(0.02, 1 - step / steps)
    )
    network.train()
    for step, batch in zip(range(1, steps + 1), batches, strict=False):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = loss_of(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, LONGEST)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        if step % TOLD_EVERY == 0 or step == steps:
            sys.stdout.write(f"step {step} of {steps}, loss {loss.item():.3f}\n")
            sys.stdout.flush()
