"""What this machine can measure, and whether the backbones on it are whole."""
