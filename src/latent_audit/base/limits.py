"""Limits that more than one room keeps to."""

LARGEST_LATENT_DIM = 2048  # every joint statistic is at least quadratic in it
NATS_BELOW_LN_N = (
    2.0  # of information, which is at most ln N: any closer, N codes cannot tell q(z) from their own mixture
)
