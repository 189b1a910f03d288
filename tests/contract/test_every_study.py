"""Every bundled study can be read, names only what exists, and asks a question."""

import pytest

from harness.plan import check, counts
from harness.plugins import load
from harness.spec.load import bundled_studies, load_study
from harness.spec.space import written_values
from harness.train.options import typed_options

STUDIES = bundled_studies()


@pytest.fixture(params=sorted(STUDIES))
def study(request):
    return load_study(STUDIES[request.param])


def test_its_file_is_called_by_its_name(study):
    assert study.name in STUDIES


def test_it_asks_a_question(study):
    assert study.question.endswith("?")


def test_it_names_only_what_exists(study):
    check(study, study.name)


def test_every_option_is_one_its_plugin_knows(study):
    for method in study.methods.values():
        model, objective = load("model", method.model.name), load("objective", method.objective.name)
        assert typed_options("model", model.config, method.model.options) is not None
        assert typed_options("objective", objective.options, method.objective.options) is not None


def test_configuration_0_is_the_recipe_as_written(study):
    for method in study.methods.values():
        assert method.recipe.with_values(written_values(method.recipe, method.search)) == method.recipe


def test_searched_methods_all_get_the_same_number_of_configurations(study):
    searched = {count.search for count in counts(study).values() if count.search}
    assert len(searched) <= 1
