"""Which trainings a study asks for, in which order, and what happens when they end or fail."""

import pytest

from harness.plan import confirm_units, counts, search_units
from harness.schedule.brain import Brain, key
from harness.spec.load import bundled_studies, load_study
from harness.spec.trial import DataRef, TrialSpec

DATA = DataRef(name="synthetic", fingerprint="abc")
STUDY = load_study(bundled_studies()["quickstart"])


class Counting:
    """A search that asks the numbers 0, 1, 2 ... as values of eta, and remembers what it was told."""

    def __init__(self):
        self.told = {}

    def ask(self, number):
        return {"objective.eta": 0.1 + 0.1 * number, "objective.tau": 0.1, "optimizer.sam.rho": 0.05}

    def tell(self, number, told):
        self.told[number] = told.values[0] if told.values else None


def brain(study=STUDY, finished=(), scores=None):
    asker = Counting()
    scored = scores or {}
    return (
        Brain(
            study=study,
            dataset=DATA,
            askers={"hdf": asker},
            is_finished=lambda unit: key(unit) in finished,
            score=lambda unit: scored.get((unit.configuration, unit.trial.fold), 0.5),
        ),
        asker,
    )


def drain(brain, fail=()):
    """Run every unit in the order handed out; units whose label is in ``fail`` have no result."""
    order = []
    while unit := brain.next():
        order.append(unit)
        brain.finished(unit, "broke" if unit.label in fail else "")
    return order


def test_a_trial_is_named_by_what_changes_its_result_and_by_nothing_else():
    unit = confirm_units(STUDY, DATA, "x3d", 0, {})[0]
    assert TrialSpec.model_validate_json(unit.trial.model_dump_json()).trial_id == unit.trial.trial_id
    renamed = STUDY.model_copy(update={"name": "other", "question": "another?"})
    assert confirm_units(renamed, DATA, "x3d", 0, {})[0].trial.trial_id == unit.trial.trial_id
    moved = STUDY.model_copy(update={"dataset": STUDY.dataset.model_copy(update={"root": "elsewhere"})})
    assert confirm_units(moved, DATA, "x3d", 0, {})[0].trial.trial_id == unit.trial.trial_id


@pytest.mark.parametrize(
    "change",
    [
        {"training": STUDY.training.model_copy(update={"epochs": 99})},
        {"clip": STUDY.clip.model_copy(update={"frames": 5})},
        {"validation": STUDY.validation.model_copy(update={"fraction": 0.3})},
        {"methods": {**STUDY.methods, "x3d": STUDY.methods["resnet18_lstm"]}},
        {"seeds": (5,)},
        {"folds": (3,)},
    ],
)
def test_whatever_changes_a_result_changes_the_trial_id(change):
    before = {unit.trial.trial_id for unit in confirm_units(STUDY, DATA, "x3d", 0, {})}
    after = {unit.trial.trial_id for unit in confirm_units(STUDY.model_copy(update=change), DATA, "x3d", 0, {})}
    assert not before & after


def test_other_data_makes_other_trials():
    other = DataRef(name="synthetic", fingerprint="abd")
    assert confirm_units(STUDY, DATA, "x3d", 0, {})[0].trial.trial_id != (
        confirm_units(STUDY, other, "x3d", 0, {})[0].trial.trial_id
    )


def test_the_plan_counts_what_the_brain_hands_out():
    machine, _ = brain()
    order = drain(machine)
    for method, count in counts(STUDY).items():
        mine = [unit for unit in order if unit.method == method]
        assert len([unit for unit in mine if unit.phase == "search"]) == count.search
        assert len([unit for unit in mine if unit.phase == "confirm"]) == count.confirm
        assert sum(unit.trial.training.epochs for unit in mine) == count.epochs


def test_no_unit_is_handed_out_twice():
    machine, _ = brain()
    names = [key(unit) for unit in drain(machine)]
    assert len(names) == len(set(names))
    assert machine.done


def test_the_best_configuration_is_confirmed_on_seeds_that_the_search_never_used():
    machine, asker = brain(scores={(1, 1): 0.9, (1, 2): 0.7})
    order = drain(machine)
    confirmed = [unit for unit in order if unit.phase == "confirm" and unit.method == "hdf"]
    assert {unit.configuration for unit in confirmed} == {1}
    assert confirmed[0].trial.recipe.objective.options["eta"] == pytest.approx(0.2)
    assert asker.told == {0: 0.5, 1: pytest.approx(0.8), 2: 0.5}
    searched_seeds = {unit.trial.seed for unit in order if unit.phase == "search"}
    assert searched_seeds.isdisjoint(unit.trial.seed for unit in confirmed)


def test_a_tie_goes_to_the_recipe_as_written():
    machine, _ = brain()
    assert {u.configuration for u in drain(machine) if u.phase == "confirm" and u.method == "hdf"} == {0}


