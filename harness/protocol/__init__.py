"""Which utterances train, tune and test: labels, folds and leakage checks."""
