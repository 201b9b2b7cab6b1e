import dataclasses

import torch

from lenetctl.runs import context
from lenetctl.runs.context import RunContext
from lenetctl.runs.options import RunOptions


def test_the_record_says_which_of_several_devices_it_was(digits, tmp_path, monkeypatch):
    spec, options = digits(), RunOptions(tmp_path, device="cpu")
    on_cpu = RunContext.of(spec, options)
    on_cuda = dataclasses.replace(on_cpu, device=torch.device("cuda:1"))
    monkeypatch.setattr(context, "describe_device", lambda _: "a GPU")
    first, second = (one.record(spec, options, "eager") for one in (on_cpu, on_cuda))
    assert (first.device_index, second.device_index) == (None, 1)
    assert first.machine == second.machine  # the same bits on either of two like it
