"""A Ray cluster of two machines, both here: says its address, and kills all of the second when it is asked to."""

import sys

import psutil
from ray.cluster_utils import Cluster

NODE = {"num_cpus": 1, "num_gpus": 1, "include_dashboard": False}  # a GPU that Ray believes in


def kill(raylet: int) -> None:
    """Kill a machine as a power cut does: all its processes, and what they started."""
    root = psutil.Process(raylet)
    family = [root, *root.children(recursive=True)]
    for process in family:
        process.kill()
    psutil.wait_procs(family, 60)


def main() -> None:
    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    second = cluster.add_node(**NODE)
    (raylet,) = (known.process.pid for known in second.all_processes["raylet"])
    print(cluster.address, flush=True)  # noqa: T201 - what the test reads
    for _ in sys.stdin:
        kill(raylet)
        print("killed", flush=True)  # noqa: T201
    cluster.shutdown()


if __name__ == "__main__":
    main()
