"""Given: the networks of the three models, for 32 x 32 RGB images with values in [-1, 1]."""
