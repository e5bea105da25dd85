"""What a wheel carries beside the Python files: the data folders, named as `paths` looks for them."""

import subprocess
import tomllib
from pathlib import Path

from harness.paths import DATA_FOLDERS

ROOT = Path(__file__).resolve().parents[1]


def test_the_wheel_ships_every_data_folder_where_it_is_looked_for():
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert built["packages"] == ["harness", "trainers"]
    assert built["force-include"] == {name: f"harness/shipped/{name}" for name in DATA_FOLDERS}


def test_no_file_that_the_package_reads_is_ignored_and_so_left_out_of_the_wheel():
    needed = [*(ROOT / "harness").rglob("*.lean"), *(ROOT / "harness" / "boards").glob("board.*")]
    assert len(needed) >= 8
    found = subprocess.run(["git", "check-ignore", *map(str, needed)], cwd=ROOT, capture_output=True)
    assert found.returncode in (1, 128), found.stdout.decode()  # 128: no checkout, so nothing is ignored
