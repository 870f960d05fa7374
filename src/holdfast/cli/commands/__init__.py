"""Each of `holdfast`'s commands, in the file of its name: `arguments` for the parser, `run`."""
