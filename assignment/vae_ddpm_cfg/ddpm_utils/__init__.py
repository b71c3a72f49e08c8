"""Given code of question 2 (DDPM): the U-Net, the configuration, the training loop."""
