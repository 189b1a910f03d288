"""The bundled London study on real face texture, shortened; skipped where the clips are not on this machine."""

import yaml

from harness.paths import RunPaths
from harness.spec.load import bundled_studies
from harness.tables import schema, store


def test_the_london_study_runs_on_real_texture(london, invoke, tmp_path):
    data = yaml.safe_load(bundled_studies()["london"].read_text())
    data["dataset"]["root"] = str(london)
    data["folds"] = [3]
    data["clip"] |= {"size": 32, "frames": 8}
    data["training"]["epochs"] = 1
    data["methods"] = {"x3d": data["methods"]["x3d"]}
    data["stress"] = {"perturbations": ["frame_drop"], "severities": [3]}
    study = tmp_path / "london.yaml"
    study.write_text(yaml.safe_dump(data))
    code, printed, complaint = invoke("run", study, "--local", "--plain", "--out", tmp_path / "runs")
    assert code == 0, printed + complaint
    run = RunPaths(tmp_path / "runs", "london")
    metrics = store.read(run.table("metrics"), schema.METRICS)
    tested = metrics[(metrics["split"] == "test") & (metrics["metric"] == "war")]
    assert set(tested["perturbation"]) == {"clean", "frame_drop"}
    assert set(tested["num_clips"]) == {80}
    assert "Happy" in run.output("report.html").read_text()
