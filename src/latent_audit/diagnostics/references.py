"""Where each number comes from, and what chance it is held against: for the documentation, beside the registry.

What has no entry has no null; its source is the module that computes it.
"""

from latent_audit.base.measures import Metric, share

DRAWS = "simulated draws of N(0, I), as many"
EXACT = "N(0, I), its exact law"
ANY_NORMAL = "simulated draws of N(0, I): of any normal law"

NULLS = {
    **dict.fromkeys(
        (
            "mmd2_rbf", "mmd2_rbf_half_median", "mmd2_rbf_median", "mmd2_rbf_double_median", "energy_d2", "sliced_w2",
            "max_sliced_w2", "radius_ks", "hole_fraction", "hole_mass", "hole_fraction_train", "hole_mass_train",
            "square_correlation_max", "triple_moment_max",
        ),
        DRAWS,
    ),
    **dict.fromkeys(
        ("mardia_b1p", "mardia_b2p", "henze_zirkler", "gaussian_tc", "hole_fraction_whitened"), ANY_NORMAL
    ),
    **dict.fromkeys(
        ("mean_max", "mean_length", "log_sd_max", "mean_square", "correlation_max"), EXACT
    ),
    "correlation_rms": "N(0, I), its exact mean and variance",
    **dict.fromkeys(
        ("effective_rank", "intrinsic_dim_twonn", "intrinsic_dim_mle"), "the range of 19 sets of draws of N(0, I)"
    ),
    **dict.fromkeys(
        ("mig_means", "mig_samples", "sap", "sap_r2", "dci_disentanglement", "dci_completeness", "dci_informativeness",
         "factor_vae", "beta_vae", "modularity", "explicitness"), "factors dealt out anew (column `chance`)"
    ),
    "symmetry_energy": "random sign flips of the codes",
    "c2st_auc": "codes and draws exchanged, Mann–Whitney",
    "area_tv": "labels dealt out anew",
    "ad_a2_max": "N(0, 1), the smallest p of all dimensions",
    "k2_max": "simulated normal samples, the smallest p of all dimensions",
    "ks_d": EXACT.replace("(0, I)", "(0, 1)"),
    "cvm_w2": "N(0, 1), limit with its 1/n term",
    "ad_a2": "N(0, 1), corrected for n",
    "shapiro_w": "some normal law, Royston’s approximation",
    "k2": "some normal law, simulated",
    "jb": "some normal law, simulated",
}  # fmt: skip

