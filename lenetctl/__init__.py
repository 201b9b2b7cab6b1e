"""LeNet experiments from YAML specs, tracked in MLflow."""
