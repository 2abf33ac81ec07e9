"""Records of outcomes on disk, and the facts that follow from them."""