def test_a_configuration_that_fails_on_one_fold_is_never_chosen():
    fold = STUDY.folds[1]
    seed = STUDY.search.seed
    machine, asker = brain(scores={(1, 1): 0.9, (1, 2): 0.9})
    drain(machine, fail={f"hdf #1 fold {fold} seed {seed}"})
    assert asker.told[1] is None
    assert machine.chosen["hdf"] != 1
    assert len(machine.failed) == 1


def test_every_unit_was_found_finished_or_trained_or_has_failed():
    whole, _ = brain()
    names = [key(unit) for unit in drain(whole)]
    assert len(whole.gained) == len(names)
    found = set(names[::2])
    failing = next(unit.label for name, unit in whole.units.items() if name not in found)
    machine, _ = brain(finished=found)
    drain(machine, fail={failing})
    assert len(machine.failed) == 1
    assert len(machine.gained) + len(machine.recognised) + len(machine.failed) == len(machine.units)
    assert len(machine.gained) == len([name for name in machine.units if name not in found]) - 1


def test_a_configuration_is_asked_when_the_clock_frees_a_worker_and_with_what_had_ended_on_it():
    search = STUDY.search.model_copy(update={"configurations": 4, "parallel": 4})
    machine, asker = brain(STUDY.model_copy(update={"search": search}))
    running = [machine.next() for _ in range(4)]
    assert [unit.configuration for unit in running] == [0, 0, 1, 1]
    assert machine.next().phase == "confirm", "other methods take the slots that this one has no use for"
    for unit in reversed(running[1:]):
        machine.finished(unit)
    assert asker.told == {}, "the clock waits for the written recipe, whatever has ended meanwhile"
    assert machine.next().phase == "confirm"
    machine.finished(running[0])
    assert set(asker.told) == {0, 1}
    assert [machine.next().configuration for _ in range(4)] == [2, 2, 3, 3]
    known = {number: one.known for number, one in machine.searches["hdf"].configurations.items()}
    assert known == {0: 0, 1: 0, 2: 0, 3: 1}, "by the end of one of its folds the written recipe is not known yet"


def test_the_order_in_which_units_end_changes_nothing():
    forward, backward = brain()[0], brain()[0]
    while not forward.done:
        forward.finished(forward.next())
    while not backward.done:
        batch = []
        while unit := backward.next():
            batch.append(unit)
        for unit in reversed(batch):
            backward.finished(unit)
    assert set(forward.units) == set(backward.units)
    assert forward.chosen == backward.chosen


def test_finished_units_are_recognised_and_never_handed_out_again():
    machine, _ = brain()
    names = [key(unit) for unit in drain(machine)]
    again, _ = brain(finished=set(names))
    assert again.next() is None
    assert again.done
    assert again.recognised == set(names)
    half, _ = brain(finished=set(names[: len(names) // 2]))
    assert {key(unit) for unit in drain(half)} == set(names[len(names) // 2 :])


def test_units_under_a_dead_executor_are_handed_out_again():
    machine, _ = brain()
    lost = [key(machine.next()), key(machine.next())]
    machine.put_back()
    assert set(lost) <= {key(unit) for unit in drain(machine)}


def test_a_unit_that_never_began_is_given_back_at_no_cost_and_is_the_next():
    machine, _ = brain()
    before = machine.spent
    first = machine.next()
    assert machine.spent != before
    second = machine.next()
    machine.give_back(first)
    machine.give_back(second)
    assert machine.spent == before
    assert {key(machine.next()), key(machine.next())} == {key(first), key(second)}


def test_two_methods_with_one_recipe_share_a_training_and_never_race_for_it():
    twins = {"a": STUDY.methods["x3d"], "b": STUDY.methods["x3d"]}
    machine = Brain(
        study=STUDY.model_copy(update={"methods": twins, "search": None, "folds": (1,)}),
        dataset=DATA,
        askers={},
        is_finished=lambda unit: False,
        score=lambda unit: None,
    )
    first = machine.next()
    assert machine.next() is None
    assert not machine.done
    machine.finished(first)
    assert machine.next().trial.trial_id == first.trial.trial_id


def test_search_units_use_the_search_epochs_and_seed():
    units = search_units(STUDY, DATA, "hdf", 1, {"objective.eta": 0.3})
    assert {unit.trial.training.epochs for unit in units} == {STUDY.search.epochs}
    assert {unit.trial.seed for unit in units} == {STUDY.search.seed}
    assert units[0].trial.recipe.objective.options["eta"] == 0.3


def test_a_method_with_epochs_of_its_own_is_trained_and_counted_with_them():
    longer = STUDY.methods["x3d"].model_copy(update={"epochs": 77})
    study = STUDY.model_copy(update={"methods": {"x3d": longer}})
    assert {unit.trial.training.epochs for unit in confirm_units(study, DATA, "x3d", 0, {})} == {77}
    assert counts(study)["x3d"].epochs == 77 * len(STUDY.folds)
