"""Search spaces: named ones, conditional ones, and how mistakes in them are named."""

import re
from dataclasses import asdict

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.objectives.dsm import DsmOptions
from harness.plan import check
from harness.spec.domain import Domain
from harness.spec.load import bundled_studies, dump_study, parse_study
from harness.spec.method import MethodSpec, OptimizerSpec, RecipeSpec, SamSpec
from harness.spec.ready_spaces import ready_space, ready_spaces
from harness.spec.space import first_configurations, grid, most_passes, sized_differently, written_values

GOOD = yaml.safe_load(bundled_studies()["quickstart"].read_text())
SAM = {"choice": [None, "sam", "asam"]}
RHO = {"log_uniform": [0.005, 0.1], "when": {"optimizer.sam": ["sam", "asam"]}}


def checked(search=None, **changes):
    """The quickstart with another search space of HDF's, read and checked."""
    method = {**GOOD["methods"]["hdf"], **changes}
    method |= {} if search is None else {"search": search}
    section = changes.pop("section", {})
    data = {**GOOD, "search": {**GOOD["search"], **section}, "methods": {**GOOD["methods"], "hdf": method}}
    data["methods"]["hdf"].pop("section", None)
    study = parse_study(yaml.safe_dump(data), "x.yaml")
    check(study, "x.yaml")
    return study


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"optimizer.sam": SAM, "optimizer.sam.rho": {"log_uniform": [0.005, 0.1]}},
         "search.optimizer.sam.rho: optimizer.sam may be null; say when: {optimizer.sam: [sam, asam]}"),
        ({"optimizer.sam": SAM, "optimizer.sam.rho": RHO | {"when": {"optimizer.sam": ["asem"]}}},
         "search.optimizer.sam.rho.when.optimizer.sam: 'asem' is not in its choice. Did you mean 'asam'?"),
        ({"optimizer.sam": SAM, "optimizer.sam.rho": RHO | {"when": {"optimizer.sem": ["sam"]}}},
         "search.optimizer.sam.rho.when.optimizer.sem: no such path is searched or written. Did you mean"),
        ({"objective.eta": {"uniform": [0, 1], "when": {"objective.name": "cross_entropy"}}},
         "never true: 'dsm' is written there, and it is not searched"),
        ({"objective.eta": {"uniform": [0, 1], "when": {"objective.tau": [0.1]}},
          "objective.tau": {"uniform": [0, 1]}}, "only a path with a choice can be a condition"),
        ({"objective.eta": {"choice": [0.2, 0.3], "when": {"objective.tau": [0.07]}},
          "objective.tau": {"choice": [0.07, 0.1], "when": {"objective.eta": [0.2]}}}, "go round in a circle"),
        ({"optimizer.learning_rate": {"uniform": [-1, 1]}}, "search.optimizer.learning_rate: -1.0 cannot be"),
        ({"optimizer.sam": {"choice": ["sam", "sem"]}}, "search.optimizer.sam: 'sem' cannot be"),
        ({"objective.eta": {"uniform": [0, 1], "steps": 3}}, "steps is for sampler grid, and the sampler is tpe"),
        ({"objective.eta": {"choice": [1, 1]}}, "choice gives a value twice"),
        ({"objective.eta": {"uniform": [0, 1], "choice": [1]}}, "give exactly one of"),
        ({"objective.eta": {"choice": [1, 2], "steps": 2}}, "steps belongs to uniform or log_uniform"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_search_space_is_named(search, message):
    with pytest.raises(HarnessError, match=re.escape(message)):
        checked(search)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"racing": "wilcoxon"}, "wilcoxon needs 8 folds or more and the search has 2"),
        ({"racing": "paired", "folds": [1]}, "there is one fold"),
        ({"racing": "pairde"}, "racing.rule"),
        ({"racing": {"magrin": 0.1}}, "Did you mean 'margin'?"),
        ({"metric": "uar", "metrics": ["uar", "cost"]}, "give metric or metrics, not both"),
        ({"metrics": ["cost", "uar"]}, "the first must not be cost"),
        ({"metrics": ["uar", "cost"], "sampler": "cmaes"}, "sampler cmaes searches for one metric"),
        ({"metrics": ["uar", "cost"], "racing": "paired"}, "with several metrics leave them out"),
        ({"metrics": ["validation_robustness"], "stopping": "asha"}, "which do not tell validation_robustness"),
        ({"sampler": "grid"}, "sampler grid needs a list of values: give 'objective.eta' steps, or a choice"),
        ({"folds": []}, "search.folds"),
    ],
)
def test_a_mistake_in_the_search_section_is_named(section, message):
    with pytest.raises(HarnessError, match=re.escape(message)):
        checked(section=section)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([{"objective.etta": 0.1}], "points[0]: 'objective.etta' is not searched. Did you mean 'objective.eta'?"),
        ([{}, {"objective.eta": 3}], "points[1].objective.eta: 3 lies outside the domain"),
        ([{"objective.eta": 0.3}] * 3, "3 and the written one are more than 3 configurations"),
    ],
)
def test_a_mistake_in_a_point_is_named(points, message):
    with pytest.raises(HarnessError, match=re.escape(message)):
        checked(points=points)


