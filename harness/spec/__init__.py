"""What a study file may say: frozen pydantic models that reject unknown keys."""
