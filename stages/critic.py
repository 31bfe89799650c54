"""Stage `critic`: train the classifier that judges decoded images; write its weights, accuracy and hash."""

from pathlib import Path

import torch

from latent_audit.artifacts.hashing import file_sha256
from latent_audit.artifacts.tables import write_json
from latent_audit.artifacts.tensors import write_tensors
from latent_audit.data.prepared import load_meta, load_split
from latent_audit.data.sizes import check_sizes
from latent_audit.devices import resolve
from latent_audit.errors import reported
from latent_audit.models.critic import N_FEATURES
from latent_audit.params import load_params
from latent_audit.training.critic import Schedule, fit_critic


def main() -> None:
    """Write critic/."""
    params = load_params(Path("params.yaml"))
    prepared, folder = Path("data/prepared") / params.dataset, Path("critic")
    meta = load_meta(prepared)
    check_sizes(params, meta)
    torch.set_num_threads(1)  # the bytes must not depend on how many cores there are
    torch.set_flush_denormal(True)
    critic, accuracy = fit_critic(
        {name: load_split(prepared, name) for name in ("train", "test")},
        Schedule(params.critic.epochs, params.critic.batch_size, params.critic.learning_rate),
        n_classes=len(meta.classes),
        seed=params.diagnostics.seed,
        device=resolve(params.device),
        on_epoch=lambda epoch, loss: print(f"critic: epoch {epoch}/{params.critic.epochs} loss {loss:.4f}", flush=True),
    )
    print(f"critic: test accuracy {accuracy:.4f}")
    weights = folder / "critic.safetensors"
    write_tensors(weights, {name: tensor.cpu().contiguous() for name, tensor in critic.state_dict().items()})
    write_json(
        folder / "critic.json",
        {"accuracy": accuracy, "sha256": file_sha256(weights), "n_features": N_FEATURES, "classes": meta.classes},
    )


if __name__ == "__main__":
    with reported():
        main()
