"""Given code of question 3 (classifier-free guidance): the U-Net and the configuration."""
