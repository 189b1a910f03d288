"""How many trials machines run at once, and studies that fit on none."""

import pytest

from harness.errors import HarnessError
from harness.schedule.cluster.launch.shape import shape_of
from harness.schedule.cluster.placing import Offer, Request, at_once, check_feasible, requests, slots_of
from harness.spec.load import parse_study

STUDY = """
name: s
question: q
dataset: {name: synthetic}
folds: [1, 2, 3, 4, 5]
resources: {cpus: 2, gpus: 0.25, memory_mb: 5000}
methods:
  light: {model: {name: x3d}}
  heavy: {model: {name: hdf}, resources: {cpus: 4, gpus: 1}}
"""


@pytest.mark.parametrize(
    ("request_", "offer", "count"),
    [
        (Request(1, 0), Offer("n", 8, 0), 8),
        (Request(3, 0), Offer("n", 8, 0), 2),
        (Request(0.1, 0), Offer("n", 1, 0), 10),
        (Request(1, 0.25), Offer("n", 16, 2), 8),
        (Request(1, 0.6), Offer("n", 16, 2), 2),
        (Request(1, 2), Offer("n", 16, 3), 1),
        (Request(1, 0, 5000), Offer("n", 16, 0, 12000), 2),
        (Request(1, 1), Offer("n", 16, 0), 0),
    ],
)
def test_a_machine_runs_what_its_scarcest_resource_allows(request_, offer, count):
    assert at_once(request_, offer) == count


def test_a_method_asks_for_its_own_resources_or_for_the_studys():
    asked = requests(parse_study(STUDY, "s"))
    assert asked == {"light": Request(2, 0.25, 5000), "heavy": Request(4, 1.0, 0)}


def test_a_share_that_was_measured_replaces_auto():
    study = parse_study(STUDY.replace("gpus: 0.25", "gpus: auto"), "s")
    assert requests(study)["light"].gpus == 1.0
    assert requests(study, {"light": 0.5})["light"].gpus == 0.5


def test_slots_are_counted_over_all_machines_for_the_method_that_fits_most_often():
    offers = [Offer("a", 8, 1), Offer("b", 8, 1)]
    assert slots_of(requests(parse_study(STUDY, "s")), offers) == 8


def test_two_machines_with_half_each_do_not_make_one_that_fits():
    with pytest.raises(HarnessError, match=r"'heavy' asks for 4 CPU, 1 GPU on one machine.*a: 2 CPU, 1 GPU; b: 4 CPU"):
        check_feasible({"heavy": Request(4, 1)}, [Offer("a", 2, 1), Offer("b", 4, 0)])


@pytest.mark.parametrize("gpus", ["1.5", "-1", "all"])
def test_a_number_of_gpus_that_cannot_be_placed_is_a_mistake(gpus):
    with pytest.raises(HarnessError, match="gpus"):
        parse_study(STUDY.replace("gpus: 0.25", f"gpus: {gpus}"), "s")


def test_resources_are_no_part_of_a_trials_identity():
    one, other = parse_study(STUDY, "s"), parse_study(STUDY.replace("cpus: 4", "cpus: 1"), "s")
    assert one.methods["heavy"].recipe == other.methods["heavy"].recipe


def test_a_cluster_holds_the_trials_that_it_is_asked_to_run_at_once():
    study = parse_study(STUDY.replace("folds: [1, 2, 3, 4, 5]", "folds: [1, 2]"), "s")
    light = study.model_copy(update={"methods": {"light": study.methods["light"]}})
    for nodes, slots in ((1, 6), (2, 6), (3, 7), (1, 0)):
        shape = shape_of(light, nodes, slots)
        machine = Offer("n", shape.cpus, shape.gpus, shape.memory_mb)
        assert at_once(requests(light)["light"], machine) * nodes >= shape.slots >= (slots or 2)


def test_more_machines_than_trials_are_a_mistake():
    with pytest.raises(HarnessError, match="--nodes 6"):
        shape_of(parse_study(STUDY, "s"), 6, 0)
