"""What Ray is told through the environment; imported before Ray, which reads it when it is imported."""

from __future__ import annotations

import os

ENVIRONMENT = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_DEDUP_LOGS": "1",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_FUNCTION_THREAD_TIMEOUT_S": "60",
    "TUNE_MAX_PENDING_TRIALS_PG": "4",
}
"""Read by Ray when it is imported; what the user has set stays.

Workers are not started ahead of the first driver, because Ray keeps that driver waiting for them: if one is killed
before it has answered, ``ray.init`` never returns, and holds Python's lock so that not even SIGTERM ends it.

A process that is to take up a new unit waits a minute, not 2 seconds, for the thread of the last one to end: past that
time Tune gives the new unit up without a word to its searcher, which would wait for it without end.
"""
for _name, _value in ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)
