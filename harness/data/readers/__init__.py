"""One module for each corpus or kind of list: `read(root, spec) -> Corpus`."""
