"""A search tries the same things whoever ends first and however often it is killed, and gives up losers early."""

from dataclasses import replace
from itertools import pairwise
from statistics import fmean

import optuna
import pytest
from fake_search import DATA, FOLDS, Storage, brain_on, history, landscape, run, study_of

from harness.errors import HarnessError
from harness.plan import check, counts, fold_order, search_units
from harness.schedule.search.asking import Asker, open_journal
from harness.spec.search import RacingSpec, StoppingSpec

SMALL = {"configurations": 7, "parallel": 3}
SEARCHES = {
    "tpe": SMALL,
    "random": SMALL | {"sampler": "random"},
    "qmc": SMALL | {"sampler": "qmc"},
    "cmaes": SMALL | {"sampler": "cmaes"},
    "unraced": SMALL | {"racing": "none"},
    "two folds at a time": SMALL | {"racing": {"folds_per_stage": 2}},
    "asha": SMALL | {"stopping": "asha"},
    "median": SMALL | {"stopping": "median"},
    "budget": {"parallel": 3, "budget": 60},
}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_neither_the_order_of_ends_nor_kills_change_what_a_search_does(search, tmp_path):
    study = study_of(search, methods=("hdf", "other"))
    reference, trained = run(study, tmp_path / "reference")
    again, storage = run(study, tmp_path / "again", slots=5, seed=1, kill=0.1)
    assert history(again) == history(reference)
    assert sorted(storage.epochs) == sorted(trained.epochs)


def test_a_gaussian_process_search_is_repeatable_too(tmp_path):
    search = {"configurations": 6, "parallel": 5, "sampler": "gp", "racing": "none"}
    study = study_of(search, domains=CONDITIONAL, folds=(1,))
    reference, _ = run(study, tmp_path / "reference")
    again, _ = run(study, tmp_path / "again", slots=3, seed=1, kill=0.1)
    assert history(again) == history(reference)


def test_a_finished_search_run_again_trains_nothing(tmp_path):
    study = study_of(SMALL)
    first, storage = run(study, tmp_path / "journal")
    storage.trained.clear()
    again, _ = run(study, tmp_path / "journal", storage=storage)
    assert storage.trained == []
    assert history(again) == history(first)
    assert again.recognised == set(again.units)


def test_a_search_that_is_given_more_configurations_goes_on_with_those_it_has(tmp_path):
    short, storage = run(study_of(SMALL), tmp_path / "journal")
    longer, _ = run(study_of(SMALL | {"configurations": 10}), tmp_path / "journal", storage=storage)
    fresh, _ = run(study_of(SMALL | {"configurations": 10}), tmp_path / "fresh")
    first = short.searches["hdf"].configurations
    assert list(longer.searches["hdf"].configurations.values())[:7][:6] == list(first.values())[:6]
    assert len(fresh.searches["hdf"].configurations) == len(longer.searches["hdf"].configurations) == 10


@pytest.mark.parametrize("change", [{"folds": [1, 2]}, {"validation": {"fraction": 0.4}}], ids=["folds", "validation"])
def test_a_study_that_judges_by_other_clips_searches_as_if_it_had_never_judged_by_these(change, tmp_path):
    study = study_of(SMALL)
    other = type(study).model_validate(study.model_dump(mode="json") | change)
    _, storage = run(study, tmp_path / "journal")
    edited, _ = run(other, tmp_path / "journal", storage=storage)
    fresh, _ = run(other, tmp_path / "fresh")
    assert history(edited) == history(fresh)
    names = optuna.get_all_study_names(open_journal(tmp_path / "journal"))
    assert len(names) == 2, "what the first search was told is not told of the second"


def test_the_written_recipe_is_first_and_is_trained_on_all_folds(tmp_path):
    brain, _ = run(study_of(SMALL | {"stopping": "asha"}), tmp_path / "journal")
    written = brain.searches["hdf"].configurations[0]
    assert written.values == {"objective.eta": 0.2, "objective.tau": 0.07, "optimizer.sam.rho": 0.02}
    assert set(written.scores) == set(FOLDS)
    assert written.status == "complete"


def test_the_written_recipe_has_the_trials_that_it_has_without_a_search_also_where_a_whole_number_is_written(tmp_path):
    written = study_of(SMALL, domains={"objective.eta": {"uniform": (0.05, 1)}}).model_dump(mode="json")
    written["methods"]["hdf"]["objective"]["eta"] = 1
    study = type(study_of(SMALL)).model_validate(written)
    for _ in range(2):
        brain, _ = run(study, tmp_path / "journal")
        asked = {key for key, unit in brain.units.items() if unit.phase == "search" and unit.configuration == 0}
        assert asked == {unit.key for unit in search_units(study, DATA, "hdf", 0, {})}


