"""Files that run what is in them when they are opened: never opened here, and how to convert them once."""

import re
from pathlib import Path

OF_TORCH = (".pt", ".pth", ".ckpt", ".bin")
OF_PYTHON = (".pkl", ".pickle")


def conversion(path: Path) -> str | None:
    """What such a file is, and the one line that makes a .npy of it; None of another file."""
    suffix = path.suffix.lower()
    name = path.name if re.fullmatch(r"[\w.-]+", path.name) else f"codes{suffix}"  # it stands in a line for a shell
    target = Path(name).with_suffix(".npy").name
    if suffix in OF_TORCH:
        load = f"torch.load({name!r}, map_location='cpu', weights_only=True)"
        code = f"import numpy, torch; numpy.save({target!r}, {load}.float().numpy())"
        inside = "of a dictionary choose one, as in torch.load(...)['z']"
    elif suffix in OF_PYTHON:
        code = (
            f"import numpy, pickle; numpy.save({target!r}, numpy.asarray(pickle.load(open({name!r}, 'rb')), "
            "dtype='float32'))"
        )
        inside = "only if you trust whoever made it"
    else:
        return None
    return (
        f"a pickle, which runs what is in it when it is opened, and is never opened here. Convert it once ({inside}): "
        f'python -c "{code}"'
    )
