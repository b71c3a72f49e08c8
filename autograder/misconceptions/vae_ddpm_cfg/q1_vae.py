"""What students get wrong in q1_vae.py."""

from autograder.variants import wrong


@wrong("Q1.3", "log_mean_exp")
def overflows(y):
    """exp() overflows."""
    return y.exp().mean(1).log()