def test_racing_trains_losers_on_fewer_folds_and_never_the_chosen_one(tmp_path):
    raced, storage = run(study_of(SMALL), tmp_path / "raced")
    _, everything = run(study_of(SMALL | {"racing": "none"}), tmp_path / "whole")
    lost = [one for one in raced.searches["hdf"].configurations.values() if one.status == "raced_out"]
    assert lost
    assert all(len(one.units) < len(FOLDS) for one in lost)
    assert len(storage.trained) < len(everything.trained)
    search = raced.searches["hdf"]
    assert len(search.configurations[search.chosen].scores) == len(FOLDS)


def test_a_configuration_is_raced_out_exactly_when_its_paired_mean_is_below_the_margin(tmp_path):
    brain, _ = run(study_of(SMALL | {"parallel": 6}), tmp_path / "journal")
    configurations = brain.searches["hdf"].configurations
    written = configurations[0]
    for one in list(configurations.values())[1:6]:
        means = []
        for count in range(1, len(FOLDS) + 1):
            folds = one.folds[:count]
            means.append(fmean(landscape(one.planned[fold]) - written.scores[fold] for fold in folds))
        losing = next((count for count, mean in enumerate(means, 1) if mean < -0.02 and count < len(FOLDS)), None)
        assert len(one.units) == (losing or len(FOLDS))
        assert (one.status == "raced_out") == (losing is not None)


def test_folds_are_shuffled_by_configuration_and_alike_for_all_methods():
    study = study_of(SMALL)
    orders = [fold_order(study, number) for number in range(30)]
    assert all(sorted(order) == list(FOLDS) for order in orders)
    assert {order[0] for order in orders} == set(FOLDS)
    assert orders == [fold_order(study_of(SMALL, methods=("other",)), number) for number in range(30)]


def test_halts_compare_configurations_on_the_same_folds(tmp_path):
    study = study_of(SMALL | {"stopping": "asha"})
    assert len({fold_order(study, number) for number in range(20)}) == 1
    brain, _ = run(study, tmp_path / "journal")
    first = fold_order(study, 0)[0]
    for one in list(brain.searches["hdf"].configurations.values())[1:]:
        assert one.halts[1] == landscape(replace(one.planned[first], stop_after=1))


def test_a_configuration_that_fails_on_its_first_fold_is_not_trained_on_the_rest(tmp_path):
    study = study_of(SMALL | {"racing": {"rule": "paired", "margin": 1}})
    first = fold_order(study, 1)[0]
    brain, _ = run(study, tmp_path / "journal", storage=Storage(broken={("hdf", 1, first)}))
    failed = brain.searches["hdf"].configurations[1]
    assert failed.status == "failed"
    assert list(failed.units) == [first]
    assert brain.chosen["hdf"] != 1


def test_without_a_complete_configuration_nobody_is_raced_out(tmp_path):
    study = study_of({"configurations": 3, "parallel": 3})
    brain, _ = run(study, tmp_path / "journal", storage=Storage(broken={("hdf", 0, 1)}))
    statuses = [one.status for one in brain.searches["hdf"].configurations.values()]
    assert statuses == ["failed", "complete", "complete"]


def test_if_every_configuration_fails_the_written_recipe_is_confirmed(tmp_path):
    broken = {("hdf", number, fold) for number in range(7) for fold in FOLDS}
    brain, _ = run(study_of(SMALL), tmp_path / "journal", storage=Storage(broken=broken))
    assert brain.chosen == {"hdf": 0}


def test_stopping_halts_losers_and_takes_the_others_up_where_they_were(tmp_path):
    brain, storage = run(study_of(SMALL | {"stopping": "asha", "racing": "none"}), tmp_path / "journal")
    configurations = brain.searches["hdf"].configurations.values()
    stopped = [one for one in configurations if one.status == "stopped"]
    assert stopped
    assert all(unit.stop_after in {1, 3} for one in stopped for unit in one.units.values())
    for one in configurations:
        for unit in one.units.values():
            steps = [(before, after) for key, before, after in storage.trained if key == unit.key]
            assert steps[0][0] == 0
            assert all(left[1] == right[0] for left, right in pairwise(steps))
    best = brain.searches["hdf"].configurations[brain.chosen["hdf"]]
    assert best.status == "complete"


