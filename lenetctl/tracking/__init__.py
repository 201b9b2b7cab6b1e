"""MLflow, published from the run folders. Nothing else imports mlflow."""
