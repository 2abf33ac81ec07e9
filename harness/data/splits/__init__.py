"""Which utterances train, tune and test: folds, the dev split and leakage checks."""
