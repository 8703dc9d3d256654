"""The package's version, alone so that every module may import it."""

VERSION = "0.1.0"
