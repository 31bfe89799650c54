"""Stage `critic`: the network that judges decoded images: a classifier, or without classes random features."""

from pathlib import Path

import torch

from latent_audit.base.errors import reported
from latent_audit.base.hashing import file_sha256
from latent_audit.base.settings import load_sections
from latent_audit.base.tables import write_json
from latent_audit.base.tensors import write_tensors
from latent_audit.compute.devices import resolve
from latent_audit.critic.fit import Schedule, fit_critic, is_poor, majority_accuracy, random_critic
from latent_audit.critic.network import N_FEATURES
from latent_audit.critic.settings import CriticRun
from latent_audit.data.prepared import load_meta, load_split, told_apart
from latent_audit.data.sizes import check_sizes


def main() -> None:
    """Write critic/."""
    params = load_sections(Path("params.yaml"), CriticRun)
    prepared, folder = Path("data/prepared") / params.dataset, Path("critic")
    check_sizes(load_meta(prepared), of_train={"critic.batch_size": params.critic.batch_size})
    classes = told_apart(prepared)
    torch.set_num_threads(1)  # the bytes must not depend on how many cores there are
    torch.set_flush_denormal(True)
    splits = {name: load_split(prepared, name) for name in ("train", "test")}
    device, seed = resolve(params.device), params.diagnostics.seed
    known = {"accuracy": None, "majority_accuracy": None, "poor": False}
    if classes:
        schedule = Schedule(params.critic.epochs, params.critic.batch_size, params.critic.learning_rate)
        critic, accuracy = fit_critic(
            splits, schedule, n_classes=len(classes), seed=seed, device=device,
            on_epoch=lambda epoch, loss: print(f"critic: epoch {epoch}/{schedule.epochs} loss {loss:.4f}", flush=True),
        )  # fmt: skip
        majority = majority_accuracy(splits["test"].labels)
        known = {"accuracy": accuracy, "majority_accuracy": majority, "poor": is_poor(accuracy, majority)}
        print(f"critic: test accuracy {accuracy:.4f} (always the commonest class: {majority:.4f})")
        if known["poor"]:
            print("critic: it is poor, so what it says of decoded images is weak evidence; try more critic.epochs")
    else:
        critic = random_critic(splits["train"], seed=seed, device=device)
        print("critic: no classes to learn, so decoded images are compared in the features of an untrained network")
    weights = folder / "critic.safetensors"
    write_tensors(weights, {name: tensor.cpu().contiguous() for name, tensor in critic.state_dict().items()})
    described = {"sha256": file_sha256(weights), "n_features": N_FEATURES, "classes": classes}
    write_json(folder / "critic.json", known | described)


if __name__ == "__main__":
    with reported():
        main()
