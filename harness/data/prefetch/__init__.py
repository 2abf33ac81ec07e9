"""Getting corpora and backbones onto this machine ahead of time."""
