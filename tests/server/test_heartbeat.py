import threading

from videomama_server.heartbeat import beat, beats


def test_every_beat_of_any_thread_counts():
    before = beats()
    threads = [threading.Thread(target=beat) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert beats() == before + 5
