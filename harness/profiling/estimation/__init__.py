"""What a suite will take in time and disk, before it runs."""