@pytest.mark.parametrize("rule", ["asha", "median"])
def test_at_a_halt_the_rule_is_kept_with_all_that_were_there_before(rule, tmp_path):
    one_by_one = {"parallel": 1, "stopping": rule, "racing": "none"}
    brain, _ = run(study_of(SMALL | one_by_one), tmp_path / "journal")
    configurations = list(brain.searches["hdf"].configurations.values())
    for epoch in (1, 3):
        for one in configurations[1:]:
            if epoch not in one.halts:
                continue
            seen = [other.halts[epoch] for other in configurations[: one.number + 1] if epoch in other.halts]
            rank = sum(other > one.halts[epoch] for other in seen)
            goes_on = rank < -(-len(seen) // 3) if rule == "asha" else one.halts[epoch] >= sorted(seen)[len(seen) // 2]
            assert goes_on == (3 in one.halts if epoch == 1 else one.status == "complete") or rule == "median"


def test_what_is_spent_adds_up_epochs_passes_and_clips(tmp_path):
    clips = {1: 50, 2: 100, 3: 100, 4: 100, 5: 150}
    study = study_of(SMALL | {"stopping": "asha"})
    brain, storage = run(study, tmp_path / "journal", clips=clips)
    epochs = {}
    for key, before, after in storage.trained:
        phase, _, number, trial_id = key.split(":")
        if phase == "search":
            fold = next(unit.trial.fold for unit in brain.units.values() if unit.trial.trial_id == trial_id)
            epochs[int(number)] = epochs.get(int(number), 0) + (after - before) * clips[fold] / 100
    for number, one in brain.searches["hdf"].configurations.items():
        assert one.cost == pytest.approx(2 * epochs[number] / 9)
    assert brain.spent["hdf"] == pytest.approx(sum(one.cost for one in brain.searches["hdf"].configurations.values()))


def test_a_training_that_fails_or_diverges_is_charged_as_asked_and_once_however_often_it_is_tried(tmp_path):
    study = study_of(SMALL | {"racing": {"rule": "paired", "margin": 1}}, methods=("hdf", "sound"))
    diverging = Storage(broken={("hdf", number, fold) for number in range(1, 7) for fold in FOLDS})
    brain, storage = run(study, tmp_path / "journal", storage=diverging)
    configurations = list(brain.searches["hdf"].configurations.values())
    assert {one.status for one in configurations[1:]} == {"failed"}
    assert [one.cost for one in configurations[1:]] == [2.0] * len(configurations[1:]), "a fold, at two passes a step"
    assert brain.spent["hdf"] == 10 + 2 * len(configurations[1:])
    assert brain_on(study, storage, tmp_path / "journal").spent == brain.spent, (
        "taken up again, it is not charged twice"
    )


@pytest.mark.parametrize("racing", ["none", "paired"])
@pytest.mark.parametrize("budget", [10, 35, 60])
def test_a_budget_is_never_exceeded_and_racing_buys_more_configurations_with_it(budget, racing, tmp_path):
    brain, _ = run(study_of({"budget": budget, "parallel": 2, "racing": racing}), tmp_path / "journal")
    search = brain.searches["hdf"]
    assert search.spent <= budget
    assert search.spent > budget - 10, "a whole configuration (5 folds at two passes) would still fit"
    if racing == "none":
        assert len(search.configurations) == budget // 10


def test_the_method_that_has_spent_least_is_always_next(tmp_path):
    study = study_of(SMALL | {"racing": "none"}, methods=("hdf", "other", "third"))
    brain = brain_on(study, Storage(), tmp_path / "journal")
    most = 0.0
    while (unit := brain.next()) and unit.phase == "search":
        spent = dict(brain.spent)
        most = max(most, max(spent.values()) - min(spent.values()))
        brain.finished(unit, "no result")
    assert most == pytest.approx(2)


@pytest.mark.parametrize("racing", ["none", "paired"])
@pytest.mark.parametrize("slots", [2, 5, 8])
def test_no_slot_is_idle_while_configurations_are_left_if_trainings_take_as_long_as_they_cost(slots, racing, tmp_path):
    study = study_of({"configurations": 24, "parallel": 2 * slots, "racing": racing, "sampler": "random"})
    storage = Storage()
    brain = brain_on(study, storage, tmp_path / "journal")
    running, search = [], brain.searches["hdf"]
    while len(search.configurations) < 24:
        while len(running) < slots and (unit := brain.next()):
            running.append(unit)
        assert len(running) == slots
        storage.train(running[0])
        brain.finished(running.pop(0))


def test_racing_compares_with_the_best_that_had_ended_on_the_clock(tmp_path):
    study = study_of(SMALL | {"configurations": 20, "parallel": 4})
    brain, _ = run(study, tmp_path / "journal")
    configurations = brain.searches["hdf"].configurations
    rivals = {int(one.reason.split(":")[0].removeprefix("against #")) for one in configurations.values() if one.reason}
    assert len(rivals) > 1, "a better one takes the written recipe's place"
    assert all(configurations[number].status == "complete" for number in rivals)
    assert all(one.known >= one.number - 4 for one in configurations.values()), "at most the workers' own are unknown"


def test_the_plan_bounds_what_a_search_hands_out(tmp_path):
    for name in ("random", "unraced", "asha", "budget"):
        study = study_of(SEARCHES[name])
        brain, storage = run(study, tmp_path / name)
        asked = {unit.key for unit in brain.units.values() if unit.phase == "search"}
        count = counts(study)["hdf"]
        assert len({key for key, *_ in storage.trained} & asked) <= count.search
        assert sum(after - before for _, before, after in storage.trained) <= count.epochs
        assert (len(asked) == count.search) == (name == "unraced")


def test_points_come_right_after_the_written_recipe_and_are_filled_up_from_it(tmp_path):
    points = [{"objective.eta": 0.5}, {"objective.tau": 0.3, "optimizer.sam.rho": 0.01}, {"objective.eta": 0.2}]
    brain, _ = run(study_of(SMALL, points=points), tmp_path / "journal")
    values = [one.values for one in brain.searches["hdf"].configurations.values()]
    assert values[1] == {"objective.eta": 0.5, "objective.tau": 0.07, "optimizer.sam.rho": 0.02}
    assert values[2] == {"objective.eta": 0.2, "objective.tau": 0.3, "optimizer.sam.rho": 0.01}
    assert values[3] != values[0], "a point that is the written recipe is not tried again"


@pytest.mark.parametrize(("budget", "fits"), [(29, False), (30, True)])
def test_points_that_a_budget_may_leave_no_room_for_are_a_mistake(budget, fits):
    points = [{"objective.eta": 0.5}, {"objective.tau": 0.3}]
    found = study_of({"budget": budget}, points=points)
    if fits:
        check(found, "s")
        return
    with pytest.raises(HarnessError, match=r"methods.hdf.points: the written configuration and 2 points may cost 30"):
        check(found, "s")


def test_a_grid_is_the_whole_product_each_once_in_a_fixed_order(tmp_path):
    domains = {"objective.eta": {"uniform": (0.1, 0.5), "steps": 3}, "objective.tau": {"choice": (0.07, 0.2)}}
    brain, _ = run(study_of({"sampler": "grid", "racing": "none"}, domains=domains), tmp_path / "journal")
    values = [tuple(one.values.values()) for one in brain.searches["hdf"].configurations.values()]
    assert values == [(0.2, 0.07), (0.1, 0.07), (0.1, 0.2), (0.3, 0.07), (0.3, 0.2), (0.5, 0.07), (0.5, 0.2)]


CONDITIONAL = {
    "optimizer.sam": {"choice": [None, "sam", "asam"]},
    "optimizer.sam.rho": {"log_uniform": (0.005, 0.1), "when": {"optimizer.sam": ["sam", "asam"]}},
    "objective.eta": {"uniform": (0.05, 0.6)},
}


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "cmaes"])
def test_a_conditional_number_is_asked_only_under_its_condition(sampler, tmp_path):
    search = {"sampler": sampler, "configurations": 12, "parallel": 6, "racing": "none"}
    study = study_of(search, domains=CONDITIONAL, folds=(1,))
    brain, _ = run(study, tmp_path / "journal")
    seen = set()
    for one in brain.searches["hdf"].configurations.values():
        sam = next(iter(one.units.values())).trial.recipe.optimizer.sam
        chosen = one.values["optimizer.sam"]
        seen.add(chosen)
        assert (sam is None) == (chosen is None)
        assert ("optimizer.sam.rho" in one.values) == (chosen is not None)
        assert one.cost == (1 if sam is None else 2)
        if sam:
            assert (sam.name, sam.rho) == (chosen, one.values["optimizer.sam.rho"])
    assert len(seen) >= 2
    again, _ = run(study, tmp_path / "again", slots=4, seed=3, kill=0.2)
    assert history(again) == history(brain)


