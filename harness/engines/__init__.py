"""Which trials run, in which order, on which device."""
