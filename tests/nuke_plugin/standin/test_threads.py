"""Threads: the main thread's rule, its queue, and what a terminal never does."""

import threading
import time

import pytest
from nuke_standin import api_ui, threads


def in_thread(call, pump=None):
    """Run `call` in a thread, serve the main loop meanwhile where asked to, and return what it returned or raised."""
    out = []

    def work():
        try:
            out.append(call())
        except Exception as error:  # noqa: BLE001 - told to who asked
            out.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    until = time.monotonic() + 60
    while worker.is_alive() and time.monotonic() < until:
        if pump is not None:
            pump(0.01)
        worker.join(0.01)
    assert not worker.is_alive()
    return out[0]


def test_trap_the_api_belongs_to_the_main_thread(nuke):
    node = nuke.nodes.NoOp()
    knob = node["label"]
    calls = (
        nuke.root, nuke.thisNode, lambda: nuke.toNode("NoOp1"), lambda: nuke.nodes.NoOp(), lambda: node.name(),
        lambda: node["label"], knob.value, lambda: knob.setValue("x"), lambda: nuke.message("x"), nuke.views,
        lambda: nuke.Undo().disable(), lambda: nuke.Int_Knob("k"),
    )  # fmt: skip
    for call in calls:
        found = in_thread(call)
        assert isinstance(found, RuntimeError), call
        assert "main thread" in str(found)
    assert knob.value() == ""


def test_what_any_thread_may_use(nuke):
    def use():
        task = nuke.ProgressTask("t")
        task.setProgress(3)
        return (nuke.GUI, nuke.NUKE_VERSION_MAJOR, nuke.env["gui"], list(nuke.rawArgs), task.isCancelled())

    assert in_thread(use) == (False, 15, False, [], False)


def test_calls_from_threads_run_when_the_main_loop_turns(gui_nuke):
    found = []
    assert in_thread(lambda: gui_nuke.executeInMainThread(lambda: found.append(threading.current_thread()))) is None
    assert found == []
    assert threads.pending() == 1
    assert threads.pump() == 1
    assert found == [threading.current_thread()]


def test_a_result_is_waited_for(gui_nuke):
    call = lambda: gui_nuke.executeInMainThreadWithResult(lambda a, b=0: a + b, (1,), {"b": 2})  # noqa: E731
    assert in_thread(call, threads.pump) == 3


def test_trap_arguments_that_are_no_tuple_are_wrapped_in_one(gui_nuke):
    call = lambda: gui_nuke.executeInMainThreadWithResult(lambda *args: args, [1, 2])  # noqa: E731
    assert in_thread(call, threads.pump) == ([1, 2],)


def test_trap_an_exception_is_printed_and_gives_none(gui_nuke, capsys):
    assert in_thread(lambda: gui_nuke.executeInMainThreadWithResult(lambda: 1 / 0), threads.pump) is None
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_trap_waiting_on_the_main_thread_for_itself_is_a_dead_lock(gui_nuke):
    with pytest.raises(RuntimeError, match="dead-lock"):
        gui_nuke.executeInMainThreadWithResult(len, ("abc",))


def test_trap_a_terminal_never_serves_the_queue(nuke):
    found = []
    in_thread(lambda: nuke.executeInMainThread(found.append, ("x",)))
    with pytest.raises(RuntimeError, match="no main loop"):
        threads.pump(0.05)
    assert found == []
    assert threads.pending() == 1


def test_the_queue_keeps_its_order(gui_nuke):
    found = []
    for number in range(5):
        gui_nuke.executeInMainThread(found.append, number)
    assert threads.pump() == 5
    assert found == list(range(5))


def test_the_longest_block_is_measured(gui_nuke):
    gui_nuke.executeInMainThread(time.sleep, (0.06,))
    gui_nuke.executeInMainThread(time.sleep, (0.01,))
    threads.pump()
    assert threads.longest_block() > 0.05
    threads.reset_longest_block()
    assert threads.longest_block() == 0


def test_only_the_main_thread_turns_the_loop(gui_nuke):
    assert isinstance(in_thread(threads.pump), RuntimeError)


def test_trap_this_node_is_not_known_to_another_thread(gui_nuke):
    node = gui_nuke.nodes.NoOp()
    found = []
    node.addKnob(gui_nuke.PyScript_Knob("go", "go", "nuke.start(nuke.thisNode())"))
    gui_nuke.start = lambda pressed: found.append((pressed, in_thread(lambda: gui_nuke.thisNode())))
    node["go"].execute()
    assert found[0][0] is node
    assert isinstance(found[0][1], RuntimeError)


def test_trap_a_progress_bar_goes_with_its_object(nuke):
    task = nuke.ProgressTask("Export")
    task.setMessage("frame 3")
    task.setProgress(30)
    assert api_ui.progress_bars() == [("Export", "frame 3", 30)]
    api_ui.press_cancel()
    assert task.isCancelled()
    with pytest.raises(TypeError):
        task.setProgress(0.5)
    del task
    assert api_ui.progress_bars() == []
