"""The script that times quality control: it must still find what it times and what it takes out."""

import json


def test_quality_control_is_timed_and_taken_out(load_bench, monkeypatch, capsys):
    load_bench("footage")
    module = load_bench("qc_cost")
    monkeypatch.setattr("sys.argv", ["qc_cost.py", "--frames", "2", "--size", "128x64", "--json"])
    monkeypatch.setattr(module.settling, "SETTLED_S", 0)
    threads = module.cv2.getNumThreads()
    try:
        module.main()
    finally:
        module.cv2.setNumThreads(threads)
    found = json.loads(capsys.readouterr().out)
    assert found["passthrough"]["own_ms_per_frame"] > 0