def test_points_without_a_search_are_a_mistake():
    data = {**GOOD, "methods": {"x3d": {**GOOD["methods"]["x3d"], "points": [{"objective.eta": 0.1}]}}}
    with pytest.raises(HarnessError, match=r"give points, but no search domains"):
        parse_study(yaml.safe_dump(data), "x.yaml")


def test_a_point_may_not_set_what_is_not_searched_under_its_other_values():
    with pytest.raises(HarnessError, match="it is not searched under the other values given"):
        checked(
            {"optimizer.sam": SAM, "optimizer.sam.rho": RHO}, points=[{"optimizer.sam": None, "optimizer.sam.rho": 0.1}]
        )


@pytest.mark.parametrize("name", sorted(ready_spaces()))
def test_every_ready_space_searches_a_method_that_writes_nothing_of_it(name):
    bare = {"model": {"name": "hdf"}, "objective": {"name": "dsm"}, "optimizer": {"sam": {"name": "sam"}}}
    if name == "sam_or_not":
        bare["optimizer"] = {"learning_rate": 0.005}
    method = MethodSpec.model_validate({**bare, "space": name})
    study = checked({}, **bare, space=name)
    assert set(study.methods["hdf"].search) == set(ready_space(name).search)
    published = {path: one.published for path, one in ready_space(name).search.items()}
    written = written_values(method.recipe, method.search)
    assert written == {path: published[path] for path in written}
    assert first_configurations(method, with_grid=False) == [written]


def test_what_a_ready_space_writes_into_a_recipe_are_the_published_defaults():
    defaults = asdict(DsmOptions())
    for path, one in ready_space("dsm_sam").search.items():
        part, _, leaf = path.partition(".")
        if part == "objective":
            assert one.published == defaults[leaf]
        elif leaf.startswith("sam."):
            assert one.published == getattr(SamSpec(), leaf.removeprefix("sam."))
        else:
            assert one.published == getattr(OptimizerSpec(), leaf)


def test_dsm_sam_is_the_three_spaces_together():
    parts = [ready_space(name).search for name in ("dsm", "sam", "optimizer")]
    assert ready_space("dsm_sam").search == {path: one for part in parts for path, one in part.items()}


def test_a_named_space_is_changed_by_what_the_study_says_and_written_out():
    own = {
        "objective.eta": {"uniform": [0.1, 0.3]},
        "objective.alpha": None,
        "optimizer.weight_decay": {"choice": [0.05]},
    }
    study = checked(own, space=["dsm", "sam"])
    found = study.methods["hdf"].search
    assert found["objective.eta"] == Domain(uniform=(0.1, 0.3))
    assert "objective.alpha" not in found
    assert set(found) == set(ready_space("dsm").search) - {"objective.alpha"} | set(ready_space("sam").search) | {
        "optimizer.weight_decay"
    }
    assert study.methods["hdf"].recipe.objective.options["tau"] == 0.07, "what is written stays"
    assert "space: null" in dump_study(study)
    assert parse_study(dump_study(study), "again.yaml") == study


