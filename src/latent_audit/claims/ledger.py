"""The claims of the literature, each as one statistic, one direction and one margin that was fixed before looking."""

from typing import NamedTuple

GDL = "Foster (2023), Generative Deep Learning 2e, ch. 3"


class Term(NamedTuple):
    """One scalar per seed: `metric` of `code` in the arm that plays `role`.

    role : ae; vae; weak / strong: two VAEs by beta_kl; conditional: a VAE that is told the label; discrete: an arm whose
    code is indices of a codebook.

    lower : a second estimate of the same quantity, which errs downwards where `metric` errs upwards; the truth is taken
    to lie between the two. Where it was not measured, `metric` stands alone.
    """

    role: str
    metric: str
    code: str = "z"
    lower: str | None = None


class Claim(NamedTuple):
    """The claim holds where `left` (minus `right`, or the log of their ratio) lies beyond `margin` in `direction`.

    `margin` names a key of diagnostics.margins in params.yaml; `figure` the part of the report that shows the evidence;
    `code` says of which codes the statistic is. across : entries of arm.json, beside the weight on the KL, in which the
    arms that are compared may differ (`corruption` for a claim on denoising); all others must be equal.
    """

    claim_id: str
    claim: str
    source: str
    left: Term
    direction: str
    margin: str
    figure: str
    right: Term | None = None
    scale: str = "difference"  # or "log_ratio"
    code: str = "z"
    across: tuple[str, ...] = ()


def bracketed(role: str, metric: str) -> Term:
    """A part of the KL: of the finite mixture of all posteriors, and below it the estimate that leaves each one out."""
    return Term(role, metric, lower=f"{metric}_loo")