def test_several_metrics_are_told_together_and_the_first_of_the_front_is_chosen(tmp_path):
    search = {"metrics": ["uar", "validation_robustness", "cost"], "configurations": 8, "parallel": 4}
    study = study_of(search, domains=CONDITIONAL)
    others = {"further": lambda unit, name: 1 - landscape(unit)}
    brain, _ = run(study, tmp_path / "journal", **others)
    again, _ = run(study, tmp_path / "again", slots=4, seed=3, kill=0.2, **others)
    assert history(again) == history(brain)
    configurations = brain.searches["hdf"].configurations
    assert {one.objectives["cost"] for one in configurations.values()} == {5, 10}
    best = max(configurations.values(), key=lambda one: one.objectives["uar"])
    assert brain.chosen["hdf"] == best.number
    (name,) = optuna.get_all_study_names(storage := open_journal(tmp_path / "journal"))
    kept = optuna.load_study(study_name=name, storage=storage)
    assert kept.metric_names == ["uar", "validation_robustness", "cost"]
    assert [direction.name for direction in kept.directions] == ["MAXIMIZE", "MAXIMIZE", "MINIMIZE"]
    assert [trial.values for trial in kept.trials] == [list(one.objectives.values()) for one in configurations.values()]


def test_optuna_is_told_every_fate_in_its_own_words(tmp_path):
    study = study_of(SMALL | {"configurations": 12, "stopping": "asha"})
    storage = Storage(broken={("hdf", 1, fold) for fold in FOLDS})
    brain, _ = run(study, tmp_path / "journal", storage=storage)
    journal = open_journal(tmp_path / "journal")
    (name,) = optuna.get_all_study_names(journal)
    trials = optuna.load_study(study_name=name, storage=journal).trials
    states = {"complete": "COMPLETE", "raced_out": "COMPLETE", "stopped": "PRUNED", "failed": "FAIL"}
    configurations = brain.searches["hdf"].configurations
    assert {one.status for one in configurations.values()} >= {"complete", "stopped", "failed"}
    for trial, one in zip(trials, configurations.values(), strict=True):
        assert trial.state.name == states[one.status]
        assert trial.user_attrs["status"] == one.status
        if one.status == "complete":
            assert trial.value == pytest.approx(fmean(one.scores.values()))
        if one.status == "stopped":
            assert trial.intermediate_values == one.halts


