"""latent-audit: when may you sample from a latent space?"""