CLAIMS = (
    Claim("ae_off_centre", "Autoencoder codes are not centred on the origin", GDL,
          Term("ae", "centre_offset"), ">", "centre_offset", "fig-codes"),
    Claim("ae_asymmetric", "Autoencoder codes are less symmetric about the origin than VAE codes", GDL,
          Term("ae", "asymmetry"), ">", "asymmetry", "fig-codes", Term("vae", "asymmetry")),
    Claim("ae_unbounded", "Autoencoder codes reach far beyond where the prior puts its mass", GDL,
          Term("ae", "excess_reach"), ">", "excess_reach", "fig-codes"),
    Claim("ae_few_holes", "Few enough holes to sample from N(0, I) through the autoencoder",
          "what drawing from N(0, I) takes; Rezende & Viola (2018), arXiv:1810.00597",
          Term("ae", "hole_fraction"), "<", "hole_limit", "fig-holes"),
    Claim("vae_few_holes", "Few enough holes to sample from N(0, I) through the VAE",
          GDL + "; Rezende & Viola (2018), arXiv:1810.00597",
          Term("vae", "hole_fraction"), "<", "hole_limit", "fig-holes"),
    Claim("ae_few_holes_train", "Few enough holes among the codes that the autoencoder's decoder learned from",
          "what drawing from N(0, I) takes; Rezende & Viola (2018), arXiv:1810.00597",
          Term("ae", "hole_fraction_train"), "<", "hole_limit", "fig-holes"),
    Claim("vae_few_holes_train", "Few enough holes among the codes that the VAE's decoder learned from",
          GDL + "; Rezende & Viola (2018), arXiv:1810.00597",
          Term("vae", "hole_fraction_train"), "<", "hole_limit", "fig-holes"),
    Claim("ae_holes", "Autoencoder codes leave more holes under the prior than VAE codes",
          GDL + "; Rezende & Viola (2018), arXiv:1810.00597",
          Term("ae", "hole_fraction"), ">", "hole_fraction", "fig-holes", Term("vae", "hole_fraction")),
    Claim("ae_holes_whitened", "The autoencoder's holes remain after whitening its codes",
          "fair form of the same claim; Ghosh et al. (2020), arXiv:1903.12436",
          Term("ae", "hole_fraction_whitened"), ">", "hole_fraction", "fig-holes", Term("vae", "hole_fraction_whitened")),
    Claim("ae_marginals", "Each dimension of the autoencoder's codes follows N(0, 1)",
          "what drawing from N(0, I) takes",
          Term("ae", "ks_d_max"), "<", "ks_d", "fig-histograms"),
    Claim("vae_marginals", "Each dimension of the VAE's codes follows N(0, 1)", GDL,
          Term("vae", "ks_d_max"), "<", "ks_d", "fig-histograms"),
    Claim("vae_joint", "The VAE's codes jointly follow N(0, I)",
          "Kingma & Welling (2014), arXiv:1312.6114; questioned by Hoffman & Johnson (2016)",
          bracketed("vae", "marginal_kl"), "<", "marginal_kl", "fig-pvalues"),
    Claim("marginals_suffice", "Normal dimensions imply a normal code: nothing is left between the dimensions",
          "usual tutorials; questioned by Chen et al. (2018), arXiv:1802.04942",
          bracketed("vae", "total_correlation"), "<", "total_correlation", "fig-pvalues"),
    Claim("ae_shape", "Up to centre and scale, each dimension of the autoencoder's codes is normal",
          "what standardising codes assumes",
          Term("ae", "ks_d_max_standardised"), "<", "ks_d", "fig-histograms"),
    Claim("vae_equal_areas", "Under the VAE each class owns about the same area of p-space", GDL,
          Term("vae", "area_tv"), "<", "area_tv", "fig-areas"),
    Claim("vae_fairer_areas", "Classes share p-space more evenly under the VAE than under the autoencoder", GDL,
          Term("ae", "area_tv"), ">", "area_gain", "fig-areas", Term("vae", "area_tv")),
    Claim("labels_group", "Autoencoder codes group by label without supervision", GDL,
          Term("ae", "knn_gain"), ">", "knn_gain", "fig-separability"),
    Claim("vae_labels_group", "VAE codes group by label without supervision", GDL,
          Term("vae", "knn_gain"), ">", "knn_gain", "fig-separability"),
    Claim("vae_costs_reconstruction", "The VAE pays for its prior with reconstruction", GDL,
          Term("vae", "recon_nll"), ">", "recon_nats", "fig-reconstructions", Term("ae", "recon_nll")),
    Claim("beta_costs_reconstruction", "A larger weight on the KL costs reconstruction",
          "Higgins et al. (2017), beta-VAE; Alemi et al. (2018), arXiv:1711.00464",
          Term("strong", "recon_nll"), ">", "recon_nats", "fig-training", Term("weak", "recon_nll")),
    Claim("beta_buys_normality", "A larger weight on the KL buys codes closer to N(0, I)",
          "Higgins et al. (2017), beta-VAE; Hoffman & Johnson (2016)",
          bracketed("weak", "marginal_kl"), ">", "normality_gain", "fig-pvalues", bracketed("strong", "marginal_kl")),
    Claim("ae_prior_fails", "Draws from N(0, I) decode worse through the autoencoder than through the VAE", GDL,
          Term("ae", "fd_clf_prior"), ">", "fd_log_ratio", "fig-generation", Term("vae", "fd_clf_prior"), "log_ratio"),
    Claim("prior_beats_box", "Samples from the VAE's prior are better than samples from the autoencoder's bounding box",
          GDL, Term("ae", "fd_clf_box"), ">", "fd_log_ratio", "fig-generation", Term("vae", "fd_clf_prior"), "log_ratio"),
    Claim("gaussian_closes_gap", "One Gaussian fitted to the autoencoder's codes samples as well as the VAE's prior",
          "Ghosh et al. (2020), arXiv:1903.12436",
          Term("ae", "fd_clf_gaussian"), "<", "fd_log_ratio", "fig-generation", Term("vae", "fd_clf_prior"), "log_ratio"),
    Claim("gmm_closes_gap", "A mixture of ten Gaussians fitted to the autoencoder's codes samples as well as the VAE's prior",
          "Ghosh et al. (2020), arXiv:1903.12436",
          Term("ae", "fd_clf_gmm"), "<", "fd_log_ratio", "fig-generation", Term("vae", "fd_clf_prior"), "log_ratio"),
    Claim("ae_mixture_suffices", "Draws from a mixture fitted to the autoencoder's codes decode as well as its own codes do",
          "Ghosh et al. (2020), arXiv:1903.12436",
          Term("ae", "fd_clf_gmm"), "<", "fd_log_ratio", "fig-generation", Term("ae", "fd_clf_reconstruction"),
          "log_ratio"),
    Claim("vae_mixture_suffices", "Draws from a mixture fitted to the VAE's codes decode as well as its own codes do",
          "Ghosh et al. (2020), arXiv:1903.12436",
          Term("vae", "fd_clf_gmm"), "<", "fd_log_ratio", "fig-generation", Term("vae", "fd_clf_reconstruction"),
          "log_ratio"),
    Claim("vae_interpolates", "Interpolations stay closer to the data under the VAE than under the autoencoder",
          "Berthelot et al. (2019), arXiv:1807.07543, and usual tutorials",
          Term("vae", "midpoint_confidence"), ">", "confidence_gain", "fig-continuity", Term("ae", "midpoint_confidence"),
          code="mu"),
    Claim("vae_continuous", "A small step around a code changes the picture's class less often under the VAE", GDL,
          Term("ae", "jump_rate_codes"), ">", "jump_gain", "fig-continuity", Term("vae", "jump_rate_codes"), code="mu"),
    Claim("label_left_out", "Told the label, the code stops knowing it",
          "Sohn et al. (2015), conditional VAE; Kingma et al. (2014), arXiv:1406.5298, section 2.2",
          Term("conditional", "label_information_nats"), "<", "label_nats", "fig-separability"),
    Claim("beta_disentangles", "A larger weight on the KL gives each factor a dimension of its own",
          "Higgins et al. (2017), beta-VAE; Chen et al. (2018), arXiv:1802.04942; questioned by Locatello et al. (2019), "
          "arXiv:1811.12359",
          Term("strong", "mig_samples"), ">", "disentanglement_gain", "fig-traversals", Term("weak", "mig_samples")),
    Claim("beta_disentangles_dims", "A larger weight on the KL gives each dimension one factor to serve",
          "Higgins et al. (2017), beta-VAE; Eastwood & Williams (2018), DCI",
          Term("strong", "dci_disentanglement"), ">", "disentanglement_gain", "fig-traversals",
          Term("weak", "dci_disentanglement"), code="mu"),
    Claim("first_dims_normal", "The first 50 dimensions of a large VAE code follow N(0, 1)", GDL,
          Term("vae", "ks_d_max_first"), "<", "ks_d", "fig-histograms"),
    Claim("attributes_alone", "Adding an attribute's vector to a VAE's code changes that attribute only",
          "Larsen et al. (2016), arXiv:1512.09300, section 4.2; " + GDL,
          Term("vae", "leakage"), "<", "leakage", "fig-attributes", code="mu"),
    Claim("vae_keeps_both_ends", "Half-way between two faces the VAE keeps more of both than the autoencoder",
          "Berthelot et al. (2019), arXiv:1807.07543, and usual tutorials",
          Term("ae", "middle_straight"), ">", "middle_gain", "fig-attributes", Term("vae", "middle_straight"), code="mu"),
    Claim("codebook_even", "The entries of the codebook are used evenly",
          "what drawing entries evenly takes; van den Oord et al. (2017), arXiv:1711.00937",
          Term("discrete", "uniform_gap_nats"), "<", "codebook_gap", "fig-samples"),
)  # fmt: skip