@pytest.mark.parametrize(
    ("space", "own", "message"),
    [
        ("dsm_sm", {}, "no search space named 'dsm_sm'. Did you mean 'dsm_sam'?"),
        ("dsm", {"objective.etta": None}, "search.objective.etta is null, but no named space has it. Did you mean"),
        ("sam", {}, "never true: None is written there"),
    ],
)
def test_a_mistake_with_a_named_space_is_named(space, own, message):
    changes = {"optimizer": {"learning_rate": 0.005}} if space == "sam" else {}
    with pytest.raises(HarnessError, match=re.escape(message)):
        checked(own, space=space, **changes)


def test_a_sam_may_be_given_by_its_name_and_a_searched_one_keeps_what_is_written():
    recipe = RecipeSpec.model_validate({"model": {"name": "hdf"}, "optimizer": {"sam": "asam"}})
    assert recipe.optimizer.sam == SamSpec(name="asam")
    written = recipe.with_values({"optimizer.sam.rho": 0.2})
    assert written.with_values({"optimizer.sam": "gsam"}).optimizer.sam == SamSpec(name="gsam", rho=0.2)
    assert written.with_values({"optimizer.sam": None}).optimizer.sam is None
    bare = RecipeSpec.model_validate({"model": {"name": "hdf"}})
    assert bare.with_values({"optimizer.sam.rho": 0.1, "optimizer.sam": "sam"}).optimizer.sam == SamSpec(rho=0.1)


def test_a_grid_leaves_out_what_its_conditions_leave_out():
    method = checked(
        {"optimizer.sam": SAM, "optimizer.sam.rho": {"choice": [0.01, 0.02], "when": RHO["when"]}},
        section={"sampler": "grid"},
    ).methods["hdf"]
    found = [tuple(values.values()) for values in grid(method)]
    assert found == [(None,), ("sam", 0.01), ("sam", 0.02), ("asam", 0.01), ("asam", 0.02)]
    assert most_passes(method) == 2


def test_what_may_need_another_size_of_memory_is_every_named_choice_and_the_ends_of_a_network_s_numbers():
    search = {
        "optimizer.learning_rate": {"log_uniform": [1e-4, 1e-2]},
        "optimizer.sam": {"choice": [None, "asam"]},
        "objective.eta": {"choice": [1, 2, 3]},
        "model.width": {"int_uniform": [8, 64]},
        "model.depth": {"choice": [1, 2]},
    }
    domains = {path: Domain.model_validate(domain) for path, domain in search.items()}
    assert sized_differently(domains) == [
        {},
        {"optimizer.sam": None},
        {"optimizer.sam": "asam"},
        {"model.width": 8},
        {"model.width": 64},
        {"model.depth": 1},
        {"model.depth": 2},
    ]


def test_passes_of_a_step_are_those_that_the_optimiser_makes():
    passes = {
        name: OptimizerSpec(sam=SamSpec(name=name)).passes_per_step for name in ("sam", "asam", "gsam", "looksam")
    }
    assert passes == {"sam": 2, "asam": 2, "gsam": 2, "looksam": 1.1}
    assert OptimizerSpec().passes_per_step == 1


DOMAINS = [
    Domain(uniform=(-1.0, 3.0)),
    Domain(log_uniform=(1e-4, 1.0)),
    Domain(int_uniform=(2, 5)),
    Domain(choice=(None, True, "a", 2)),
]


@given(st.sampled_from(DOMAINS), st.floats(0, 1, exclude_max=True))
def test_a_share_of_a_domain_lies_in_it(domain, share):
    assert domain.contains(domain.at(share))


@pytest.mark.parametrize(
    ("domain", "value"),
    [(DOMAINS[0], True), (DOMAINS[0], "1"), (DOMAINS[2], 2.5), (DOMAINS[2], 6), (DOMAINS[3], "b"), (DOMAINS[3], 1)],
)
def test_a_value_of_another_kind_lies_outside_a_domain(domain, value):
    assert not domain.contains(value)


def test_a_logarithmic_grid_has_equal_ratios():
    values = Domain(log_uniform=(0.001, 1.0), steps=4).grid
    assert values == (0.001, 0.01, 0.1, 1.0)
