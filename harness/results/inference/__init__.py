"""How sure scores are: of one row, of the difference of two, of the order of many."""
