"""What a backbone costs, measured apart from learning."""
