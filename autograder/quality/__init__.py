"""How good the hidden tests are: both kinds of error, measured."""
