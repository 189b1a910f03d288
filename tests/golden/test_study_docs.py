"""docs/study.md has every key that a study may say; to write its tables anew, run this file."""

import re
from pathlib import Path

from harness.plan import check
from harness.spec.document import sections, tables
from harness.spec.load import parse_study
from harness.spec.study import StudySpec
from harness.train.conditions import with_suite

PAGE = Path(__file__).parents[2] / "docs" / "study.md"
MARK = "<!-- tables: written by harness/spec/document.py -->\n"


def test_the_page_has_every_key_as_it_is():
    assert PAGE.read_text(encoding="utf-8").partition(MARK)[2].strip() == tables().strip()


def test_every_key_says_what_it_means():
    keys = [(path, *item) for path, model in sections() for item in model.model_fields.items()]
    silent = [f"{path}.{key}" for path, key, field in keys if not field.description]
    assert silent == []


def test_the_example_is_a_study_with_every_section():
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    study = parse_study(example, "docs/study.md")
    check(with_suite(study), "docs/study.md")
    assert study.model_fields_set == set(StudySpec.model_fields)


if __name__ == "__main__":
    before, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(f"{before}{mark}\n{tables()}", encoding="utf-8")
