"""Getting backbones and corpora onto this machine ahead of time."""
