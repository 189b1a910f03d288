"""From a TrialSpec to a checkpoint, and from a checkpoint to predictions."""
