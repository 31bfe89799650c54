"""Limits that more than one room keeps to."""

LARGEST_LATENT_DIM = 2048  # every joint statistic is at least quadratic in it