def test_a_raced_out_configuration_is_told_as_the_incumbent_plus_its_paired_difference(tmp_path):
    study = study_of(SMALL | {"parallel": 6})
    brain, _ = run(study, tmp_path / "journal")
    configurations = brain.searches["hdf"].configurations
    written = configurations[0].scores
    lost = [one for one in list(configurations.values())[:6] if one.status == "raced_out"]
    assert lost
    for one in lost:
        paired = fmean(score - written[fold] for fold, score in one.scores.items())
        assert one.told.values[0] == pytest.approx(fmean(written.values()) + paired)
        assert one.told.values[0] < fmean(written.values()) - 0.02


def test_a_journal_whose_writer_was_killed_within_a_line_is_read_up_to_it(tmp_path):
    path = tmp_path / "journal"
    study = study_of(SMALL)
    asker = Asker(study, DATA, "hdf", open_journal(path))
    first = [asker.ask(number) for number in range(2)]
    whole = path.read_bytes()
    third = asker.ask(2)
    line = path.read_bytes()[len(whole) :]
    for cut in (1, len(line) // 2, len(line) - 1):
        path.write_bytes(whole + line[:cut])
        path.with_name("journal.lock").symlink_to("gone")
        again = Asker(study, DATA, "hdf", open_journal(path))
        assert [again.ask(number) for number in range(3)] == [*first, third]


def test_configurations_are_asked_in_order(tmp_path):
    asker = Asker(study_of(SMALL), DATA, "hdf", open_journal(tmp_path / "journal"))
    with pytest.raises(ValueError, match="configuration 1 of hdf was asked before 0"):
        asker.ask(1)


def test_tpe_learns_from_what_it_is_told(tmp_path):
    best = {}
    for sampler in ("random", "tpe"):
        search = {"sampler": sampler, "configurations": 40, "parallel": 4, "racing": "none"}
        brain, _ = run(study_of(search, folds=(1,)), tmp_path / sampler)
        configurations = list(brain.searches["hdf"].configurations.values())
        best[sampler] = fmean(one.objectives["uar"] for one in configurations[20:])
    assert best["tpe"] > best["random"] + 0.05


def test_rules_given_by_name_are_the_rules():
    study = study_of(SMALL | {"racing": "wilcoxon", "stopping": "median"})
    assert study.search.racing == RacingSpec(rule="wilcoxon")
    assert study.search.stopping == StoppingSpec(rule="median")