_MMD = "Gretton et al. (2012)"
_CHEN = "Chen et al. (2018), eq. 2"
SOURCES = {
    "mardia_b1p": "Mardia (1974)",
    "mardia_b2p": "Mardia (1974)",
    "henze_zirkler": "Henze & Zirkler (1990)",
    **dict.fromkeys(("mmd2_rbf", "mmd2_rbf_half_median", "mmd2_rbf_median", "mmd2_rbf_double_median"), _MMD),
    "energy_d2": "Székely & Rizzo (2013)",
    "symmetry_energy": "Székely & Rizzo (2013)",
    "sliced_w2": "Bonneel et al. (2015)",
    "max_sliced_w2": "Bonneel et al. (2015)",
    "radius_ks": "Kolmogorov (1933)",
    "gaussian_tc": "Locatello et al. (2019)",
    "hole_fraction": "Rezende & Viola (2018); Naeem et al. (2020)",
    "hole_fraction_whitened": "Rezende & Viola (2018); Naeem et al. (2020)",
    "correlation_rms": "Schott (2005)",
    "square_correlation_max": "Neyman (1937)",
    "triple_moment_max": "Neyman (1937)",
    "c2st_auc": "Lopez-Paz & Oquab (2017)",
    "overlap": "Lopez-Paz & Oquab (2017)",
    **dict.fromkeys(("area_entropy", "area_max_min", "area_tv", "area_density_accuracy"), "Friedman (1989)"),
    **dict.fromkeys(("kl", "index_code_mi", "total_correlation", "dimwise_kl", "marginal_kl"), _CHEN),
    **dict.fromkeys(
        ("index_code_mi_loo", "total_correlation_loo", "dimwise_kl_loo", "marginal_kl_loo"),
        "Poole et al. (2019)",
    ),
    "kl_closed_form": "Kingma & Welling (2014), app. B",
    "kl_nats": "Kingma & Welling (2014), app. B",
    "active_units": "Burda et al. (2016)",
    "activity": "Burda et al. (2016)",
    "is_active": "Burda et al. (2016)",
    "collapsed_units": "Lucas et al. (2019)",
    "collapsed_share": "Lucas et al. (2019)",
    "is_collapsed": "Lucas et al. (2019)",
    "effective_rank": "Roy & Vetterli (2007)",
    "intrinsic_dim_twonn": "Facco et al. (2017)",
    "intrinsic_dim_mle": "Levina & Bickel (2004)",
    **dict.fromkeys(("hole_fraction_train", "hole_mass_train"), "Rezende & Viola (2018)"),
    **dict.fromkeys(("mig_means", "mig_samples"), "Chen et al. (2018), app. C"),
    **dict.fromkeys(("sap", "sap_r2"), "Kumar et al. (2018)"),
    **dict.fromkeys(("dci_disentanglement", "dci_completeness", "dci_informativeness"), "Eastwood & Williams (2018)"),
    "factor_vae": "Kim & Mnih (2018)",
    "beta_vae": "Higgins et al. (2017)",
    **dict.fromkeys(("modularity", "explicitness"), "Ridgeway & Mozer (2018)"),
    **dict.fromkeys(("length", "effect_size", "cosine_max"), "Larsen et al. (2016)"),
    **dict.fromkeys(("auc", "probe_auc"), "Mann & Whitney (1947)"),
    **dict.fromkeys(("perplexity", "used_share", "dead_codes"), "van den Oord et al. (2017)"),
    "bits_per_sample": "Shannon (1948)",
    "linear_probe_accuracy": "Alain & Bengio (2016)",
    "silhouette": "Rousseeuw (1987)",
    "silhouette_whitened": "Rousseeuw (1987)",
    "kmeans_ari": "Hubert & Arabie (1985)",
    "ks_d": "Kolmogorov (1933); Simard & L’Ecuyer (2011)",
    "ks_d_max": "Kolmogorov (1933)",
    "ks_d_max_standardised": "Kolmogorov (1933)",
    "ks_d_max_whitened": "Kolmogorov (1933)",
    "cvm_w2": "Cramér (1928); Csörgő & Faraway (1996)",
    "ad_a2": "Anderson & Darling (1954)",
    "ad_a2_max": "Anderson & Darling (1954)",
    **dict.fromkeys(("w1", "w2", "w1_max", "w1_max_standardised", "w1_max_whitened"), "Villani (2009)"),
    "shapiro_w": "Shapiro & Wilk (1965)",
    "k2": "D’Agostino & Pearson (1973)",
    "k2_max": "D’Agostino & Pearson (1973)",
    "jb": "Jarque & Bera (1980)",
}

# The columns of per_dim.csv; each test beside them has its p, and the p after Holm (1979) and Benjamini & Hochberg
# (1995) over all tests of all dimensions.
COLUMNS = (
    Metric("distinct", "different values", low=1.0),
    Metric("effective_distinct", "different values there would be if all were as frequent", low=1.0),
    Metric("mean", "mean", "code units"),
    Metric("std", "standard deviation (1/n)", "code units", 0.0),
    Metric("skew", "skewness (biased)"),
    Metric("excess_kurtosis", "excess kurtosis (biased), 0 of a normal law", low=-2.0),
    share("ks_d", "Kolmogorov–Smirnov distance to N(0, 1): the largest gap of the two distribution functions", unit=""),
    Metric("cvm_w2", "Cramér–von Mises statistic of N(0, 1)", low=0.0),
    Metric("ad_a2", "Anderson–Darling statistic of N(0, 1), which weighs the tails", low=0.0),
    Metric("w1", "Wasserstein-1 distance to N(0, 1): how far a code must be moved, on average", "code units", 0.0),
    Metric("w2", "Wasserstein-2 distance to N(0, 1)", "code units", 0.0),
    share("shapiro_w", "Shapiro–Wilk statistic, 1 of a normal law", unit=""),
    Metric("k2", "D’Agostino’s K², of skewness and kurtosis", low=0.0),
    Metric("jb", "Jarque–Bera statistic, of skewness and kurtosis", low=0.0),
    Metric("kl_nats", "KL of the posterior to N(0, 1), mean over the inputs", "nats", 0.0),
    Metric("activity", "variance of mu over the inputs", "squared code units", 0.0),
    share("is_active", "whether the activity is above 0.01", unit=""),
    share("collapsed_share", "inputs whose KL is below 0.01 nats"),
    share("is_collapsed", "whether those are 99% at least", unit=""),
)
