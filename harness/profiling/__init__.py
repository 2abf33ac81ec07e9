"""What a backbone costs in time, memory, energy and work, measured apart from learning."""
