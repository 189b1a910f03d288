"""The search: configurations asked of Optuna, raced over folds, stopped early, scored and written down."""
