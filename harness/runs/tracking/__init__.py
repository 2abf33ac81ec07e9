"""Outcomes in the places where people look at runs: W&B, TensorBoard, MLflow."""
