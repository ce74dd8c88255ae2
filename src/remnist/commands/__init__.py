"""The commands of the Makefile: what each does, called by `remnist.cli`."""
