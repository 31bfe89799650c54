"""A function of tensors of fixed shape, recorded once as a CUDA graph: one launch in place of hundreds."""

import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

WARM_UP = 3  # calls before the recording, so that libraries have chosen their kernels and workspaces


def recorded(function: Callable[..., Any], *example: Tensor) -> Callable[..., Any]:
    """`function` as a graph that is replayed, for arguments shaped like `example`; `function` itself off CUDA.

    Tensors that the function reads besides its arguments are read where they lie, so they may only change in place. The
    results lie in the graph's own memory and are overwritten by the next call.
    """
    if example[0].device.type != "cuda":
        return function
    inputs = [tensor.clone() for tensor in example]
    try:
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(WARM_UP):
                function(*inputs)
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            results = function(*inputs)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:  # slower, and the same numbers
        print(f"no CUDA graph ({str(error).splitlines()[0]}); kernels are launched one by one", file=sys.stderr)
        return function

    def replay(*arguments: Tensor) -> Any:
        for own, given in zip(inputs, arguments, strict=True):
            own.copy_(given)
        graph.replay()
        return results

    return replay
