"""Learning curves of stages that go on after a kill."""

from pathlib import Path

from harness.records import stages
from harness.records.stages import CURVE, STAGE, back_to, curve


def test_a_curve_goes_back_to_where_its_stage_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "grpo-0"
    draft = stages.partial(folder)
    draft.mkdir()
    path = draft / CURVE
    assert back_to(path, 1) == 0
    path.write_text('{"step": 1}\n{"step": 3}\n{"step": 5}\n{"st')
    assert back_to(path, 4) == 3
    assert curve(folder) == [{"step": 1}, {"step": 3}]
    assert back_to(path, 1) == 0 and path.read_bytes() == b""
    assert not (draft / STAGE).exists()
