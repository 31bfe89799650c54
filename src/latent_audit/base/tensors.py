"""Write tensors by name as safetensors: loading such a file executes nothing."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from latent_audit.base.atomic import atomic_path


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write `tensors` to `path`, atomically; InputError where the disk does not take them."""
    with atomic_path(path) as temporary:
        try:
            save_file(tensors, temporary, metadata=metadata)
        except SafetensorError as error:  # its writer wraps the system's error in a text of its own
            raise OSError(str(error)) from None
