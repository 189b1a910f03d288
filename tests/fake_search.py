"""Studies that search without training: scores come from a function of values, fold and epoch."""

import random

from harness.schedule.brain import Brain
from harness.schedule.search.asking import Asker, open_journal
from harness.seeds import derive
from harness.spec.load import bundled_studies, load_study
from harness.spec.trial import DataRef

DATA = DataRef(name="synthetic", fingerprint="abc")
FOLDS = (1, 2, 3, 4, 5)
DOMAINS = {
    "objective.eta": {"uniform": (0.05, 0.6)},
    "objective.tau": {"log_uniform": (0.05, 0.5)},
    "optimizer.sam.rho": {"log_uniform": (0.005, 0.1)},
}


def study_of(search, methods=("hdf",), folds=FOLDS, domains=None, points=(), epochs=9):
    """The quickstart's HDF under a search of one's own, by each of the given names."""
    base = load_study(bundled_studies()["quickstart"]).model_dump(mode="json")
    method = base["methods"]["hdf"] | {"search": domains or DOMAINS, "points": list(points), "epochs": None}
    data = base | {
        "folds": list(folds),
        "search": {"epochs": epochs} | search,
        "methods": dict.fromkeys(methods, method),
    }
    return type(load_study(bundled_studies()["quickstart"])).model_validate(data)


def noise(*parts):
    """A number in [-0.5, 0.5) that depends on its arguments alone."""
    return derive(*parts) / 2**63 - 0.5


def landscape(unit):
    """A smooth optimum, folds of different difficulty, a little noise; better with every epoch."""
    values = unit.values
    distance = abs(values.get("objective.eta", 0.2) - 0.35) + abs(values.get("objective.tau", 0.1) - 0.2)
    epoch = unit.stop_after or unit.trial.training.epochs
    fold = 0.1 * noise("fold", unit.trial.fold)
    return 0.8 - distance + fold + 0.02 * noise(unit.trial.trial_id) - 0.3 / epoch


class Storage:
    """What a fake executor has trained: by trial, the epoch it was trained to, and whether it failed."""

    def __init__(self, broken=()):
        self.epochs, self.broken, self.trained = {}, broken, []

    def is_finished(self, unit):
        return self.epochs.get(unit.trial.trial_id, 0) >= self.target(unit)

    def train(self, unit):
        self.trained.append((unit.key, self.epochs.get(unit.trial.trial_id, 0), self.target(unit)))
        self.epochs[unit.trial.trial_id] = max(self.target(unit), self.epochs.get(unit.trial.trial_id, 0))

    def score(self, unit):
        diverged = (unit.method, unit.configuration, unit.trial.fold) in self.broken
        assert self.is_finished(unit), "a unit was judged before it had ended"
        return None if diverged else landscape(unit)

    def target(self, unit):
        return unit.stop_after or unit.trial.training.epochs


def brain_on(study, storage, journal, **others):
    """The state machine with real samplers on a fake storage."""
    opened = open_journal(journal)
    searched = [name for name, method in study.methods.items() if method.search]
    return Brain(
        study=study,
        dataset=DATA,
        askers={name: Asker(study, DATA, name, opened) for name in searched},
        is_finished=storage.is_finished,
        score=storage.score,
        **others,
    )


def run(study, journal, slots=1, seed=None, kill=0.0, storage=None, **others):
    """Train until nothing is left, in the order given or, with a seed, ending in any order and killed at times."""
    storage = storage or Storage()
    chance = random.Random(seed)
    brain = brain_on(study, storage, journal, **others)
    running = []
    while not brain.done:
        if chance.random() < kill:
            running = []
            brain = brain_on(study, storage, journal, **others)
        while len(running) < slots and (unit := brain.next()):
            running.append(unit)
        if not running:
            continue
        ended = running.pop(chance.randrange(len(running)) if seed is not None else 0)
        storage.train(ended)
        brain.finished(ended)
    return brain, storage


def history(brain):
    """Everything that must not depend on how a search was run."""
    return {
        name: (
            search.chosen,
            [
                {**vars(one), "planned": None, "units": {fold: unit.key for fold, unit in one.units.items()}}
                for one in search.configurations.values()
            ],
        )
        for name, search in brain.searches.items()
    }


__all__ = ["DATA", "FOLDS", "Storage", "brain_on", "history", "landscape", "noise", "run", "study_of"]
